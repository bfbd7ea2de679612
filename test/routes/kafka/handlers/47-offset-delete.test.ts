// OffsetDelete: what a group forgets, and what it does not.
import { expect, test } from 'vitest'
import { offsetDelete } from '../../../../routes/kafka/handlers/47-offset-delete.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  OffsetDeleteRequest,
  OffsetDeleteResponse,
} from '../../../../src/protocol/messages/47-offset-delete.ts'
import { nameOf } from './clients.ts'
import { exchange } from './exchange.ts'
import { at, commit, fetchOffsets, groupBroker } from './offset-client.ts'

const DELETE = {
  api: offsetDelete,
  request: OffsetDeleteRequest,
  response: OffsetDeleteResponse,
}

async function deleteOffsets(broker: Broker, groupId: string, topics: [string, number[]][]) {
  const asked = topics.map(([name, indexes]) => ({
    name,
    partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
  }))
  const answer = await exchange(broker, DELETE, { groupId, topics: asked }, { version: 0 })
  const partitions = (answer?.topics ?? []).flatMap(({ name, partitions }) =>
    partitions.map((one) => `${name}-${one.partitionIndex}: ${nameOf(one.errorCode)}`),
  )
  return { error: nameOf(answer?.errorCode ?? -1), partitions }
}

test('OffsetDelete forgets offsets; what does not exist is refused by itself', async () => {
  const { broker } = await groupBroker()
  const partitions = [at(0, 1), at(1, 2)]
  await commit(broker, [
    { name: 't', partitions },
    { name: 'u', partitions: [at(0, 3)] },
  ])
  const asked: [string, number[]][] = [
    ['t', [0, 0, 7]],
    ['nope', [0]],
    ['u', []],
    ['t', [2]],
  ]
  expect(await deleteOffsets(broker, 'g', asked)).toEqual({
    error: 'NONE',
    partitions: [
      't-7: UNKNOWN_TOPIC_OR_PARTITION',
      't-0: NONE',
      't-0: NONE',
      't-2: NONE',
      'nope-0: UNKNOWN_TOPIC_OR_PARTITION',
    ],
  })
  const { partitions: left } = await fetchOffsets(broker, null)
  expect(left).toEqual(['t-1: 2 -1  NONE', 'u-0: 3 -1  NONE'])
})

test.each([
  { groupId: '', topic: 't', error: 'INVALID_GROUP_ID' },
  { groupId: 'none', topic: 't', error: 'GROUP_ID_NOT_FOUND' },
  { groupId: 'none', topic: 'nope', error: 'GROUP_ID_NOT_FOUND' },
])('OffsetDelete of group "$groupId" and topic $topic is $error', async (one) => {
  const { broker } = await groupBroker()
  const { groupId, topic, error } = one
  expect(await deleteOffsets(broker, groupId, [[topic, [0]]])).toEqual({ error, partitions: [] })
})
