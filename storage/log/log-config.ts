// The settings of one partition's log. The names are Kafka's, the unit comes last.

/** The codec of a topic; `producer` keeps what came. */
export type CompressionSetting = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * A topic's settings as its logs need them. `Infinity` stands for "no limit" where Kafka's default is 2^63-1 or -1.
 * Changes take effect with the next append, read or upkeep round.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly maxMessageBytes: number
  readonly compressionType: CompressionSetting
  readonly compressionLevels: { readonly gzip: number; readonly lz4: number; readonly zstd: number }
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly cleanupPolicy: { readonly delete: boolean; readonly compact: boolean }
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly deleteRetentionMs: number
  readonly producerIdExpirationMs: number
  /** What one batch may hold once decompressed. */
  readonly maxDecompressedBytes: number
}

const DAY_MS = 86_400_000
const MIB = 1_048_576

/** Kafka 4.x's defaults; Millrace's own for what Kafka has no setting for. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1024 * MIB,
  segmentMs: 7 * DAY_MS,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * MIB,
  indexIntervalBytes: 4096,
  maxMessageBytes: 1_048_588,
  compressionType: 'producer',
  compressionLevels: { gzip: -1, lz4: 9, zstd: 3 },
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Infinity,
  messageTimestampAfterMaxMs: 3_600_000,
  cleanupPolicy: { delete: true, compact: false },
  retentionMs: 7 * DAY_MS,
  retentionBytes: Infinity,
  flushMessages: Infinity,
  flushMs: Infinity,
  fileDeleteDelayMs: 60_000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Infinity,
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: DAY_MS,
  producerIdExpirationMs: DAY_MS,
  maxDecompressedBytes: 2_147_483_639,
}
