// What a log manager does again and again, and how often.
import type { Clock } from './base/world.ts'
import type { CheckpointKind } from './directory-logs.ts'
import { PeriodicTask } from './periodic-task.ts'

/** How often what is done, in Kafka's names and with its defaults. */
export interface UpkeepIntervals {
  /** `log.flush.offset.checkpoint.interval.ms`: 60 s. */
  readonly flushOffsetCheckpointMs: number
  /** `log.flush.start.offset.checkpoint.interval.ms`: 60 s. */
  readonly flushStartOffsetCheckpointMs: number
  /** `replica.high.watermark.checkpoint.interval.ms`: 5 s. */
  readonly highWatermarkCheckpointMs: number
  /** `log.retention.check.interval.ms`: 5 minutes. */
  readonly retentionCheckMs: number
  /** `producer.id.expiration.check.interval.ms`: 10 minutes. */
  readonly producerIdExpirationCheckMs: number
}

/** What is done. Each answers its own failures. */
export interface UpkeepWork {
  checkpoint(kind: CheckpointKind): Promise<void>
  retain(): Promise<void>
  expireProducers(): Promise<void>
}

/** Begins all of it; to be stopped one by one. */
export function scheduleUpkeep(
  clock: Clock,
  intervals: Partial<UpkeepIntervals>,
  work: UpkeepWork,
): PeriodicTask[] {
  const every = (intervalMs: number, action: () => Promise<void>) =>
    new PeriodicTask(clock, intervalMs, action)
  return [
    every(intervals.flushOffsetCheckpointMs ?? 60_000, () => work.checkpoint('recoveryPoints')),
    every(intervals.flushStartOffsetCheckpointMs ?? 60_000, () =>
      work.checkpoint('logStartOffsets'),
    ),
    every(intervals.highWatermarkCheckpointMs ?? 5_000, () => work.checkpoint('highWatermarks')),
    every(intervals.retentionCheckMs ?? 300_000, () => work.retain()),
    every(intervals.producerIdExpirationCheckMs ?? 600_000, () => work.expireProducers()),
  ]
}
