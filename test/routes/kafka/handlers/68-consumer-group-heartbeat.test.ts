// ConsumerGroupHeartbeat and ConsumerGroupDescribe: what a member is told, and what others are told of it.
import { expect, test } from 'vitest'
import { consumerGroupHeartbeat } from '../../../../routes/kafka/handlers/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../../routes/kafka/handlers/69-consumer-group-describe.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../../../src/protocol/messages/69-consumer-group-describe.ts'
import { nameOf } from './clients.ts'
import { exchange } from './exchange.ts'
import { groupBroker } from './offset-client.ts'

const HEARTBEAT = {
  api: consumerGroupHeartbeat,
  request: ConsumerGroupHeartbeatRequest,
  response: ConsumerGroupHeartbeatResponse,
}
const DESCRIBE = {
  api: consumerGroupDescribe,
  request: ConsumerGroupDescribeRequest,
  response: ConsumerGroupDescribeResponse,
}

/** A heartbeat that joins group c for topic t, unless `said` says else. */
function beat(broker: Broker, said: Partial<Parameters<typeof HEARTBEAT.request.encode>[0]> = {}) {
  const request = {
    groupId: 'c',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: ['t'],
    topicPartitions: [],
    ...said,
  }
  return exchange(broker, HEARTBEAT, request, { version: 1, clientId: 'client' })
}

test('ConsumerGroupHeartbeat gives a member its assignment, and what is wrong in words', async () => {
  const { broker } = await groupBroker()
  const joined = await beat(broker)
  expect(joined).toMatchObject({ errorCode: 0, errorMessage: null, memberId: 'm', memberEpoch: 2 })
  expect(joined?.assignment?.topicPartitions.map((one) => one.partitions)).toEqual([[0, 1, 2]])
  const rest = { rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: null }
  expect(await beat(broker, { memberEpoch: 2, ...rest })).toMatchObject({
    memberEpoch: 2,
    heartbeatIntervalMs: 5000,
    assignment: null,
  })
  const refused = await beat(broker, { memberEpoch: 9, ...rest })
  expect(nameOf(refused?.errorCode ?? 0)).toBe('FENCED_MEMBER_EPOCH')
  expect(refused).toMatchObject({ memberId: null, assignment: null })
  expect(refused?.errorMessage).toContain('is at epoch 2, not at 9')
})

test.each([0, 1])('ConsumerGroupDescribe v%i tells of each group by itself', async (version) => {
  const { broker } = await groupBroker()
  await beat(broker)
  const request = { groupIds: ['c', 'none', ''], includeAuthorizedOperations: true }
  const answer = await exchange(broker, DESCRIBE, request, { version })
  expect(answer?.groups.map((one) => nameOf(one.errorCode))).toEqual([
    'NONE',
    'GROUP_ID_NOT_FOUND',
    'INVALID_GROUP_ID',
  ])
  const [group, none] = answer?.groups ?? []
  expect(group).toMatchObject({
    groupId: 'c',
    groupState: 'Stable',
    groupEpoch: 2,
    assignmentEpoch: 2,
    assignorName: 'uniform',
  })
  expect(group?.authorizedOperations).toBeGreaterThan(0)
  expect(none?.authorizedOperations).toBe(-2_147_483_648)
  const partitions = [{ topicName: 't', partitions: [0, 1, 2] }]
  expect(group?.members).toMatchObject([
    {
      memberId: 'm',
      memberEpoch: 2,
      clientId: 'client',
      subscribedTopicNames: ['t'],
      assignment: { topicPartitions: partitions },
      targetAssignment: { topicPartitions: partitions },
      memberType: version === 0 ? -1 : 1,
    },
  ])
})
