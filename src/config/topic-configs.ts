// The keys of a topic, and the broker keys that stand in where a topic says nothing.
import {
  anyItems,
  atLeast,
  between,
  boolean,
  type ConfigDefinition,
  double,
  form,
  int,
  internal,
  list,
  long,
  oneOf,
  string,
} from './config-definition.ts'

const THROTTLED_REPLICAS = form(/^(\*|(\d+:\d+(,|$))*)$/, '* or partition:broker')

/** Every topic key, sorted by name. */
export const TOPIC_CONFIGS: readonly ConfigDefinition[] = [
  list(
    'cleanup.policy',
    'delete',
    'What happens to old segments: delete, compact, both, or nothing when empty',
    anyItems('compact', 'delete'),
  ),
  int(
    'compression.gzip.level',
    '-1',
    'Level of gzip, when the broker compresses',
    between(1, 9, -1),
  ),
  int('compression.lz4.level', '9', 'Level of lz4, when the broker compresses', between(1, 17)),
  string(
    'compression.type',
    'producer',
    "Codec of stored batches; producer keeps the producer's",
    oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
  ),
  int(
    'compression.zstd.level',
    '3',
    'Level of zstd, when the broker compresses',
    between(-131072, 22),
  ),
  long(
    'delete.retention.ms',
    '86400000',
    'How long a tombstone stays after compaction',
    atLeast(0),
  ),
  long(
    'file.delete.delay.ms',
    '60000',
    'How long a deleted file is kept under its .deleted name',
    atLeast(0),
  ),
  long(
    'flush.messages',
    '9223372036854775807',
    'Records after which the partition is flushed to disk',
    atLeast(1),
  ),
  long('flush.ms', '9223372036854775807', 'Longest time records stay unflushed', atLeast(0)),
  list(
    'follower.replication.throttled.replicas',
    '',
    'Replicas whose fetching is throttled, as partition:broker, or * for all',
    THROTTLED_REPLICAS,
  ),
  int(
    'index.interval.bytes',
    '4096',
    'Bytes of records between two entries of the offset index',
    atLeast(0),
  ),
  internal(
    int(
      'internal.segment.bytes',
      null,
      'Segment size below the smallest that segment.bytes allows, for tests',
    ),
  ),
  list(
    'leader.replication.throttled.replicas',
    '',
    'Replicas whose serving is throttled, as partition:broker, or * for all',
    THROTTLED_REPLICAS,
  ),
  long(
    'local.retention.bytes',
    '-2',
    'Local size above which segments in remote storage are deleted; -2 is as retention.bytes',
    atLeast(-2),
  ),
  long(
    'local.retention.ms',
    '-2',
    'How long records stay on local disk once in remote storage; -2 is as retention.ms',
    atLeast(-2),
  ),
  long(
    'max.compaction.lag.ms',
    '9223372036854775807',
    'Age at which a record must be compacted',
    atLeast(1),
  ),
  int('max.message.bytes', '1048588', 'Largest record batch, after compression', atLeast(0)),
  long(
    'message.timestamp.after.max.ms',
    '3600000',
    "How far a record's timestamp may lie after the broker's clock",
    atLeast(0),
  ),
  long(
    'message.timestamp.before.max.ms',
    '9223372036854775807',
    "How far a record's timestamp may lie before the broker's clock",
    atLeast(0),
  ),
  string(
    'message.timestamp.type',
    'CreateTime',
    "Whose clock stamps records: CreateTime is the producer's, LogAppendTime the broker's",
    oneOf('CreateTime', 'LogAppendTime'),
  ),
  double(
    'min.cleanable.dirty.ratio',
    '0.5',
    'Share of uncompacted bytes from which the partition is compacted',
    between(0, 1),
  ),
  long('min.compaction.lag.ms', '0', 'Youngest age at which a record may be compacted', atLeast(0)),
  int('min.insync.replicas', '1', 'In-sync replicas without which acks=all is refused', atLeast(1)),
  boolean('preallocate', 'false', 'Whether a new segment file is made at its full size'),
  boolean(
    'remote.log.copy.disable',
    'false',
    'Whether no more segments are copied to remote storage',
  ),
  boolean(
    'remote.log.delete.on.disable',
    'false',
    'Whether remote segments are deleted when remote storage is turned off',
  ),
  boolean('remote.storage.enable', 'false', 'Whether segments move to remote storage'),
  long(
    'retention.bytes',
    '-1',
    'Size above which a partition loses its oldest segments; -1 is no limit',
  ),
  long('retention.ms', '604800000', 'How long records are kept; -1 is for ever', atLeast(-1)),
  int('segment.bytes', '1073741824', 'Size at which a segment is rolled', atLeast(1048576)),
  int('segment.index.bytes', '10485760', 'Largest size of an index file', atLeast(4)),
  long(
    'segment.jitter.ms',
    '0',
    "Random time taken off segment.ms, so that segments don't roll at once",
    atLeast(0),
  ),
  long('segment.ms', '604800000', 'Age at which a segment is rolled', atLeast(1)),
  boolean(
    'unclean.leader.election.enable',
    'false',
    'Whether a replica outside the ISR may lead, which can lose records',
  ),
]

