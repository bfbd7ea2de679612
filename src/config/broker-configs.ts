// All broker keys by name: their definitions, how they may change, and which of them are acted on.
import { GROUP_CONFIGS } from './broker/group-configs.ts'
import { LOG_CONFIGS } from './broker/log-configs.ts'
import { EMBEDDED_DEFAULTS, MILLRACE_CONFIGS } from './broker/millrace-configs.ts'
import { NETWORK_CONFIGS } from './broker/network-configs.ts'
import { REMOTE_CONFIGS } from './broker/remote-configs.ts'
import { REPLICATION_CONFIGS } from './broker/replication-configs.ts'
import { SECURITY_CONFIGS } from './broker/security-configs.ts'
import { SERVER_CONFIGS } from './broker/server-configs.ts'
import { TRANSACTION_CONFIGS } from './broker/transaction-configs.ts'
import type { ConfigDefinition } from './config-definition.ts'

/** Every broker key, with our default where it differs from Kafka's. */
export const BROKER_CONFIGS: ReadonlyMap<string, ConfigDefinition> = withEmbeddedDefaults([
  ...MILLRACE_CONFIGS,
  ...SERVER_CONFIGS,
  ...NETWORK_CONFIGS,
  ...LOG_CONFIGS,
  ...REPLICATION_CONFIGS,
  ...GROUP_CONFIGS,
  ...TRANSACTION_CONFIGS,
  ...SECURITY_CONFIGS,
  ...REMOTE_CONFIGS,
])

/**
 * Keys that begin so are accepted without a definition: settings of one listener, of a config provider, of the
 * classes behind remote storage, and of metrics reporters.
 */
export const ACCEPTED_PREFIXES: readonly string[] = [
  'listener.name.',
  'config.providers.',
  'rsm.config.',
  'rlmm.config.',
  'metrics.context.',
  'metrics.jmx.',
]

