// OffsetCommit: outcomes of partitions in every version, as Kafka 4.3.1 gives them.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import { ZERO_UUID } from '../../../../storage/base/uuid.ts'
import { simulatedBroker } from './exchange.ts'
import { at, commit, fetchOffsets, groupBroker, OFFSET_VERSIONS } from './offset-client.ts'

const COMMIT_VERSIONS = OFFSET_VERSIONS.filter((version) => version >= 2)

test.each(COMMIT_VERSIONS)('OffsetCommit v%i is there for the next fetch', async (version) => {
  const { broker, ids } = await groupBroker()
  const epoch = version >= 6 ? { committedLeaderEpoch: 4 } : {}
  const partitions = [at(0, 11, { ...epoch, committedMetadata: 'm' }), at(2, 2 ** 40)]
  const outcomes = await commit(broker, [{ name: 't', partitions }], { version, ids })
  expect(outcomes).toEqual(['t-0: NONE', 't-2: NONE'])
  expect(await fetchOffsets(broker, null)).toEqual({
    error: 'NONE',
    partitions: [`t-0: 11 ${version >= 6 ? 4 : -1} m NONE`, `t-2: ${2 ** 40} -1  NONE`],
  })
})

test.each(COMMIT_VERSIONS)(
  'OffsetCommit v%i refuses topics and partitions that do not exist, first and by themselves',
  async (version) => {
    const { broker, ids } = await groupBroker()
    const topics = [
      { name: 't', partitions: [at(0, 1), at(9, 1)] },
      { name: ZERO_UUID, partitions: [at(0, 1)] },
      { name: 't', partitions: [at(1, 1), at(3, 1)] },
      { name: 'u', partitions: [] },
    ]
    const unknown = version >= 10 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
    expect(await commit(broker, topics, { version, ids })).toEqual([
      't-9: UNKNOWN_TOPIC_OR_PARTITION',
      't-3: UNKNOWN_TOPIC_OR_PARTITION',
      't-0: NONE',
      't-1: NONE',
      `${ZERO_UUID}-0: ${unknown}`,
    ])
  },
)

test.each([
  { version: 8, error: 'ILLEGAL_GENERATION' },
  { version: 9, error: 'GROUP_ID_NOT_FOUND' },
  { version: 10, error: 'GROUP_ID_NOT_FOUND' },
])('OffsetCommit v$version of a member of no group is $error', async ({ version, error }) => {
  const { broker, ids } = await groupBroker()
  const topics = [{ name: 't', partitions: [at(0, 1), at(9, 1)] }]
  const outcomes = await commit(broker, topics, { version, ids, memberId: 'm', generation: 3 })
  expect(outcomes).toEqual(['t-9: UNKNOWN_TOPIC_OR_PARTITION', `t-0: ${error}`])
})

test('OffsetCommit refuses long metadata alone, takes null for none, and negative offsets', async () => {
  const { broker } = await groupBroker()
  const partitions = [
    at(0, 1, { committedMetadata: 'x'.repeat(4097) }),
    at(1, -5, { committedMetadata: 'é'.repeat(4096) }),
    at(2, 3, { committedMetadata: null }),
  ]
  expect(await commit(broker, [{ name: 't', partitions }])).toEqual([
    't-0: OFFSET_METADATA_TOO_LARGE',
    't-1: NONE',
    't-2: NONE',
  ])
  const { partitions: found } = await fetchOffsets(broker, null)
  expect(found).toEqual([`t-1: -5 -1 ${'é'.repeat(4096)} NONE`, 't-2: 3 -1  NONE'])
})

test('OffsetCommit takes the empty group id, and answers nothing to nothing', async () => {
  const { broker } = await groupBroker()
  const topics = [{ name: 't', partitions: [at(0, 7)] }]
  expect(await commit(broker, topics, { groupId: '' })).toEqual(['t-0: NONE'])
  const { partitions } = await fetchOffsets(broker, null, { groupId: '' })
  expect(partitions).toEqual(['t-0: 7 -1  NONE'])
  expect(await commit(broker, [], { groupId: 'new' })).toEqual([])
})

test('OffsetCommit is NOT_COORDINATOR before there is one, for what exists', async () => {
  const { broker } = await simulatedBroker()
  await broker.createTopic(ANONYMOUS, { name: 't' })
  const topics = ['t', 'nope'].map((name) => ({ name, partitions: [at(0, 1)] }))
  expect(await commit(broker, topics)).toEqual([
    'nope-0: UNKNOWN_TOPIC_OR_PARTITION',
    't-0: NOT_COORDINATOR',
  ])
  expect(await commit(broker, topics.slice(1))).toEqual(['nope-0: UNKNOWN_TOPIC_OR_PARTITION'])
})

test('OffsetCommit before v5 has a retention of its own', async () => {
  const { broker, clock } = await groupBroker()
  await commit(broker, [{ name: 't', partitions: [at(0, 1)] }], { version: 2, retentionTimeMs: 1 })
  await commit(broker, [{ name: 't', partitions: [at(1, 1)] }], { version: 5 })
  await clock.run(600_100)
  const { partitions } = await fetchOffsets(broker, null)
  expect(partitions).toEqual(['t-1: 1 -1  NONE'])
})

test('OffsetCommit survives a restart', async () => {
  const { broker, disk } = await groupBroker()
  await commit(broker, [{ name: 't', partitions: [at(0, 5, { committedMetadata: 'm' })] }])
  const next = await simulatedBroker({ disk: disk.afterKill() })
  await next.clock.run(1000)
  expect(await fetchOffsets(next.broker, null)).toEqual({
    error: 'NONE',
    partitions: ['t-0: 5 -1 m NONE'],
  })
})

test('OffsetCommit of a topic that is deleted and made anew is forgotten', async () => {
  const { broker, clock, ids } = await groupBroker()
  await commit(broker, [
    { name: 't', partitions: [at(0, 5)] },
    { name: 'u', partitions: [at(0, 6)] },
  ])
  await broker.deleteTopic(ANONYMOUS, 't')
  await broker.createTopic(ANONYMOUS, { name: 't', partitionCount: 3 })
  const asked = [{ name: 't', partitionIndexes: [0] }]
  expect(await fetchOffsets(broker, asked)).toMatchObject({ partitions: ['t-0: -1 -1  NONE'] })
  expect(await fetchOffsets(broker, asked, { version: 10, ids })).toMatchObject({
    partitions: ['t-0: -1 -1  UNKNOWN_TOPIC_ID'],
  })
  await clock.run(1000)
  expect(await fetchOffsets(broker, null)).toMatchObject({ partitions: ['u-0: 6 -1  NONE'] })
})
