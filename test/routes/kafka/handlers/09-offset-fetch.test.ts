// OffsetFetch: one group or many, all topics or some, by name or id, in every version.
import { expect, test } from 'vitest'
import { offsetFetch } from '../../../../routes/kafka/handlers/09-offset-fetch.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import {
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '../../../../src/protocol/messages/09-offset-fetch.ts'
import { ZERO_UUID } from '../../../../storage/base/uuid.ts'
import { nameOf } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'
import { at, commit, fetchOffsets, groupBroker, OFFSET_VERSIONS } from './offset-client.ts'

const FETCH = { api: offsetFetch, request: OffsetFetchRequest, response: OffsetFetchResponse }

async function committed() {
  const simulated = await groupBroker()
  const partitions = [at(0, 5, { committedMetadata: 'm', committedLeaderEpoch: 2 })]
  await commit(simulated.broker, [{ name: 't', partitions }])
  return simulated
}

test.each(OFFSET_VERSIONS)('OffsetFetch v%i has -1 for what was not committed', async (version) => {
  const { broker, ids } = await committed()
  const topics = [
    { name: 't', partitionIndexes: [0, 1, 0] },
    { name: 'u', partitionIndexes: [0] },
  ]
  const found = `t-0: 5 ${version >= 5 ? 2 : -1} m NONE`
  expect(await fetchOffsets(broker, topics, { version, ids })).toEqual({
    error: 'NONE',
    partitions: [found, 't-1: -1 -1  NONE', found, 'u-0: -1 -1  NONE'],
  })
  expect(await fetchOffsets(broker, topics, { version, ids, groupId: 'none' })).toEqual({
    error: 'NONE',
    partitions: ['t-0', 't-1', 't-0', 'u-0'].map((at) => `${at}: -1 -1  NONE`),
  })
})

test.each(OFFSET_VERSIONS.filter((version) => version >= 2))(
  'OffsetFetch v%i of all topics has what was committed',
  async (version) => {
    const { broker, ids } = await committed()
    expect(await fetchOffsets(broker, null, { version, ids })).toEqual({
      error: 'NONE',
      partitions: [`t-0: 5 ${version >= 5 ? 2 : -1} m NONE`],
    })
    const nothing = { error: 'NONE', partitions: [] }
    expect(await fetchOffsets(broker, null, { version, ids, groupId: 'none' })).toEqual(nothing)
  },
)

test('OffsetFetch knows no unknown names, but says so of unknown ids, which come last', async () => {
  const { broker, ids } = await committed()
  const topics = ['nope', 't'].map((name) => ({ name, partitionIndexes: [0] }))
  expect(await fetchOffsets(broker, topics)).toMatchObject({
    partitions: ['nope-0: -1 -1  NONE', 't-0: 5 2 m NONE'],
  })
  const byId = topics.with(0, { name: ZERO_UUID, partitionIndexes: [0] })
  expect(await fetchOffsets(broker, byId, { version: 10, ids })).toMatchObject({
    partitions: ['t-0: 5 2 m NONE', `${ZERO_UUID}-0: -1 -1  UNKNOWN_TOPIC_ID`],
  })
})

test('OffsetFetch answers each of several groups, the same one twice too', async () => {
  const { broker } = await committed()
  await commit(broker, [{ name: 'u', partitions: [at(0, 9)] }], { groupId: 'h' })
  const groups = ['g', 'none', 'h', 'g'].map((groupId) => ({ groupId, topics: null }))
  for (const version of [8, 9, 10]) {
    const answer = await exchange(broker, FETCH, { groups }, { version })
    const found = answer?.groups.map(({ groupId, topics, errorCode }) => ({
      groupId,
      error: nameOf(errorCode),
      offsets: topics.flatMap(({ partitions }) => partitions.map((one) => one.committedOffset)),
    }))
    expect(found).toEqual([
      { groupId: 'g', error: 'NONE', offsets: [5] },
      { groupId: 'none', error: 'NONE', offsets: [] },
      { groupId: 'h', error: 'NONE', offsets: [9] },
      { groupId: 'g', error: 'NONE', offsets: [5] },
    ])
  }
  expect((await exchange(broker, FETCH, { groups: [] }, { version: 9 }))?.groups).toEqual([])
})

test.each(OFFSET_VERSIONS)(
  'OffsetFetch v%i is NOT_COORDINATOR before there is one',
  async (version) => {
    const { broker } = await simulatedBroker()
    const { topicId } = await broker.createTopic(ANONYMOUS, { name: 't' })
    const topics = [{ name: 't', partitionIndexes: [0] }]
    const ids = new Map([['t', topicId]])
    expect(await fetchOffsets(broker, topics, { version, ids })).toEqual(
      version === 1
        ? { error: 'NONE', partitions: ['t-0: -1 -1  NOT_COORDINATOR'] }
        : { error: 'NOT_COORDINATOR', partitions: [] },
    )
  },
)
