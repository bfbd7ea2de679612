// OffsetManager: the rules of commits, fetches and deletions, and what replay makes of records.
import { expect, test } from 'vitest'
import type { GroupRecordOf } from '../../../../src/groups/group-record.ts'
import type { OffsetToCommit } from '../../../../src/groups/offsets/offset-calls.ts'
import { KafkaError, type KafkaErrorName } from '../../../../storage/base/errors.ts'
import { ZERO_UUID } from '../../../../storage/base/uuid.ts'
import { imageOf, OffsetShard, someGroup, TOOL, topicId } from './offset-fixture.ts'

const refuse = (code: KafkaErrorName) => () => {
  throw new KafkaError(code, code)
}

function commitRecord(
  partition: number,
  more: Partial<NonNullable<GroupRecordOf<'OffsetCommit'>['value']>> = {},
): GroupRecordOf<'OffsetCommit'> {
  const value = { offset: 1, leaderEpoch: -1, metadata: '', topicId: ZERO_UUID, ...more }
  const times = { commitTimestamp: 5, expireTimestamp: -1, ...more }
  return {
    type: 'OffsetCommit',
    key: { group: 'g', topic: 't', partition },
    value: { ...value, ...times },
  }
}

const tombstone = (partition: number): GroupRecordOf<'OffsetCommit'> => ({
  ...commitRecord(partition),
  value: null,
})

const offset = (partition: number, more: Partial<OffsetToCommit> = {}): OffsetToCommit => ({
  partition,
  offset: 1,
  leaderEpoch: -1,
  metadata: null,
  ...more,
})

function commitOf(shard: OffsetShard, partitions: readonly OffsetToCommit[], more: object = {}) {
  const topics = [{ topic: 't', topicId: topicId(0), partitions }]
  const request = { groupId: 'g', client: TOOL, retentionTimeMs: -1, topics, ...more }
  return shard.offsets.commit(request)
}

test('OffsetManager.commit() keeps offset, epoch, metadata, topic id and the time', () => {
  const shard = new OffsetShard()
  shard.write(commitOf(shard, [offset(0, { offset: 2 ** 40, leaderEpoch: 7, metadata: 'é' })]))
  const expected = {
    topic: 't',
    partition: 0,
    offset: 2 ** 40,
    leaderEpoch: 7,
    metadata: 'é',
    topicId: topicId(0),
    commitTimestamp: shard.clock.now(),
    expireTimestamp: -1,
    recordOffset: 0,
  }
  expect([...shard.offsets.offsetsOf('g')]).toEqual([expected])
  expect([...shard.load().offsetsOf('g')]).toEqual([expected])
})

test('OffsetManager.commit() changes nothing before its records are replayed', () => {
  const shard = new OffsetShard()
  commitOf(shard, [offset(0)])
  expect(shard.offsets.hasOffsets('g')).toBe(false)
  expect(shard.groups.size).toBe(0)
  expect(shard.offsets.counters.committed).toBe(0)
})

test('OffsetManager.commit() makes a simple group of a group that nobody knows', () => {
  const shard = new OffsetShard()
  shard.write(commitOf(shard, [offset(0)]))
  const { type, state, protocolType } = shard.groups.get('g') ?? {}
  expect({ type, state, protocolType }).toEqual({
    type: 'classic',
    state: 'Empty',
    protocolType: '',
  })
})

test.each([
  { why: 'a generation, before v9', generation: 0, version: 8, error: 'ILLEGAL_GENERATION' },
  { why: 'a generation, from v9 on', generation: 0, version: 9, error: 'GROUP_ID_NOT_FOUND' },
  { why: 'no generation', generation: -1, version: 9, error: undefined },
])('OffsetManager.commit() for an unknown group with $why: $error', (one) => {
  const shard = new OffsetShard()
  const { generation: generationIdOrMemberEpoch, version } = one
  const client = { ...TOOL, memberId: 'm', generationIdOrMemberEpoch, version }
  const call = () => commitOf(shard, [offset(0)], { client })
  if (one.error === undefined) expect(call().records).toHaveLength(1)
  else expect(call).toThrow(expect.objectContaining({ code: one.error }))
})

test.each(['UNKNOWN_MEMBER_ID', 'STALE_MEMBER_EPOCH', 'REBALANCE_IN_PROGRESS'] as const)(
  'OffsetManager.commit() lets the group refuse with %s',
  (code) => {
    const shard = new OffsetShard()
    shard.groups.set('g', someGroup('g', { validateCommit: refuse(code) }))
    expect(() => commitOf(shard, [offset(0)])).toThrow(expect.objectContaining({ code }))
  },
)

