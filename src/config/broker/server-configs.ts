// Broker keys: the process, its controller and the metadata log.
import {
  anyItems,
  atLeast,
  boolean,
  type ConfigDefinition,
  form,
  int,
  internal,
  items,
  javaClass,
  list,
  long,
  string,
} from '../config-definition.ts'

/** Keys of the process, its controller and the metadata log. */
export const SERVER_CONFIGS: readonly ConfigDefinition[] = [
  list(
    'process.roles',
    null,
    'Roles of this process: broker, controller or both',
    items('broker', 'controller'),
  ),
  int('node.id', null, 'The id of this node, unique in the cluster', atLeast(0)),
  int('broker.id', '-1', 'Old name of node.id; when given it must be the same number'),
  string('broker.rack', null, 'The rack or zone of this broker, used to spread replicas'),
  int('broker.heartbeat.interval.ms', '2000', 'Time between two heartbeats to the controller'),
  int(
    'broker.session.timeout.ms',
    '9000',
    'A broker that is silent for so long is fenced by the controller',
  ),
  int(
    'initial.broker.registration.timeout.ms',
    '60000',
    'How long a starting broker tries to register before it gives up',
  ),
  internal(
    long(
      'server.max.startup.time.ms',
      '9223372036854775807',
      'Longest time a start may take; unlimited by default',
      atLeast(0),
    ),
  ),
  int('num.network.threads', '3', 'Network threads per listener', atLeast(1)),
  int('num.io.threads', '8', 'Threads that serve requests', atLeast(1)),
  int('background.threads', '10', 'Threads for background work', atLeast(1)),
  int(
    'num.recovery.threads.per.data.dir',
    '2',
    'Threads per log directory that recover logs at start and flush them at stop',
    atLeast(1),
  ),
  int(
    'num.replica.alter.log.dirs.threads',
    null,
    'Threads that move replicas between log directories; one per directory by default',
  ),
  boolean(
    'controlled.shutdown.enable',
    'true',
    'Whether leadership is handed over before the broker stops',
  ),
  list(
    'config.providers',
    '',
    'Names of the providers that resolve references to other sources in values',
    anyItems(),
  ),
  javaClass('alter.config.policy.class.name', null, 'Class that may veto config changes'),
  javaClass('create.topic.policy.class.name', null, 'Class that may veto new topics'),
  javaClass(
    'client.quota.callback.class',
    null,
    'Class that decides which quota applies to a client',
  ),
  list('kafka.metrics.reporters', '', "Classes that report the server's own metrics", anyItems()),
  int(
    'kafka.metrics.polling.interval.secs',
    '10',
    "Time between two polls of the server's metrics reporters",
    atLeast(1),
  ),
  list(
    'metric.reporters',
    'org.apache.kafka.common.metrics.JmxReporter',
    'Classes that report metrics',
    anyItems(),
  ),
  int('metrics.num.samples', '2', 'Samples kept to compute a metric', atLeast(1)),
  string('metrics.recording.level', 'INFO', 'Most detailed level of metrics that is recorded'),
  long('metrics.sample.window.ms', '30000', 'Time covered by one metrics sample', atLeast(1)),
  int(
    'telemetry.max.bytes',
    '1048576',
    'Largest telemetry push that is accepted from a client',
    atLeast(1),
  ),
  internal(
    boolean(
      'unstable.api.versions.enable',
      'false',
      'Whether protocol versions still in development are offered',
    ),
  ),
  internal(
    boolean(
      'unstable.feature.versions.enable',
      'false',
      'Whether feature versions still in development are allowed',
    ),
  ),
  list(
    'controller.listener.names',
    null,
    'Names of the listeners that controllers use; the first is used to connect',
    items(),
  ),
  internal(
    long(
      'controller.performance.always.log.threshold.ms',
      '2000',
      'Controller events that take longer are always logged',
      atLeast(0),
    ),
  ),
  internal(
    long(
      'controller.performance.sample.period.ms',
      '60000',
      "Time between two reports of the controller's event durations",
      atLeast(100),
    ),
  ),
  int(
    'controller.quorum.append.linger.ms',
    '25',
    'How long the leader gathers metadata records before it writes them',
    atLeast(0),
  ),
  boolean(
    'controller.quorum.auto.join.enable',
    'false',
    'Whether a controller adds itself to the voters',
  ),
  list(
    'controller.quorum.bootstrap.servers',
    '',
    'Addresses, host:port, where the controller quorum is found',
    form(/^([^,]+:\d+(,|$))*$/, 'host:port'),
  ),
  list(
    'controller.quorum.voters',
    '',
    'A fixed set of voters, each as id@host:port',
    form(/^(\d+@[^,]+:\d+(,|$))*$/, 'id@host:port'),
  ),
  int(
    'controller.quorum.election.backoff.max.ms',
    '1000',
    'Longest pause between two elections',
    atLeast(0),
  ),
  int(
    'controller.quorum.election.timeout.ms',
    '1000',
    'How long a candidate waits for votes before it starts a new election',
    atLeast(0),
  ),
  int(
    'controller.quorum.fetch.max.bytes',
    '1048576',
    'Most bytes of the metadata log in one fetch',
    atLeast(1),
  ),
  int(
    'controller.quorum.fetch.snapshot.max.bytes',
    '1048576',
    'Most bytes of a metadata snapshot in one fetch',
    atLeast(1),
  ),
  int(
    'controller.quorum.fetch.timeout.ms',
    '2000',
    'A voter that could not fetch for so long becomes a candidate',
    atLeast(0),
  ),
  int(
    'controller.quorum.request.timeout.ms',
    '2000',
    'How long a quorum request may take',
    atLeast(0),
  ),
  int(
    'controller.quorum.retry.backoff.ms',
    '20',
    'Pause before a failed quorum request is sent again',
    atLeast(0),
  ),
  int('controller.socket.timeout.ms', '30000', 'Socket timeout of the channel to the controller'),
  string(
    'metadata.log.dir',
    null,
    'Directory of the metadata log; the first log directory by default',
  ),
  long(
    'metadata.log.max.record.bytes.between.snapshots',
    '20971520',
    'Bytes of metadata records after which a snapshot is taken',
    atLeast(1),
  ),
  long(
    'metadata.log.max.snapshot.interval.ms',
    '3600000',
    'Longest time between two metadata snapshots when there are new records; 0 is no limit',
    atLeast(0),
  ),
  int(
    'metadata.log.segment.bytes',
    '1073741824',
    'Size at which a segment of the metadata log is rolled',
    atLeast(8388608),
  ),
  long(
    'metadata.log.segment.ms',
    '604800000',
    'Age at which a segment of the metadata log is rolled',
  ),
  int(
    'metadata.max.idle.interval.ms',
    '500',
    'How often an idle controller writes a no-op record; 0 is never',
    atLeast(0),
  ),
  long(
    'metadata.max.retention.bytes',
    '104857600',
    'Size above which old metadata segments and snapshots are deleted',
  ),
  long(
    'metadata.max.retention.ms',
    '604800000',
    'Age above which old metadata segments and snapshots are deleted',
  ),
  internal(
    long(
      'internal.metadata.delete.delay.millis',
      '60000',
      'How long a deleted metadata file is kept',
    ),
  ),
  internal(
    int('internal.metadata.log.segment.bytes', null, 'Segment size of the metadata log, for tests'),
  ),
  internal(
    int(
      'internal.metadata.max.batch.size.in.bytes',
      '8388608',
      'Largest batch in the metadata log',
    ),
  ),
]
