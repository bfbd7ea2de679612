// Which keys do something today. All others are accepted, checked, stored and described, and wait for their feature.

const BROKER_KEYS: ReadonlySet<string> = new Set(
  `advertised.listeners authorizer.class.name auto.create.topics.enable broker.id broker.rack
  compression.gzip.level compression.lz4.level compression.type compression.zstd.level
  connections.max.idle.ms controller.listener.names default.replication.factor delete.topic.enable
  group.consumer.assignment.interval.ms group.consumer.assignors
  group.consumer.heartbeat.interval.ms group.consumer.max.assignment.interval.ms
  group.consumer.max.heartbeat.interval.ms group.consumer.max.session.timeout.ms
  group.consumer.max.size group.consumer.migration.policy
  group.consumer.min.assignment.interval.ms group.consumer.min.heartbeat.interval.ms
  group.consumer.min.session.timeout.ms group.consumer.regex.refresh.interval.ms
  group.consumer.session.timeout.ms group.coordinator.rebalance.protocols
  group.initial.rebalance.delay.ms group.max.session.timeout.ms group.max.size
  group.min.session.timeout.ms offset.metadata.max.bytes offsets.retention.check.interval.ms
  offsets.retention.minutes offsets.topic.compression.codec offsets.topic.num.partitions
  offsets.topic.replication.factor offsets.topic.segment.bytes
  listener.security.protocol.map listeners
  log.cleaner.backoff.ms log.cleaner.dedupe.buffer.size log.cleaner.delete.retention.ms log.cleaner.enable
  log.cleaner.io.buffer.load.factor log.cleaner.io.buffer.size log.cleaner.io.max.bytes.per.second
  log.cleaner.max.compaction.lag.ms log.cleaner.min.cleanable.ratio log.cleaner.min.compaction.lag.ms
  log.cleaner.threads
  log.cleanup.policy log.dir log.dirs log.flush.interval.messages log.flush.interval.ms
  log.flush.offset.checkpoint.interval.ms log.flush.scheduler.interval.ms
  log.flush.start.offset.checkpoint.interval.ms log.index.interval.bytes log.index.size.max.bytes
  log.message.timestamp.after.max.ms log.message.timestamp.before.max.ms
  log.message.timestamp.type log.retention.bytes log.retention.check.interval.ms log.retention.hours
  log.retention.minutes log.retention.ms log.roll.hours log.roll.jitter.hours log.roll.jitter.ms
  log.roll.ms log.segment.bytes log.segment.delete.delay.ms max.connections max.connections.per.ip
  max.connections.per.ip.overrides message.max.bytes metadata.log.dir metadata.log.max.record.bytes.between.snapshots
  metadata.log.max.snapshot.interval.ms metadata.log.segment.bytes metadata.log.segment.ms
  metadata.max.retention.bytes metadata.max.retention.ms min.insync.replicas
  node.id num.partitions num.recovery.threads.per.data.dir producer.id.expiration.ms queued.max.request.bytes
  replica.high.watermark.checkpoint.interval.ms socket.listen.backlog.size
  socket.request.max.bytes socket.send.buffer.bytes`.split(/\s+/),
)

const TOPIC_KEYS: ReadonlySet<string> = new Set(
  `cleanup.policy compression.gzip.level compression.lz4.level compression.type
  compression.zstd.level delete.retention.ms file.delete.delay.ms flush.messages flush.ms index.interval.bytes
  internal.segment.bytes max.compaction.lag.ms max.message.bytes message.timestamp.after.max.ms
  message.timestamp.before.max.ms message.timestamp.type min.cleanable.dirty.ratio min.compaction.lag.ms min.insync.replicas retention.bytes
  retention.ms segment.bytes segment.index.bytes segment.jitter.ms segment.ms`.split(/\s+/),
)

/** Whether a broker key does something today. */
export function isBrokerConfigActedOn(name: string): boolean {
  return name.startsWith('millrace.') || BROKER_KEYS.has(name)
}

/** Whether a topic key does something today. */
export function isTopicConfigActedOn(name: string): boolean {
  return TOPIC_KEYS.has(name)
}

/** Whether a key of a group does something today. */
export function isGroupConfigActedOn(name: string): boolean {
  return name.startsWith('consumer.')
}