test('OffsetManager.commit() refuses all when one partition was assigned after the epoch of the commit', () => {
  const shard = new OffsetShard()
  const asked: [string, number][] = []
  const check = (id: string, partition: number) => {
    asked.push([id, partition])
    if (partition === 1) refuse('STALE_MEMBER_EPOCH')()
  }
  shard.groups.set('g', someGroup('g', { validateCommit: () => check }))
  expect(commitOf(shard, [offset(0), offset(2)]).records).toHaveLength(2)
  expect(() => commitOf(shard, [offset(0), offset(1)])).toThrow('STALE_MEMBER_EPOCH')
  expect(asked).toEqual([0, 2, 0, 1].map((partition) => [topicId(0), partition]))
})

test.each([
  { units: 'x', error: undefined },
  { units: 'é', error: undefined },
  { units: 'xx', error: 'OFFSET_METADATA_TOO_LARGE' },
])(
  'OffsetManager.commit() counts the characters of metadata: 2048 of "$units" each',
  ({ units, error }) => {
    const shard = new OffsetShard({ config: { 'offset.metadata.max.bytes': '2048' } })
    const plan = commitOf(shard, [offset(0, { metadata: units.repeat(2048) }), offset(1)])
    const topics = plan.answer as unknown as { partitions: unknown[] }[]
    expect(topics[0]?.partitions).toEqual([
      { partition: 0, error },
      { partition: 1, error: undefined },
    ])
    expect(plan.records).toHaveLength(error ? 1 : 2)
  },
)

test('OffsetManager.commit() stores negative offsets, and of one partition the last offset', () => {
  const shard = new OffsetShard()
  shard.write(commitOf(shard, [offset(0, { offset: 5 }), offset(0, { offset: -3 })]))
  expect(shard.fetchAll('g')).toEqual({ 't-0': -3 })
  expect(shard.offsets.counters.committed).toBe(2)
})

test.each([60_000, 0, -7])(
  'OffsetManager.commit() gives the offset an expiry for a retention of %i ms, in the record of v1',
  (retentionTimeMs) => {
    const shard = new OffsetShard()
    shard.write(commitOf(shard, [offset(0, { leaderEpoch: 4 })], { retentionTimeMs }))
    const live = [...shard.offsets.offsetsOf('g')]
    expect(live[0]).toMatchObject({
      expireTimestamp: shard.clock.now() + retentionTimeMs,
      leaderEpoch: -1,
      topicId: ZERO_UUID,
    })
    const entry = shard.log[0] as { value: Uint8Array }
    expect(entry.value.subarray(0, 2)).toEqual(Uint8Array.of(0, 1))
    expect([...shard.load().offsetsOf('g')]).toEqual(live)
  },
)

test('OffsetManager counts nothing that could not be written', () => {
  const shard = new OffsetShard()
  shard.refusal = new KafkaError('NOT_COORDINATOR', 'gone')
  expect(() => shard.write(commitOf(shard, [offset(0)]))).toThrow('gone')
  expect(shard.offsets.counters).toEqual({ committed: 0, expired: 0, deleted: 0 })
})

const NOTHING = { offset: -1, leaderEpoch: -1, metadata: '', error: undefined }

test('OffsetManager.fetch() gives -1 without an error for what has no offset', () => {
  const shard = new OffsetShard()
  shard.write(commitOf(shard, [offset(0, { offset: 8, leaderEpoch: 2, metadata: 'm' })]))
  const topics = [
    { topic: 't', topicId: topicId(0), partitions: [0, 1, 0] },
    { topic: 'nope', topicId: ZERO_UUID, partitions: [0] },
  ]
  const found = { partition: 0, offset: 8, leaderEpoch: 2, metadata: 'm', error: undefined }
  const nothing = (partition: number) => ({ partition, ...NOTHING })
  const query = { client: TOOL, topics, requireStable: false }
  expect(shard.offsets.fetch({ ...query, groupId: 'g' })).toEqual({
    records: [],
    answer: [
      { ...topics[0], partitions: [found, nothing(1), found] },
      { ...topics[1], partitions: [nothing(0)] },
    ],
  })
  expect(shard.offsets.fetch({ ...query, groupId: 'unknown' }).answer).toEqual([
    { ...topics[0], partitions: [nothing(0), nothing(1), nothing(0)] },
    { ...topics[1], partitions: [nothing(0)] },
  ])
  expect(shard.fetchAll('unknown')).toEqual({})
})

test('OffsetManager.fetch() lets the group refuse', () => {
  const shard = new OffsetShard()
  shard.groups.set('g', someGroup('g', { validateFetch: refuse('STALE_MEMBER_EPOCH') }))
  expect(() => shard.fetchAll('g')).toThrow('STALE_MEMBER_EPOCH')
})

