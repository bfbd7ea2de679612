// Broker keys: remote (tiered) storage.
import {
  atLeast,
  between,
  boolean,
  type ConfigDefinition,
  double,
  int,
  internal,
  long,
  notBlank,
  string,
} from '../config-definition.ts'

/** Keys of remote (tiered) storage. */
export const REMOTE_CONFIGS: readonly ConfigDefinition[] = [
  boolean(
    'remote.log.storage.system.enable',
    'false',
    'Whether segments may move to remote storage',
  ),
  string(
    'remote.log.storage.manager.class.name',
    null,
    'Class that stores segments remotely',
    notBlank,
  ),
  string('remote.log.storage.manager.class.path', null, 'Class path of that class'),
  string(
    'remote.log.storage.manager.impl.prefix',
    'rsm.config.',
    'Prefix of the keys that are handed to it',
    notBlank,
  ),
  string(
    'remote.log.metadata.manager.class.name',
    'org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager',
    'Class that keeps the list of remote segments',
    notBlank,
  ),
  string('remote.log.metadata.manager.class.path', null, 'Class path of that class'),
  string(
    'remote.log.metadata.manager.impl.prefix',
    'rlmm.config.',
    'Prefix of the keys that are handed to it',
    notBlank,
  ),
  string(
    'remote.log.metadata.manager.listener.name',
    null,
    'Listener that it connects to',
    notBlank,
  ),
  int(
    'remote.log.metadata.custom.metadata.max.bytes',
    '128',
    'Largest custom metadata of a remote segment',
    atLeast(0),
  ),
  long(
    'remote.log.index.file.cache.total.size.bytes',
    '1073741824',
    'Disk space for cached indexes of remote segments',
    atLeast(1),
  ),
  internal(
    long(
      'remote.log.index.file.cache.ttl.ms',
      '900000',
      'How long an unused cached index is kept; -1 is for ever',
      atLeast(-1),
    ),
  ),
  int(
    'remote.log.manager.copier.thread.pool.size',
    '10',
    'Threads that copy segments to remote storage',
    atLeast(1),
  ),
  int(
    'remote.log.manager.expiration.thread.pool.size',
    '10',
    'Threads that delete expired remote segments',
    atLeast(1),
  ),
  int(
    'remote.log.manager.follower.thread.pool.size',
    '2',
    'Threads that follow remote state for followers',
    atLeast(1),
  ),
  int(
    'remote.log.manager.thread.pool.size',
    '2',
    'Threads for other remote storage work',
    atLeast(1),
  ),
  long(
    'remote.log.manager.copy.max.bytes.per.second',
    '9223372036854775807',
    'Bytes a second copied to remote storage',
    atLeast(1),
  ),
  int(
    'remote.log.manager.copy.quota.window.num',
    '11',
    'Samples kept for the copy quota',
    atLeast(1),
  ),
  int(
    'remote.log.manager.copy.quota.window.size.seconds',
    '1',
    'Time covered by one sample of the copy quota',
    atLeast(1),
  ),
  long(
    'remote.log.manager.fetch.max.bytes.per.second',
    '9223372036854775807',
    'Bytes a second read from remote storage',
    atLeast(1),
  ),
  int(
    'remote.log.manager.fetch.quota.window.num',
    '11',
    'Samples kept for the fetch quota',
    atLeast(1),
  ),
  int(
    'remote.log.manager.fetch.quota.window.size.seconds',
    '1',
    'Time covered by one sample of the fetch quota',
    atLeast(1),
  ),
  long(
    'remote.log.manager.task.interval.ms',
    '30000',
    'Time between two runs of the remote storage tasks',
    atLeast(1),
  ),
  internal(
    long(
      'remote.log.manager.task.retry.backoff.ms',
      '500',
      'First pause before a failed task runs again',
      atLeast(1),
    ),
  ),
  internal(
    long('remote.log.manager.task.retry.backoff.max.ms', '30000', 'Longest such pause', atLeast(1)),
  ),
  internal(
    double(
      'remote.log.manager.task.retry.jitter',
      '0.2',
      'Random share added to that pause',
      between(0, 0.5),
    ),
  ),
  int(
    'remote.log.reader.max.pending.tasks',
    '100',
    'Remote reads that may wait for a thread',
    atLeast(1),
  ),
  int('remote.log.reader.threads', '10', 'Threads that read remote segments', atLeast(1)),
  int(
    'remote.fetch.max.wait.ms',
    '500',
    'How long a fetch may wait for remote storage',
    atLeast(1),
  ),
  long(
    'remote.list.offsets.request.timeout.ms',
    '30000',
    'How long a lookup of offsets may wait for remote storage',
    atLeast(1),
  ),
]
