// ElectLeaders, Alter- and ListPartitionReassignments: what one broker can say to them.
import { expect, test } from 'vitest'
import { electLeaders } from '../../../../routes/kafka/handlers/43-elect-leaders.ts'
import { alterPartitionReassignments } from '../../../../routes/kafka/handlers/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from '../../../../routes/kafka/handlers/46-list-partition-reassignments.ts'
import {
  ElectLeadersRequest,
  ElectLeadersResponse,
} from '../../../../src/protocol/messages/43-elect-leaders.ts'
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../../../src/protocol/messages/45-alter-partition-reassignments.ts'
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../../../src/protocol/messages/46-list-partition-reassignments.ts'
import { ask, create } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const ELECT = { api: electLeaders, request: ElectLeadersRequest, response: ElectLeadersResponse }
const REASSIGN = {
  api: alterPartitionReassignments,
  request: AlterPartitionReassignmentsRequest,
  response: AlterPartitionReassignmentsResponse,
}
const LIST = {
  api: listPartitionReassignments,
  request: ListPartitionReassignmentsRequest,
  response: ListPartitionReassignmentsResponse,
}

const asked = [
  { topic: 'a', partitions: [0, 9] },
  { topic: 'nope', partitions: [0] },
]

test.each([
  { version: 0, electionType: 0 },
  { version: 1, electionType: 0 },
  { version: 2, electionType: 0 },
  { version: 2, electionType: 1 },
])(
  'ElectLeaders v$version needs no election of type $electionType',
  async ({ version, electionType }) => {
    const { broker } = await simulatedBroker()
    await create(broker, ['a'])
    const request = { topicPartitions: asked, ...(version >= 1 && { electionType }) }
    const { errorCode, replicaElectionResults } = await ask(broker, ELECT, request, version)
    expect(errorCode).toBe(0)
    expect(
      replicaElectionResults.flatMap(({ topic, partitionResult }) =>
        partitionResult.map((one) => `${topic}-${one.partitionId} ${nameOf(one.errorCode)}`),
      ),
    ).toEqual([
      'a-0 ELECTION_NOT_NEEDED',
      'a-9 UNKNOWN_TOPIC_OR_PARTITION',
      'nope-0 UNKNOWN_TOPIC_OR_PARTITION',
    ])
  },
)

test('ElectLeaders for all partitions says nothing of those that need none', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const answer = await ask(broker, ELECT, { topicPartitions: null })
  expect(answer).toMatchObject({ errorCode: 0, replicaElectionResults: [] })
})

test('ElectLeaders refuses an unknown type of election, for each partition', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const answer = await ask(broker, ELECT, { electionType: 2, topicPartitions: asked })
  expect(nameOf(answer.errorCode)).toBe('INVALID_REQUEST')
  const codes = answer.replicaElectionResults.flatMap(({ partitionResult }) =>
    partitionResult.map((one) => nameOf(one.errorCode)),
  )
  expect(codes).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST', 'INVALID_REQUEST'])
})

test.each([
  { replicas: [1], error: 'NONE' },
  { replicas: null, error: 'NO_REASSIGNMENT_IN_PROGRESS' },
  { replicas: [], error: 'INVALID_REPLICA_ASSIGNMENT' },
  { replicas: [1, 1], error: 'INVALID_REPLICA_ASSIGNMENT' },
  { replicas: [2], error: 'INVALID_REPLICA_ASSIGNMENT' },
  { partition: 9, replicas: [1], error: 'UNKNOWN_TOPIC_OR_PARTITION' },
  { topic: 'nope', replicas: null, error: 'UNKNOWN_TOPIC_OR_PARTITION' },
])(
  'AlterPartitionReassignments to $replicas gives $error',
  async ({ topic = 'a', partition = 0, replicas, error }) => {
    const { broker } = await simulatedBroker()
    await create(broker, ['a'])
    for (const version of [0, 1]) {
      const partitions = [{ partitionIndex: partition, replicas }]
      const answer = await ask(broker, REASSIGN, { topics: [{ name: topic, partitions }] }, version)
      expect(answer.errorCode).toBe(0)
      expect(nameOf(answer.responses[0]?.partitions[0]?.errorCode ?? 0)).toBe(error)
    }
  },
)

test('ListPartitionReassignments has none, of all or of some', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  expect(await ask(broker, LIST, { topics: null })).toMatchObject({ errorCode: 0, topics: [] })
  const topics = [{ name: 'a', partitionIndexes: [0, 9] }]
  expect(await ask(broker, LIST, { topics })).toMatchObject({ errorCode: 0, topics: [] })
})