test.each([
  { why: 'the offset of the topic', stored: topicId(0), asked: topicId(0), offset: 1 },
  { why: 'none of another topic', stored: topicId(5), asked: topicId(0), offset: -1 },
  { why: 'an offset without a topic id', stored: ZERO_UUID, asked: topicId(0), offset: 1 },
  { why: 'any offset when no id is asked', stored: topicId(5), asked: ZERO_UUID, offset: 1 },
])('OffsetManager.fetch() finds $why', ({ stored, asked, offset: expected }) => {
  const shard = new OffsetShard()
  shard.append(commitRecord(0, { topicId: stored }))
  const topics = [{ topic: 't', topicId: asked, partitions: [0] }]
  const plan = shard.offsets.fetch({ groupId: 'g', client: TOOL, topics, requireStable: false })
  expect(plan.answer).toMatchObject([{ partitions: [{ partition: 0, offset: expected }] }])
})

test('OffsetManager.fetch() of all leaves out what belonged to topics that are gone', () => {
  const shard = new OffsetShard()
  shard.append(commitRecord(0, { topicId: topicId(5) }))
  shard.append(commitRecord(1, { topicId: topicId(0) }))
  shard.append(commitRecord(2))
  expect(shard.fetchAll('g')).toEqual({ 't-1': 1, 't-2': 1 })
  shard.image = imageOf([])
  expect(shard.fetchAll('g')).toEqual({})
})

test('OffsetManager.fetch() refuses what a transaction may still change, when only stable offsets will do', () => {
  const shard = new OffsetShard()
  shard.append(commitRecord(0))
  shard.append(commitRecord(1))
  shard.append(commitRecord(1, { offset: 9 }), 77)
  shard.append(commitRecord(2, { offset: 9 }), 77)
  expect(shard.fetchAll('g', false)).toEqual({ 't-0': 1, 't-1': 1 })
  expect(shard.fetchAll('g', true)).toEqual({ 't-0': 1, 't-1': 'UNSTABLE_OFFSET_COMMIT' })
  const topics = [{ topic: 't', topicId: ZERO_UUID, partitions: [2, 3] }]
  const query = { groupId: 'g', client: TOOL, topics, requireStable: true }
  const partitions = [
    { ...NOTHING, partition: 2, error: 'UNSTABLE_OFFSET_COMMIT' },
    { ...NOTHING, partition: 3 },
  ]
  expect(shard.offsets.fetch(query).answer).toMatchObject([{ partitions }])
  shard.end(77, true)
  expect(shard.fetchAll('g', true)).toEqual({ 't-0': 1, 't-1': 9, 't-2': 9 })
})

test('OffsetManager.delete() forgets offsets, pending ones too, and has an outcome for each partition', () => {
  const shard = new OffsetShard()
  shard.append(commitRecord(0))
  shard.append(commitRecord(1), 77)
  const topics = [{ topic: 't', topicId: topicId(0), partitions: [0, 1, 2] }]
  const plan = shard.offsets.delete({ groupId: 'g', topics })
  expect(plan.records).toEqual([tombstone(0), tombstone(1)])
  expect(plan.answer).toMatchObject([
    { partitions: [0, 1, 2].map((partition) => ({ partition, error: undefined })) },
  ])
  shard.write(plan)
  shard.end(77, true)
  expect(shard.fetchAll('g')).toEqual({})
  expect(shard.offsets.counters.deleted).toBe(2)
  expect(shard.groups.has('g')).toBe(true)
})

test('OffsetManager.delete() refuses topics that members are subscribed to', () => {
  const shard = new OffsetShard()
  shard.commit('g', 't', 0, 1)
  shard.commit('g', 'u', 0, 1)
  shard.groups.set('g', someGroup('g', { isSubscribedTo: (topic) => topic === 't' }))
  const topics = ['t', 'u'].map((topic) => ({ topic, topicId: ZERO_UUID, partitions: [0] }))
  const plan = shard.offsets.delete({ groupId: 'g', topics })
  expect(plan.answer).toMatchObject([
    { topic: 't', partitions: [{ partition: 0, error: 'GROUP_SUBSCRIBED_TO_TOPIC' }] },
    { topic: 'u', partitions: [{ partition: 0, error: undefined }] },
  ])
  shard.write(plan)
  expect([...shard.offsets.offsetsOf('g')]).toMatchObject([{ topic: 't' }])
})

test('OffsetManager.delete() refuses unknown groups, and lets the group refuse', () => {
  const shard = new OffsetShard()
  const call = () => shard.offsets.delete({ groupId: 'g', topics: [] })
  expect(call).toThrow(expect.objectContaining({ code: 'GROUP_ID_NOT_FOUND' }))
  shard.groups.set('g', someGroup('g', { validateOffsetDelete: refuse('NON_EMPTY_GROUP') }))
  expect(call).toThrow('NON_EMPTY_GROUP')
})

