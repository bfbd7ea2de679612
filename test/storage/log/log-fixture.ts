// Logs on a simulated disk, for tests.
import { type BatchOptions, buildBatch } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import type { Files } from '#storage/fs/files.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import type { LogEnvironment } from '#storage/log/log-parts.ts'
import { type OpenedLog, openPartitionLog } from '#storage/log/open-log.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import type { UnflushedBytes } from '#storage/log/unflushed-bytes.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

/** Where `openLog` keeps its partition. */
export const DIRECTORY = '/data/orders-0'

/** Everything a log needs of the world, on `files`. */
export function environmentOn(files: Files, clock = new VirtualClock()): LogEnvironment {
  return {
    files,
    clock,
    random: new SeededRandom(1),
    pool: new FilePool(files, 100),
    maps: new MapCache(files, { maxMaps: 10, maxBytes: 1 << 30 }),
    buffers: new ReadBufferPool(),
    indexCache: new IndexCache(),
  }
}

/** What a test may choose when it opens a log. */
export interface OpenSettings {
  readonly clock?: VirtualClock
  readonly config?: Partial<LogConfig>
  readonly hadCleanShutdown?: boolean
  readonly recoveryPoint?: number
  readonly logStartOffset?: number
  readonly highWatermark?: number
  readonly onFault?: (fault: Error) => void
  readonly directory?: string
  readonly unflushed?: UnflushedBytes
  readonly environment?: LogEnvironment
}

/** Opens the log of partition `orders-0` on `files`. */
export function openLog(files: Files, settings: OpenSettings = {}): Promise<OpenedLog> {
  return openPartitionLog({
    environment: settings.environment ?? environmentOn(files, settings.clock),
    observer: {
      onFault: settings.onFault ?? (() => undefined),
      ...(settings.unflushed && { unflushed: settings.unflushed }),
    },
    directory: settings.directory ?? DIRECTORY,
    topicPartition: { topic: 'orders', partition: 0 },
    topicId: 'AAAAAAAAAAAAAAAAAAAAAg',
    config: { ...DEFAULT_LOG_CONFIG, ...settings.config },
    hadCleanShutdown: settings.hadCleanShutdown ?? false,
    recoveryPoint: settings.recoveryPoint ?? 0,
    logStartOffset: settings.logStartOffset ?? 0,
    highWatermark: settings.highWatermark ?? 0,
  })
}

/** A batch whose records have these values; timestamps count up from `timestamp`. */
export function batchOf(
  values: readonly string[],
  options: BatchOptions & { timestamp?: number } = {},
): Uint8Array {
  const { timestamp = 1_000, ...rest } = options
  const encoder = new TextEncoder()
  return buildBatch(
    values.map((value, index) => ({
      key: encoder.encode('key'),
      value: encoder.encode(value),
      timestamp: timestamp + index,
    })),
    rest,
  )
}

/** An append by a client. */
export function append(log: PartitionLog, bytes: Uint8Array, needsDisk = false, leaderEpoch = 0) {
  return log.append(bytes, { leaderEpoch, origin: 'client', needsDisk })
}

/** `offset:value` of all records from `offset` to the end that `isolation` allows, read slice by slice. */
export function readAll(
  log: PartitionLog,
  offset = log.logStartOffset,
  isolation: 'read_uncommitted' | 'read_committed' | 'log_end' = 'read_uncommitted',
): string[] {
  const decoder = new TextDecoder()
  const found: string[] = []
  for (let next = offset; ; ) {
    const lease = log.read(next, { maxBytes: 10_000, isolation, minOneBatch: true }).lease()
    const start = next
    for (const batch of readBatches(lease.bytes)) {
      for (const record of readRecords(batch)) {
        if (record.offset < offset || batch.isControl) continue
        found.push(`${record.offset}:${decoder.decode(record.value ?? new Uint8Array(0))}`)
      }
      next = batch.nextOffset
    }
    lease.release()
    if (next === start) return found
  }
}
