// A cleaning that is interrupted at every one of its operations: the log that is found says the same as before.
// More: MILLRACE_SEEDS=50 (how many losses per stop; 8 otherwise).
import { expect, test } from 'vitest'
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { readRecords } from '#storage/batch/record.ts'
import { CleaningAborted } from '#storage/log/log-cleaning.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { lastSequenceOf } from '#storage/state/producer-entry.ts'
import { DIRECTORY, environmentOn, openLog, readAll } from '../storage/log/log-fixture.ts'
import {
  batchesOf,
  COMPACTED,
  type CompactedLog,
  clean,
  contentOf,
  endTransaction,
  openCompacted,
  put,
  roll,
} from '../storage/upkeep/cleaner-fixture.ts'
import { seedsToRun } from './seeds.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { MachineStopped } from './simulated-faults.ts'
import { VirtualClock } from './virtual-clock.ts'

const SEGMENT_BYTES = 700

interface Prepared extends CompactedLog {
  /** Where a cleaning begins. */
  readonly checkpoint: number
}

/**
 * A log that was cleaned once: tombstones with a horizon that has passed, a tombstone that has none, transactions, idle
 * producers, and a segment of which nothing will stay.
 */
async function prepare(seed = 1): Promise<Prepared> {
  const disk = new SimulatedDisk({ seed })
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  const compacted = await openCompacted({ segmentBytes: SEGMENT_BYTES }, disk)
  const { clock } = compacted
  put(compacted, ['a=1', 'b=1', 'gone=1'])
  put(compacted, ['c=1'], { producerId: 1, producerEpoch: 0, baseSequence: 0 })
  roll(compacted, ['gone'])
  put(compacted, ['a=2', 'd=1'])
  const first = { producerId: 2, producerEpoch: 0, baseSequence: 0, isTransactional: true }
  put(compacted, ['b=aborted'], first)
  endTransaction(compacted, 2, false)
  put(compacted, ['e=1'], { ...first, baseSequence: 1 })
  endTransaction(compacted, 2, true)
  roll(compacted, ['f=1'])
  const { firstDirtyOffset: checkpoint } = await clean(compacted)
  clock.advance(1_000)
  for (let round = 0; round < 3; round++) {
    put(compacted, ['h=1', 'c=2'], { producerId: 3, producerEpoch: 0, baseSequence: round * 2 })
    roll(compacted, [`d=${round + 2}`, `x=${'y'.repeat(round * 100)}`])
  }
  put(compacted, ['f', 'c=3'])
  roll(compacted, ['e'])
  roll(compacted, ['last=1'])
  await compacted.log.flush()
  await clock.run(60_000)
  for (const path of ['/', '/data', DIRECTORY]) disk.syncDirectoryNow(path)
  return { ...compacted, checkpoint }
}

/** What a reader makes of the log who keeps the newest value of every key. */
function newest(log: PartitionLog): Record<string, string | undefined> {
  const decoder = new TextDecoder()
  const values: Record<string, string | undefined> = {}
  const aborted = new Set(log.segments.flatMap(abortedIn))
  for (const batch of batchesOf(log)) {
    if (batch.isControl || aborted.has(batch.baseOffset)) continue
    for (const { key, value } of readRecords(batch)) {
      const name = decoder.decode(key ?? new Uint8Array(0))
      if (value === null) delete values[name]
      else values[name] = decoder.decode(value)
    }
  }
  return values
}

function abortedIn({ indexes }: PartitionLog['segments'][number]): number[] {
  const { transactions } = indexes
  const entries = Array.from({ length: transactions.entries }, (_, index) => {
    return transactions.entryAt(index).firstOffset
  })
  return entries
}

/** What of a log no cleaning may change. */
function essenceOf(log: PartitionLog) {
  const { logStartOffset, logEndOffset, highWatermark, lastStableOffset } = log
  const producers = Array.from(log.producers.producers(), (entry) => {
    return `${entry.producerId}: ${entry.epoch}, ${lastSequenceOf(entry)}`
  })
  const bounds = { logStartOffset, logEndOffset, highWatermark, lastStableOffset }
  return { newest: newest(log), bounds, producers: producers.sort() }
}