test.each([
  { why: 'a commit counts at once when it is in no transaction', ended: undefined, offset: 2 },
  {
    why: 'a committed transaction counts where its record is the newer one',
    ended: true,
    offset: 2,
  },
])('OffsetManager.replay(): $why', ({ ended, offset: expected }) => {
  const shard = new OffsetShard()
  shard.append(commitRecord(0))
  shard.append(commitRecord(0, { offset: 2 }), ended === undefined ? -1 : 77)
  if (ended !== undefined) shard.end(77, ended)
  expect(shard.fetchAll('g')).toEqual({ 't-0': expected })
})

test('OffsetManager.endTransaction() keeps a later commit, drops aborted ones, and touches no other transaction', () => {
  const shard = new OffsetShard()
  shard.append(commitRecord(0, { offset: 10 }), 77)
  shard.append(commitRecord(1, { offset: 11 }), 77)
  shard.append(commitRecord(2, { offset: 12 }), 78)
  shard.append(commitRecord(0, { offset: 20 }))
  shard.end(99, true)
  shard.end(77, true)
  expect(shard.fetchAll('g')).toEqual({ 't-0': 20, 't-1': 11 })
  expect(shard.fetchAll('g', true)).toEqual({ 't-0': 20, 't-1': 11 })
  shard.end(78, false)
  expect(shard.fetchAll('g', true)).toEqual({ 't-0': 20, 't-1': 11 })
  shard.append(commitRecord(2, { offset: 13 }), 78)
  shard.end(78, true)
  expect(shard.fetchAll('g')).toEqual({ 't-0': 20, 't-1': 11, 't-2': 13 })
  expect(shard.offsets.size).toBe(3)
})

test('OffsetManager.fetch() waits for every transaction that has committed to the partition', () => {
  const shard = new OffsetShard()
  shard.append(commitRecord(0))
  shard.append(commitRecord(0, { offset: 2 }), 77)
  shard.append(commitRecord(0, { offset: 3 }), 78)
  shard.append(commitRecord(0, { offset: 4 }), 78)
  shard.end(78, true)
  expect(shard.fetchAll('g', true)).toEqual({ 't-0': 'UNSTABLE_OFFSET_COMMIT' })
  shard.end(77, true)
  expect(shard.fetchAll('g', true)).toEqual({ 't-0': 4 })
})

test('OffsetManager.replay() takes producer ids beyond 2^53, and forgets the pending offset of every transaction', () => {
  const shard = new OffsetShard()
  for (const producerId of [2n ** 60n, 2n ** 60n + 1n]) shard.append(commitRecord(0), producerId)
  shard.append(tombstone(0))
  expect(shard.fetchAll('g', true)).toEqual({})
  shard.append(commitRecord(1), 2n ** 60n)
  shard.end(2n ** 60n + 1n, true)
  expect(shard.fetchAll('g')).toEqual({})
  shard.end(2n ** 60n, true)
  expect(shard.fetchAll('g')).toEqual({ 't-1': 1 })
})

test.each([0, 1, 2, 3, 4])('OffsetManager.replay() reads values of version %i', (version) => {
  const shard = new OffsetShard()
  const value = {
    offset: 5,
    leaderEpoch: 3,
    metadata: 'm',
    commitTimestamp: 9,
    topicId: topicId(3),
  }
  shard.append({ ...commitRecord(0, { ...value, expireTimestamp: 44 }), version })
  expect([...shard.load().offsetsOf('g')]).toEqual([
    {
      ...value,
      topic: 't',
      partition: 0,
      recordOffset: 0,
      leaderEpoch: version >= 3 ? 3 : -1,
      expireTimestamp: version === 1 ? 44 : -1,
      topicId: version === 4 ? topicId(3) : ZERO_UUID,
    },
  ])
})

test('OffsetManager.replay() reads legacy keys, and tombstones of what it does not know', () => {
  const shard = new OffsetShard()
  shard.append(tombstone(3))
  shard.append(commitRecord(0))
  const entry = shard.log[1] as { key: Uint8Array }
  entry.key[1] = 0
  expect([...shard.load().offsetsOf('g')]).toMatchObject([{ topic: 't', partition: 0, offset: 1 }])
})

test('OffsetManager.size is the number of committed offsets', () => {
  const shard = new OffsetShard()
  shard.write(commitOf(shard, [offset(0), offset(1), offset(1)]))
  shard.append(commitRecord(5), 77)
  expect(shard.offsets.size).toBe(2)
  shard.append(tombstone(0))
  expect(shard.offsets.size).toBe(1)
  shard.image = imageOf([])
  expect(shard.offsets.size).toBe(1)
})