/** A broker key that stands in for a topic key; its number times `factor` is the topic key's. */
export interface BrokerSynonym {
  readonly name: string
  readonly factor: number
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** For each topic key the broker keys that stand in for it; the first that is set counts. */
export const TOPIC_SYNONYMS: ReadonlyMap<string, readonly BrokerSynonym[]> = new Map([
  same('cleanup.policy', 'log.cleanup.policy'),
  same('compression.gzip.level', 'compression.gzip.level'),
  same('compression.lz4.level', 'compression.lz4.level'),
  same('compression.type', 'compression.type'),
  same('compression.zstd.level', 'compression.zstd.level'),
  same('delete.retention.ms', 'log.cleaner.delete.retention.ms'),
  same('file.delete.delay.ms', 'log.segment.delete.delay.ms'),
  same('flush.messages', 'log.flush.interval.messages'),
  same('flush.ms', 'log.flush.interval.ms', 'log.flush.scheduler.interval.ms'),
  same('index.interval.bytes', 'log.index.interval.bytes'),
  same('local.retention.bytes', 'log.local.retention.bytes'),
  same('local.retention.ms', 'log.local.retention.ms'),
  same('max.compaction.lag.ms', 'log.cleaner.max.compaction.lag.ms'),
  same('max.message.bytes', 'message.max.bytes'),
  same('message.timestamp.after.max.ms', 'log.message.timestamp.after.max.ms'),
  same('message.timestamp.before.max.ms', 'log.message.timestamp.before.max.ms'),
  same('message.timestamp.type', 'log.message.timestamp.type'),
  same('min.cleanable.dirty.ratio', 'log.cleaner.min.cleanable.ratio'),
  same('min.compaction.lag.ms', 'log.cleaner.min.compaction.lag.ms'),
  same('min.insync.replicas', 'min.insync.replicas'),
  same('preallocate', 'log.preallocate'),
  same('retention.bytes', 'log.retention.bytes'),
  ['retention.ms', inUnits('log.retention', { ms: 1, minutes: MINUTE_MS, hours: HOUR_MS })],
  same('segment.bytes', 'log.segment.bytes'),
  same('segment.index.bytes', 'log.index.size.max.bytes'),
  ['segment.jitter.ms', inUnits('log.roll.jitter', { ms: 1, hours: HOUR_MS })],
  ['segment.ms', inUnits('log.roll', { ms: 1, hours: HOUR_MS })],
  same('unclean.leader.election.enable', 'unclean.leader.election.enable'),
])

function same(topicKey: string, ...names: readonly string[]): [string, BrokerSynonym[]] {
  return [topicKey, names.map((name) => ({ name, factor: 1 }))]
}

function inUnits(prefix: string, units: Readonly<Record<string, number>>): BrokerSynonym[] {
  return Object.entries(units).map(([unit, factor]) => ({ name: `${prefix}.${unit}`, factor }))
}
