// What a crash in the middle of a deletion or a compaction leaves, and what becomes of it.
import { expect, test } from 'vitest'
import { segmentFileName } from '#storage/segment/segment-files.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { batchOf, DIRECTORY, openLog, readAll } from './log-fixture.ts'

type Kind = Parameters<typeof segmentFileName>[1]

/** Files of a partition directory by name: `[offset, kind, suffix]`; logs hold one record for each offset up to `to`. */
interface Left {
  readonly offset: number
  readonly kind: Kind
  readonly suffix?: '.deleted' | '.cleaned' | '.swap'
  /** Logs only: the offset behind the last record, and what its values begin with. */
  readonly to?: number
  readonly value?: string
}

const nameOf = ({ offset, kind, suffix }: Left) => segmentFileName(offset, kind) + (suffix ?? '')

function diskWith(files: readonly Left[]): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory(DIRECTORY)
  for (const left of files) {
    const file = disk.open(`${DIRECTORY}/${nameOf(left)}`, 'create')
    const { offset, to = offset, value = 'v' } = left
    if (left.kind === 'log' && to > offset) {
      const values = Array.from({ length: to - offset }, (_, index) => `${value}${offset + index}`)
      file.write(batchOf(values, { baseOffset: offset, leaderEpoch: 0 }), 0)
    }
    file.close()
  }
  return disk
}

const log = (offset: number, to: number, more: Partial<Left> = {}): Left => ({
  offset,
  kind: 'log',
  to,
  ...more,
})
const index = (offset: number, more: Partial<Left> = {}): Left => ({
  offset,
  kind: 'index',
  ...more,
})
const deleted = { suffix: '.deleted' } as const
const cleaned = { suffix: '.cleaned' } as const
const swap = { suffix: '.swap' } as const

test.each([
  {
    why: 'removes files that were to be deleted',
    files: [log(0, 2, deleted), index(0, deleted), log(2, 4)],
    records: ['2:v2', '3:v3'],
  },
  {
    why: 'removes what a compaction had not finished',
    files: [log(0, 2), log(0, 1, { ...cleaned, value: 'c' }), log(2, 4)],
    records: ['0:v0', '1:v1', '2:v2', '3:v3'],
  },
  {
    why: 'puts a swap in the place of all segments of its range, snapshots too',
    files: [
      log(0, 2),
      index(0),
      log(2, 4),
      index(2),
      { offset: 2, kind: 'snapshot' as const },
      log(0, 4, { ...swap, value: 's' }),
      index(0, swap),
      log(4, 5),
    ],
    records: ['0:s0', '1:s1', '2:s2', '3:s3', '4:v4'],
  },
  {
    why: 'finishes a swap whose segments are partly gone',
    files: [log(0, 2, deleted), log(2, 4), log(0, 4, { ...swap, value: 's' }), log(4, 5)],
    records: ['0:s0', '1:s1', '2:s2', '3:s3', '4:v4'],
  },
  {
    why: 'takes swaps beside a smaller cleaned file for half of a split',
    files: [
      log(0, 4),
      log(0, 2, { ...cleaned, value: 'c' }),
      log(2, 4, { ...swap, value: 's' }),
      log(4, 5),
    ],
    records: ['0:v0', '1:v1', '2:v2', '3:v3', '4:v4'],
  },
  {
    why: 'keeps a swap below every cleaned file, which belongs to another compaction',
    files: [
      log(0, 2),
      log(0, 2, { ...swap, value: 's' }),
      log(2, 4),
      log(2, 3, { ...cleaned, value: 'c' }),
    ],
    records: ['0:s0', '1:s1', '2:v2', '3:v3'],
  },
])('openPartitionLog() $why', async ({ files, records }) => {
  for (const hadCleanShutdown of [true, false]) {
    const disk = diskWith(files)
    const { log: opened, recovery } = await openLog(disk, { hadCleanShutdown })
    expect(readAll(opened)).toEqual(records)
    expect(recovery.cuts).toEqual([])
    const names = disk.list(DIRECTORY).map(({ name }) => name)
    expect(names.filter((name) => /\.(deleted|cleaned|swap|cut)$/.test(name))).toEqual([])
    await opened.close()
    const { log: again } = await openLog(disk, { hadCleanShutdown: true })
    expect(readAll(again)).toEqual(records)
  }
})

test('openPartitionLog() finishes a swap whenever the power goes', async () => {
  const files = [
    log(0, 2),
    index(0),
    log(2, 4),
    log(0, 4, { ...swap, value: 's' }),
    index(0, swap),
    log(4, 5),
  ]
  for (let stopAt = 1; stopAt < 12; stopAt++) {
    for (let seed = 0; seed < 40; seed++) {
      const disk = diskWith(files)
      for (const path of ['/', '/data', DIRECTORY]) disk.syncDirectoryNow(path)
      for (const left of files) disk.open(`${DIRECTORY}/${nameOf(left)}`, 'write').syncNow()
      disk.faults.stopAtChange(stopAt)
      await openLog(disk).catch(() => undefined)
      const { log: opened } = await openLog(disk.afterCrash(seed), { hadCleanShutdown: true })
      const why = `stop at change ${stopAt}, seed ${seed}`
      expect(
        opened.segments.map(({ baseOffset }) => baseOffset),
        why,
      ).toEqual([0, 4])
      expect(readAll(opened), why).toEqual(['0:s0', '1:s1', '2:s2', '3:s3', '4:v4'])
    }
  }
})
