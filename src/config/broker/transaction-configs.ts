// Broker keys: transactions and the state of share groups.
import {
  atLeast,
  between,
  boolean,
  type ConfigDefinition,
  int,
  internal,
  short,
} from '../config-definition.ts'

/** Keys of transactions and the state of share groups. */
export const TRANSACTION_CONFIGS: readonly ConfigDefinition[] = [
  int(
    'transaction.max.timeout.ms',
    '900000',
    'Longest transaction timeout that a producer may ask for',
    atLeast(1),
  ),
  int(
    'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    '10000',
    'Time between two looks for transactions that timed out',
    atLeast(1),
  ),
  int(
    'transaction.remove.expired.transaction.cleanup.interval.ms',
    '3600000',
    'Time between two looks for transactional ids that expired',
    atLeast(1),
  ),
  boolean(
    'transaction.partition.verification.enable',
    'true',
    'Whether a write is checked to belong to an open transaction',
  ),
  boolean(
    'transaction.two.phase.commit.enable',
    'false',
    'Whether producers may leave a transaction open for an outside coordinator',
  ),
  int(
    'transaction.state.log.load.buffer.size',
    '5242880',
    'Bytes read at once when transactions are loaded',
    atLeast(1),
  ),
  int(
    'transaction.state.log.min.isr',
    '2',
    'In-sync replicas that the transaction topic needs',
    atLeast(1),
  ),
  int(
    'transaction.state.log.num.partitions',
    '50',
    'Partitions of the transaction topic',
    atLeast(1),
  ),
  short(
    'transaction.state.log.replication.factor',
    '3',
    'Replicas of the transaction topic',
    atLeast(1),
  ),
  int(
    'transaction.state.log.segment.bytes',
    '104857600',
    'Segment size of the transaction topic',
    atLeast(1),
  ),
  int(
    'transactional.id.expiration.ms',
    '604800000',
    'How long an unused transactional id is kept',
    atLeast(1),
  ),
  int(
    'add.partitions.to.txn.retry.backoff.ms',
    '20',
    'First pause before a partition is added to a transaction again',
    atLeast(1),
  ),
  int('add.partitions.to.txn.retry.backoff.max.ms', '100', 'Longest such pause', atLeast(0)),
  int(
    'share.coordinator.append.linger.ms',
    '-1',
    'How long the share coordinator gathers records before it writes them; -1 adapts',
    atLeast(-1),
  ),
  int(
    'share.coordinator.cached.buffer.max.bytes',
    '1048588',
    'Largest buffer that the share coordinator keeps for reuse',
    atLeast(524288),
  ),
  internal(
    int(
      'share.coordinator.cold.partition.snapshot.interval.ms',
      '300000',
      'Time between two looks for idle share partitions to snapshot',
      atLeast(1),
    ),
  ),
  int(
    'share.coordinator.load.buffer.size',
    '5242880',
    'Bytes read at once when share state is loaded',
    atLeast(1),
  ),
  int(
    'share.coordinator.snapshot.update.records.per.snapshot',
    '500',
    'Updates of a share partition between two snapshots',
    between(0, 500),
  ),
  int(
    'share.coordinator.state.topic.compression.codec',
    '0',
    "Codec of the share state topic, as Kafka's number",
  ),
  short(
    'share.coordinator.state.topic.min.isr',
    '2',
    'In-sync replicas that the share state topic needs',
    atLeast(1),
  ),
  int(
    'share.coordinator.state.topic.num.partitions',
    '50',
    'Partitions of the share state topic',
    atLeast(1),
  ),
  internal(
    int(
      'share.coordinator.state.topic.prune.interval.ms',
      '300000',
      'Time between two prunings of the share state topic',
      atLeast(1),
    ),
  ),
  short(
    'share.coordinator.state.topic.replication.factor',
    '3',
    'Replicas of the share state topic',
    atLeast(1),
  ),
  int(
    'share.coordinator.state.topic.segment.bytes',
    '104857600',
    'Segment size of the share state topic',
    atLeast(1),
  ),
  int('share.coordinator.threads', '1', 'Threads of the share coordinator', atLeast(1)),
  int(
    'share.coordinator.write.timeout.ms',
    '5000',
    'How long a write of share state may take',
    atLeast(1),
  ),
]