/** Opens what is left, checks it, and cleans it again. */
async function inspect(
  disk: SimulatedDisk,
  before: Awaited<ReturnType<typeof describe>>,
  why: string,
) {
  const clock = new VirtualClock(before.now)
  const environment = environmentOn(disk, clock)
  const config = { ...COMPACTED, segmentBytes: SEGMENT_BYTES }
  const settings = { environment, config, recoveryPoint: before.recoveryPoint }
  const { log, recovery } = await openLog(disk, settings)
  const compacted = { log, clock, environment }
  expect(recovery, why).toMatchObject({ cuts: [], damages: [] })
  expect(essenceOf(log), why).toEqual(before.essence)
  for (const text of contentOf(log)) {
    if (!text.endsWith('empty') && !before.content.has(text))
      throw new Error(`${text} is new: ${why}`)
  }
  const offsets = batchesOf(log).map(({ baseOffset }) => baseOffset)
  expect(
    offsets.toSorted((a, b) => a - b),
    why,
  ).toEqual(offsets)
  // As readers find it, in steps.
  expect(readAll(log, 0, 'log_end').length, why).toBeGreaterThan(6)
  const names = disk.list(DIRECTORY).map(({ name }) => name)
  expect(
    names.filter((name) => /cleaned|swap|deleted/.test(name)),
    why,
  ).toEqual([])
  await clean(compacted, before.checkpoint)
  expect(essenceOf(log), `${why}, cleaned again`).toEqual(before.essence)
  await log.close()
}

function describe({ log, clock, checkpoint }: Prepared) {
  return {
    essence: essenceOf(log),
    content: new Set(contentOf(log)),
    recoveryPoint: log.recoveryPoint,
    now: clock.now(),
    checkpoint,
  }
}

test('a cleaning survives a power loss at each of its changes', async () => {
  const seeds = seedsToRun(8)
  let stops = 0
  for (let isDone = false; !isDone; stops++) {
    const prepared = await prepare()
    const before = describe(prepared)
    const { disk } = prepared
    disk.faults.stopAtChange(stops + 1)
    isDone = await clean(prepared, prepared.checkpoint).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof MachineStopped)) throw error
        return false
      },
    )
    await inspect(disk.afterKill(), before, `killed at change ${stops + 1}`)
    for (const seed of seeds) {
      const why = `power lost at change ${stops + 1}, seed ${seed}`
      await inspect(disk.afterCrash(seed * 1000 + stops), before, why)
    }
  }
  expect(stops).toBeGreaterThan(60)
}, 120_000)

test.each(['EIO', 'ENOSPC', 'EMFILE'])(
  'a cleaning survives %s at each of its operations',
  async (code) => {
    let failures = 0
    for (let at = 1, isDone = false; !isDone; at++) {
      const prepared = await prepare()
      const before = describe(prepared)
      const { disk, log, clock } = prepared
      disk.fail({ at, code })
      const outcome = clean(prepared, prepared.checkpoint).catch((error: unknown) => error)
      for (let turn = 0; turn < 10; turn++) await clock.run(100)
      const error = await outcome
      const why = `${code} at operation ${at}`
      if (error instanceof Error) {
        failures++
        const isExpected =
          error instanceof KafkaError ||
          error instanceof StorageFault ||
          error instanceof CleaningAborted ||
          String(error).includes(code)
        if (!isExpected) throw new Error(`${error}: ${why}`, { cause: error })
      } else isDone = disk.faults.counts.size > 0 && at > 150
      disk.faults.heal()
      if (!log.fault && code !== 'EIO') {
        expect(essenceOf(log), `${why}, going on`).toEqual(before.essence)
        put(prepared, ['a=2'])
        before.content.add(`${before.essence.bounds.logEndOffset}:a=2`)
        before.essence.bounds = { ...before.essence.bounds, ...essenceOf(log).bounds }
        await log.flush()
        await clean(prepared, prepared.checkpoint)
        expect(essenceOf(log), `${why}, cleaned again`).toEqual(before.essence)
      }
      await inspect(disk.afterKill(), before, why)
      await inspect(disk.afterCrash(at), before, `${why}, and the power lost`)
    }
    expect(failures).toBeGreaterThan(60)
  },
  120_000,
)
