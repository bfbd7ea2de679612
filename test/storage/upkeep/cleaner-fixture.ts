// Compacted logs on a simulated disk, and what is left of them.
import { TimeSlices } from '#storage/base/time-slices.ts'
import {
  type BatchOptions,
  buildBatch,
  buildEndTransactionMarker,
} from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import type { LogEnvironment } from '#storage/log/log-parts.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { type CleanedLog, type CleaningMeans, cleanLog } from '#storage/upkeep/clean-log.ts'
import { assessLog, type CleanableRange } from '#storage/upkeep/cleanable.ts'
import { Throttle } from '#storage/upkeep/throttle.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { environmentOn, openLog } from '../log/log-fixture.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The settings of a log that rolls with every append that is told to. */
export const COMPACTED: Partial<LogConfig> = {
  cleanupPolicy: { delete: false, compact: true },
  deleteRetentionMs: 1_000,
  indexIntervalBytes: 100,
}

/** A log and its world. */
export interface CompactedLog {
  readonly log: PartitionLog
  readonly disk: SimulatedDisk
  readonly clock: VirtualClock
  readonly environment: LogEnvironment
}

/** Opens a compacted log on a disk of its own, or on `disk`. */
export async function openCompacted(
  config: Partial<LogConfig> = {},
  disk = new SimulatedDisk(),
  clock = new VirtualClock(),
): Promise<CompactedLog> {
  const environment = environmentOn(disk, clock)
  if (!disk.status('/data')) disk.makeDirectory('/data')
  const { log } = await openLog(disk, { environment, config: { ...COMPACTED, ...config } })
  return { log, disk, clock, environment }
}

/** `k=v`, `k` for a tombstone, `=v` for a record without key; one batch. Timestamps are the log's time. */
export function keyed(texts: readonly string[], timestamp: number, options: BatchOptions = {}) {
  return buildBatch(
    texts.map((text) => {
      const [key = '', value] = text.split('=')
      return {
        key: key === '' ? null : encoder.encode(key),
        value: value === undefined ? null : encoder.encode(value),
        timestamp,
      }
    }),
    options,
  )
}

/** Appends one batch; as a coordinator, so that records without keys get in. */
export function put(
  { log, clock }: Pick<CompactedLog, 'log' | 'clock'>,
  texts: readonly string[],
  options: BatchOptions = {},
): void {
  const bytes = keyed(texts, clock.now(), options)
  log.append(bytes, { leaderEpoch: 0, origin: 'coordinator', needsDisk: false })
}

/** Ends a transaction. */
export function endTransaction(
  { log, clock }: Pick<CompactedLog, 'log' | 'clock'>,
  producerId: number,
  isCommit: boolean,
): void {
  const marker = { isCommit, producerId, producerEpoch: 0, coordinatorEpoch: 0 }
  const bytes = buildEndTransactionMarker({ ...marker, timestamp: clock.now() })
  log.append(bytes, { leaderEpoch: 0, origin: 'coordinator', needsDisk: false })
}

/** Begins a new segment, so that the one before may be cleaned: one record more. */
export function roll(
  { log, clock }: Pick<CompactedLog, 'log' | 'clock'>,
  texts: readonly string[] = ['filler=1'],
  options: BatchOptions = {},
): void {
  const before = log.config
  const bytes = keyed(texts, clock.now(), options)
  const filled = log.segments.at(-1)?.size ?? 0
  log.updateConfig({ ...before, segmentBytes: Math.max(bytes.length, filled + bytes.length - 1) })
  log.append(bytes, { leaderEpoch: 0, origin: 'coordinator', needsDisk: false })
  log.updateConfig(before)
}

/** Cleans what may be cleaned, from `checkpoint` on; `before` is done when all was flushed and nothing has begun. */
export async function clean(
  { log, environment, clock }: Pick<CompactedLog, 'log' | 'clock' | 'environment'>,
  checkpoint?: number,
  means: Partial<CleaningMeans> = {},
  before = () => {},
): Promise<CleanedLog & { range: CleanableRange }> {
  await log.flush()
  await clock.run(0)
  before()
  const range = assessLog(log, checkpoint, clock.now())
  const cleaning = log.beginCleaning()
  if (!cleaning) throw new Error('The log is being cleaned')
  try {
    const done = await cleanLog(log, cleaning, range, {
      maps: environment.maps,
      random: environment.random,
      slices: new TimeSlices(clock),
      throttle: new Throttle(clock, () => Infinity),
      now: clock.now(),
      mapBytes: 1_000_000,
      loadFactor: 0.9,
      bufferBytes: 500,
      ...means,
    })
    return { ...done, range }
  } finally {
    cleaning.end()
  }
}

/** All batches of a log, in order. */
export function batchesOf(log: PartitionLog): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (const segment of log.segments) {
    const bytes = new Uint8Array(segment.size)
    segment.withFile((file) => file.read(bytes, 0))
    for (const batch of readBatches(bytes)) batches.push(new RecordBatch(batch.bytes.slice()))
  }
  return batches
}

/** `offset:key=value` of every record that is left; markers are `offset:marker`, emptied batches `first-last:empty`. */
export function contentOf(log: PartitionLog): string[] {
  return batchesOf(log).flatMap((batch) => {
    if (!batch.isCrcValid()) throw new Error(`The batch at ${batch.baseOffset} is damaged`)
    if (batch.recordCount === 0) return `${batch.baseOffset}-${batch.lastOffset}:empty`
    return Array.from(readRecords(batch), ({ offset, key, value }) => {
      if (batch.isControl) return `${offset}:marker`
      const text = value === null ? '' : `=${decoder.decode(value)}`
      return `${offset}:${decoder.decode(key ?? new Uint8Array(0))}${text}`
    })
  })
}
