// OffsetSweeps: what expires and what does not, deleted topics, deleted groups; in batches.
import { expect, test } from 'vitest'
import type { Group } from '../../../../src/groups/group.ts'
import type { GroupRecord } from '../../../../src/groups/group-record.ts'
import { ConsumerGroupMetadataKey } from '../../../../src/protocol/records/groups/consumer-group.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { ZERO_UUID } from '../../../../storage/base/uuid.ts'
import { imageOf, OffsetShard, someGroup, topicId } from './offset-fixture.ts'

const DAY_MS = 86_400_000
const RETENTION_MS = 7 * DAY_MS
const CHECK_MS = 600_000

/** A shard that looks for expired offsets, as a broker's does. */
function loadedShard(config: Record<string, string> = {}): OffsetShard {
  const shard = new OffsetShard({ config })
  shard.offsets.loaded()
  return shard
}

const offsetsIn = (shard: OffsetShard, groupId = 'g') =>
  Array.from(shard.offsets.offsetsOf(groupId), ({ topic, partition }) => `${topic}-${partition}`)

function pendingOffset(groupId: string, partition: number): GroupRecord {
  const value = { offset: 9, leaderEpoch: -1, metadata: '', commitTimestamp: 0 }
  const key = { group: groupId, topic: 't', partition }
  return { type: 'OffsetCommit', key, value: { ...value, expireTimestamp: -1, topicId: ZERO_UUID } }
}

test('OffsetSweeps let offsets of a simple group expire by the time of their commit, and the group with the last', async () => {
  const shard = loadedShard()
  shard.commit('g', 't', 0, 1)
  await shard.clock.run(DAY_MS)
  shard.commit('g', 't', 1, 1)
  await shard.clock.run(RETENTION_MS - DAY_MS - 1)
  expect(offsetsIn(shard)).toEqual(['t-0', 't-1'])
  await shard.clock.run(CHECK_MS)
  expect(offsetsIn(shard)).toEqual(['t-1'])
  expect(shard.groups.has('g')).toBe(true)
  await shard.clock.run(DAY_MS)
  expect(offsetsIn(shard)).toEqual([])
  expect(shard.groups.has('g')).toBe(false)
  expect(shard.offsets.counters.expired).toBe(2)
  shard.load()
  expect(shard.groups.size).toBe(0)
})

test('OffsetSweeps look as often as offsets.retention.check.interval.ms says, and know offsets.retention.minutes', async () => {
  const shard = loadedShard({
    'offsets.retention.check.interval.ms': '1000',
    'offsets.retention.minutes': '1',
  })
  shard.commit('g', 't', 0, 1)
  await shard.clock.run(59_900)
  expect(offsetsIn(shard)).toEqual(['t-0'])
  await shard.clock.run(1200)
  expect(offsetsIn(shard)).toEqual([])
})

test('OffsetSweeps of shards that are loaded together look at moments of their own', async () => {
  const looks = [1, 2, 3].map(async (seed) => {
    const shard = new OffsetShard({ seed })
    shard.groups.set('g', someGroup('g', { isEmpty: true }))
    shard.offsets.loaded()
    const start = shard.clock.monotonic()
    // The first plan is that of the look for deleted topics.
    while (shard.batches.length < 2) await shard.clock.run(1000)
    return shard.clock.monotonic() - start
  })
  const times = await Promise.all(looks)
  expect(new Set(times).size).toBe(3)
  expect(Math.max(...times)).toBeLessThanOrEqual(CHECK_MS + 1000)
})

