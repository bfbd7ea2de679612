// Long polls: who looks when, and what ten thousand of them cost while nothing happens.
import { expect, test } from 'vitest'
import { FetchPurgatory, type FetchWait } from '#src/partitions/fetch-purgatory.ts'
import { Partition } from '#src/partitions/partition.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'
import { openLog } from '../../storage/log/log-fixture.ts'

const POSITION = { offset: 0, maxBytes: 1_000_000, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }
const WAIT: FetchWait = { waitMs: 500, minBytes: 1, isolation: 'read_uncommitted' }

async function partitions(count: number): Promise<Partition[]> {
  const disk = new SimulatedDisk()
  const opened: Partition[] = []
  for (let n = 0; n < count; n++) {
    const { log } = await openLog(disk, { directory: `/data/orders-${n}` })
    opened.push(new Partition(log, 0))
  }
  return opened
}

function append(partition: Partition | undefined, needsDisk = false): number {
  const bytes = buildBatch([{ value: new Uint8Array(10), timestamp: 1_704_067_200_000 }])
  partition?.append(bytes, { needsDisk })
  return bytes.length
}

/** A wait, and whether it has ended. */
function waiting(
  purgatory: FetchPurgatory,
  watched: readonly Partition[],
  wait: Partial<FetchWait> = {},
) {
  const positions = watched.map((partition) => ({
    partition,
    position: { ...POSITION, offset: partition.log.logEndOffset },
  }))
  const state = { isDone: false }
  void purgatory.wait(positions, { ...WAIT, ...wait }).then(() => {
    state.isDone = true
  })
  return state
}

test('Ten thousand idle long polls hold one timer, and an append makes look only those who wait for it', async () => {
  const clock = new VirtualClock()
  const purgatory = new FetchPurgatory(clock)
  const watched = await partitions(100)
  const polls = Array.from({ length: 10_000 }, (_, n) =>
    waiting(purgatory, [watched[n % 100] as Partition, watched[(n + 1) % 100] as Partition]),
  )
  expect(clock.pendingTimers).toBe(1)
  expect(purgatory.stats).toEqual({ waiting: 10_000, looks: 0 })
  await clock.run(400)
  expect(purgatory.stats).toEqual({ waiting: 10_000, looks: 0 })

  append(watched[7])
  await settle()
  expect(purgatory.stats).toEqual({ waiting: 9_800, looks: 200 })
  expect(polls.filter(({ isDone }) => isDone)).toHaveLength(200)

  await clock.run(105)
  expect(purgatory.stats).toEqual({ waiting: 0, looks: 200 })
  expect(clock.pendingTimers).toBe(0)
  // Nobody is left behind in the partitions.
  for (const partition of watched) append(partition)
  expect(purgatory.stats.looks).toBe(200)
})

test('A wait for more bytes than came goes on, and ends with the append that brings them', async () => {
  const purgatory = new FetchPurgatory(new VirtualClock())
  const [left, right] = await partitions(2)
  const size = append(left)
  const poll = waiting(purgatory, [left, right] as Partition[], { minBytes: 3 * size })
  append(left)
  append(right)
  await settle()
  expect(poll.isDone).toBe(false)
  append(left)
  await settle()
  expect(poll.isDone).toBe(true)
})

test('Bytes beyond what a partition may give do not count', async () => {
  const purgatory = new FetchPurgatory(new VirtualClock())
  const [left, right] = (await partitions(2)) as [Partition, Partition]
  const limited = { ...POSITION, maxBytes: 10 }
  const positions = [left, right].map((partition) => ({ partition, position: limited }))
  let isDone = false
  void purgatory.wait(positions, { ...WAIT, minBytes: 20 }).then(() => {
    isDone = true
  })
  append(left)
  append(left)
  await settle()
  expect(isDone).toBe(false)
  append(right)
  await settle()
  expect(isDone).toBe(true)
})

test.each<{ why: string; cause: (partition: Partition) => void }>([
  { why: 'the partition is removed', cause: (partition) => partition.close() },
  { why: 'the log start passes the offset', cause: ({ log }) => log.deleteRecordsBefore(1) },
  { why: 'the log is cut below the offset', cause: ({ log }) => log.truncateTo(0) },
])('A wait ends when $why', async ({ cause }) => {
  const purgatory = new FetchPurgatory(new VirtualClock())
  const [partition] = (await partitions(1)) as [Partition]
  append(partition)
  const positions = [{ partition, position: { ...POSITION, offset: 1 } }]
  const early = [{ partition, position: POSITION }]
  let isDone = false
  const done = () => {
    isDone = true
  }
  const at = cause.toString().includes('deleteRecordsBefore') ? early : positions
  void purgatory.wait(at, { ...WAIT, minBytes: 100_000 }).then(done)
  await settle()
  expect(isDone).toBe(false)
  cause(partition)
  await settle()
  expect(isDone).toBe(true)
})

test('A new leader epoch ends the waits of those who know an older one, and of nobody else', async () => {
  const purgatory = new FetchPurgatory(new VirtualClock())
  const [partition] = (await partitions(1)) as [Partition]
  const ended: number[] = []
  for (const currentLeaderEpoch of [0, -1]) {
    const position = { ...POSITION, currentLeaderEpoch }
    void purgatory.wait([{ partition, position }], WAIT).then(() => ended.push(currentLeaderEpoch))
  }
  partition.raiseLeaderEpoch(1)
  await settle()
  expect(ended).toEqual([0])
})

test('What came between the read and the wait ends the wait at once', async () => {
  const purgatory = new FetchPurgatory(new VirtualClock())
  const [partition] = (await partitions(1)) as [Partition]
  append(partition)
  await purgatory.wait([{ partition, position: POSITION }], WAIT)
  expect(purgatory.stats.waiting).toBe(0)
})

test('A batch that waits for the disk ends no wait before it is visible', async () => {
  const purgatory = new FetchPurgatory(new VirtualClock())
  const [partition] = (await partitions(1)) as [Partition]
  const poll = waiting(purgatory, [partition])
  append(partition, true)
  expect(purgatory.stats.waiting).toBe(1)
  await partition.log.whenCommitted(0)
  await settle()
  expect(poll.isDone).toBe(true)
})

test('A closed purgatory lets everybody go and keeps no timer', async () => {
  const clock = new VirtualClock()
  const purgatory = new FetchPurgatory(clock)
  const watched = await partitions(1)
  const polls = [waiting(purgatory, watched), waiting(purgatory, watched)]
  purgatory.close()
  await settle()
  expect(polls.map(({ isDone }) => isDone)).toEqual([true, true])
  expect(clock.pendingTimers).toBe(0)
})