/** Groups of keys that set one thing; within a group the first that is set counts. */
export const FALLBACKS: readonly (readonly string[])[] = [
  ['log.dirs', 'log.dir'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
]

/** Keys that Kafka 4 no longer has, and what to do instead. */
export const REMOVED_CONFIGS: ReadonlyMap<string, string> = new Map([
  ['zookeeper.connect', 'Kafka 4.0 removed ZooKeeper. Remove this line'],
  ['zookeeper.connection.timeout.ms', 'Kafka 4.0 removed ZooKeeper. Remove this line'],
  ['zookeeper.session.timeout.ms', 'Kafka 4.0 removed ZooKeeper. Remove this line'],
  ['zookeeper.set.acl', 'Kafka 4.0 removed ZooKeeper. Remove this line'],
  ['broker.id.generation.enable', 'Kafka 4.0 removed it. Set node.id'],
  ['reserved.broker.max.id', 'Kafka 4.0 removed it. Set node.id'],
  ['inter.broker.protocol.version', 'Kafka 4.0 removed it. Remove this line'],
  ['log.message.format.version', 'Kafka 4.0 removed it. Remove this line'],
  ['log.message.downconversion.enable', 'Kafka 4.0 removed it. Remove this line'],
  [
    'log.message.timestamp.difference.max.ms',
    'Kafka 4.0 removed it. Set log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms',
  ],
  ['offsets.commit.required.acks', 'Kafka 4.0 removed it. Remove this line'],
  ['delegation.token.master.key', 'Kafka 4.0 removed it. Set delegation.token.secret.key'],
  ['password.encoder.secret', 'Kafka 4.0 removed it. Remove this line'],
  ['control.plane.listener.name', 'Kafka 4.0 removed it. Remove this line'],
  ['advertised.host.name', 'Kafka 3.0 removed it. Set advertised.listeners'],
  ['advertised.port', 'Kafka 3.0 removed it. Set advertised.listeners'],
  ['host.name', 'Kafka 3.0 removed it. Set listeners'],
  ['port', 'Kafka 3.0 removed it. Set listeners'],
])

/**
 * Where a key may be changed while the broker runs: nowhere, for one broker only, or also for all at once
 * (`DynamicBrokerConfig`).
 */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide'

const PER_BROKER_SASL = `enabled.mechanisms jaas.config kerberos.kinit.cmd kerberos.min.time.before.relogin
  kerberos.principal.to.local.rules kerberos.service.name kerberos.ticket.renew.jitter
  kerberos.ticket.renew.window.factor login.refresh.buffer.seconds login.refresh.min.period.seconds
  login.refresh.window.factor login.refresh.window.jitter mechanism.inter.broker.protocol`

const PER_BROKER_SSL = `cipher.suites client.auth enabled.protocols endpoint.identification.algorithm
  engine.factory.class key.password keymanager.algorithm keystore.certificate.chain keystore.key
  keystore.location keystore.password keystore.type protocol provider secure.random.implementation
  trustmanager.algorithm truststore.certificates truststore.location truststore.password truststore.type`

const CLUSTER_WIDE: ReadonlySet<string> = new Set(
  `background.threads compression.gzip.level compression.lz4.level compression.type
  compression.zstd.level config.providers follower.fetch.last.tiered.offset.enable
  follower.replication.throttled.rate group.consumer.assignment.interval.ms
  group.coordinator.cached.buffer.max.bytes group.share.assignment.interval.ms
  group.streams.assignment.interval.ms leader.replication.throttled.rate log.cleaner.backoff.ms
  log.cleaner.dedupe.buffer.size log.cleaner.delete.retention.ms log.cleaner.io.buffer.load.factor
  log.cleaner.io.buffer.size log.cleaner.io.max.bytes.per.second log.cleaner.max.compaction.lag.ms
  log.cleaner.min.cleanable.ratio log.cleaner.min.compaction.lag.ms log.cleaner.threads
  log.cleanup.policy log.flush.interval.messages log.flush.interval.ms log.index.interval.bytes
  log.index.size.max.bytes log.local.retention.bytes log.local.retention.ms
  log.message.timestamp.after.max.ms log.message.timestamp.before.max.ms log.message.timestamp.type
  log.preallocate log.retention.bytes log.retention.ms log.roll.jitter.ms log.roll.ms
  log.segment.bytes log.segment.delete.delay.ms max.connection.creation.rate max.connections
  max.connections.per.ip max.connections.per.ip.overrides message.max.bytes metric.reporters
  min.insync.replicas num.io.threads num.network.threads num.recovery.threads.per.data.dir
  num.replica.fetchers producer.id.expiration.ms remote.fetch.max.wait.ms
  remote.list.offsets.request.timeout.ms remote.log.index.file.cache.total.size.bytes
  remote.log.manager.copier.thread.pool.size remote.log.manager.copy.max.bytes.per.second
  remote.log.manager.expiration.thread.pool.size remote.log.manager.fetch.max.bytes.per.second
  remote.log.manager.follower.thread.pool.size remote.log.reader.threads
  replica.alter.log.dirs.io.max.bytes.per.second share.coordinator.cached.buffer.max.bytes
  transaction.partition.verification.enable unclean.leader.election.enable`.split(/\s+/),
)

const PER_BROKER: ReadonlySet<string> = new Set([
  'cordoned.log.dirs',
  'listener.security.protocol.map',
  'listeners',
  'principal.builder.class',
  ...PER_BROKER_SASL.split(/\s+/).map((rest) => `sasl.${rest}`),
  ...PER_BROKER_SSL.split(/\s+/).map((rest) => `ssl.${rest}`),
])

/** How a broker key may change while the broker runs. */
export function updateMode(name: string): UpdateMode {
  if (CLUSTER_WIDE.has(name)) return 'cluster-wide'
  return PER_BROKER.has(name) ? 'per-broker' : 'read-only'
}

function withEmbeddedDefaults(
  definitions: readonly ConfigDefinition[],
): Map<string, ConfigDefinition> {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]))
  for (const { name, value } of EMBEDDED_DEFAULTS) {
    const definition = byName.get(name)
    if (definition) byName.set(name, { ...definition, defaultValue: value })
  }
  return byName
}