test.each<{ why: string; group: Partial<Group>; left: string[]; hasGroup: boolean }>([
  {
    why: 'keep all while the group says so',
    group: { offsetExpiration: () => undefined },
    left: ['t-0', 'u-0'],
    hasGroup: true,
  },
  {
    why: 'keep topics that members are subscribed to',
    group: { isSubscribedTo: (topic) => topic === 't' },
    left: ['t-0'],
    hasGroup: true,
  },
  {
    why: 'count from when the group says',
    group: { offsetExpiration: () => ({ baseTimestamp: () => Number.MAX_SAFE_INTEGER }) },
    left: ['t-0', 'u-0'],
    hasGroup: true,
  },
  { why: 'leave a group that has members', group: { isEmpty: false }, left: [], hasGroup: true },
  {
    why: 'remove a group that has nobody and nothing',
    group: { isEmpty: true },
    left: [],
    hasGroup: false,
  },
])('OffsetSweeps $why', async ({ group, left, hasGroup }) => {
  const shard = loadedShard()
  shard.commit('g', 't', 0, 1)
  shard.commit('g', 'u', 0, 1)
  shard.groups.set('g', someGroup('g', group))
  await shard.clock.run(RETENTION_MS + CHECK_MS)
  expect(offsetsIn(shard)).toEqual(left)
  expect(shard.groups.has('g')).toBe(hasGroup)
})

test('OffsetSweeps remove an empty group without offsets, however new it is', async () => {
  const shard = loadedShard()
  shard.groups.set('g', someGroup('g', { isEmpty: true }))
  await shard.clock.run(CHECK_MS + 10)
  expect(shard.groups.size).toBe(0)
  const [entry] = shard.log as { key: Uint8Array; value: null }[]
  expect(entry?.value).toBe(null)
  expect(ConsumerGroupMetadataKey.decode(entry?.key.subarray(2) as Uint8Array, 0)).toEqual({
    groupId: 'g',
  })
})

test.each([
  { retentionTimeMs: 1000, keptMs: 0, left: [] },
  { retentionTimeMs: RETENTION_MS * 2, keptMs: RETENTION_MS, left: ['t-0'] },
])(
  'OffsetSweeps keep an offset of its own retention of $retentionTimeMs ms for that long',
  async (one) => {
    const shard = loadedShard()
    shard.commit('g', 't', 0, 1, { retentionTimeMs: one.retentionTimeMs })
    await shard.clock.run(one.keptMs + CHECK_MS + 100)
    expect(offsetsIn(shard)).toEqual(one.left)
  },
)

test('OffsetSweeps keep what a transaction has committed to, and its group', async () => {
  const shard = loadedShard()
  shard.commit('g', 't', 0, 1)
  shard.commit('g', 't', 1, 1)
  shard.append(pendingOffset('g', 0), 77)
  shard.append(pendingOffset('h', 0), 77)
  await shard.clock.run(RETENTION_MS + CHECK_MS)
  expect(offsetsIn(shard)).toEqual(['t-0'])
  expect([...shard.groups.keys()]).toEqual(['g', 'h'])
  shard.end(77, false)
  await shard.clock.run(CHECK_MS)
  expect(shard.groups.size).toBe(0)
})

test('OffsetSweeps write a few records at a time, and let others have their turn in between', async () => {
  const shard = loadedShard()
  for (let n = 0; n < 2500; n++) shard.commit('g', 't', n, 1)
  shard.commit('h', 't', 0, 1)
  shard.batches.length = 0
  await shard.clock.run(RETENTION_MS + CHECK_MS)
  const sizes = shard.batches.map((batch) => batch.length).filter((size) => size > 0)
  // The last batch has the other group's offset, and the tombstones of both groups.
  expect(sizes).toEqual([1000, 1000, 503])
  expect(shard.offsets.size).toBe(0)
  expect(shard.groups.size).toBe(0)
})

test('OffsetSweeps look at a bounded number of offsets at a time', async () => {
  const shard = loadedShard()
  for (let n = 0; n < 30; n++) {
    for (let partition = 0; partition < 1000; partition++) shard.commit(`g${n}`, 't', partition, 1)
  }
  shard.batches.length = 0
  await shard.clock.run(CHECK_MS + 1000)
  expect(shard.batches.length).toBe(3)
  expect(shard.offsets.size).toBe(30_000)
})

test('OffsetSweeps try again later what could not be written', async () => {
  const shard = loadedShard()
  shard.commit('g', 't', 0, 1)
  shard.refusal = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The disk is full')
  await shard.clock.run(RETENTION_MS + CHECK_MS)
  expect(offsetsIn(shard)).toEqual(['t-0'])
  expect(shard.offsets.counters.expired).toBe(0)
  shard.refusal = undefined
  await shard.clock.run(CHECK_MS)
  expect(offsetsIn(shard)).toEqual([])
})

test('OffsetSweeps do nothing any more once the shard is unloaded', async () => {
  const shard = loadedShard()
  shard.commit('g', 't', 0, 1)
  shard.offsets.unloaded()
  await shard.clock.run(RETENTION_MS * 2)
  expect(offsetsIn(shard)).toEqual(['t-0'])
  expect(shard.clock.pendingTimers).toBe(0)
})

test('OffsetManager.removeTopics() forgets the offsets of deleted topics, not those of later topics of that name', async () => {
  const shard = loadedShard()
  shard.commit('g', 't', 0, 1)
  shard.commit('g', 'u', 0, 1)
  shard.commit('h', 't', 0, 1)
  shard.append(pendingOffset('h', 1), 77)
  shard.append(pendingOffset('g', 2))
  const old = shard.image
  shard.image = imageOf([
    ['t', topicId(9)],
    ['u', topicId(1)],
  ])
  shard.commit('g', 't', 1, 5)
  shard.offsets.removeTopics([{ name: 't', id: old.topic('t')?.id as string }])
  await shard.clock.run(100)
  expect(offsetsIn(shard)).toEqual(['t-1', 'u-0'])
  shard.end(77, true)
  expect(offsetsIn(shard, 'h')).toEqual([])
  expect(shard.offsets.counters.deleted).toBe(4)
})

test('OffsetSweeps forget offsets of topics that were deleted while the shard was not loaded', async () => {
  const shard = new OffsetShard()
  shard.commit('g', 't', 0, 1)
  shard.commit('g', 'u', 0, 1)
  shard.append(pendingOffset('g', 1))
  shard.image = imageOf([['u', topicId(1)]])
  shard.load().loaded()
  await shard.clock.run(100)
  // Nobody can say what the offset without a topic id was of: it stays until it expires.
  expect(offsetsIn(shard)).toEqual(['t-1', 'u-0'])
})

test('OffsetSweeps forget offsets of deleted topics even of groups that are subscribed to them, at the next look', async () => {
  const shard = loadedShard()
  shard.commit('g', 't', 0, 1)
  shard.groups.set('g', someGroup('g', { isSubscribedTo: () => true }))
  shard.image = imageOf([])
  await shard.clock.run(CHECK_MS + 10)
  expect(offsetsIn(shard)).toEqual([])
})

test('OffsetManager.deletion() removes the group and all of its offsets at once, pending ones too, and no other', () => {
  const shard = loadedShard()
  for (let n = 0; n < 2200; n++) shard.commit('g', 't', n, 1)
  shard.commit('h', 't', 0, 1)
  shard.append(pendingOffset('g', 0), 77)
  shard.append(pendingOffset('g', 5000), 77)
  shard.batches.length = 0
  const deletion = shard.offsets.deletion('g')
  // What does not fit into a batch goes into several, with nothing in between.
  expect(deletion.isDivisible).toBe(true)
  shard.write(deletion)
  expect(shard.batches.map((batch) => batch.length)).toEqual([2202])
  shard.end(77, true)
  shard.load()
  expect([...shard.groups.keys()]).toEqual(['h'])
  expect(offsetsIn(shard)).toEqual([])
  expect(offsetsIn(shard, 'h')).toEqual(['t-0'])
})

test('OffsetManager.deletion() refuses unknown groups and those with members', () => {
  const shard = loadedShard()
  expect(() => shard.offsets.deletion('g')).toThrow('does not exist')
  shard.commit('g', 't', 0, 1)
  const validateDelete = () => {
    throw new KafkaError('NON_EMPTY_GROUP', 'Group g is Stable')
  }
  shard.groups.set('g', someGroup('g', { validateDelete }))
  expect(() => shard.offsets.deletion('g')).toThrow('Group g is Stable')
  expect(shard.fetchAll('g')).toEqual({ 't-0': 1 })
})
