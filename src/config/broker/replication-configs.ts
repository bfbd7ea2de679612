// Broker keys: replicas, leaders and quotas.
import {
  atLeast,
  boolean,
  type ConfigDefinition,
  int,
  internal,
  long,
  string,
} from '../config-definition.ts'

/** Keys of replicas, leaders and quotas. */
export const REPLICATION_CONFIGS: readonly ConfigDefinition[] = [
  int('num.replica.fetchers', '1', 'Fetchers per source broker', atLeast(1)),
  int('replica.fetch.backoff.ms', '1000', 'Pause of a fetcher after an error', atLeast(0)),
  int(
    'replica.fetch.max.bytes',
    '1048576',
    'Bytes that a follower asks of one partition',
    atLeast(0),
  ),
  int('replica.fetch.min.bytes', '1', "Bytes that a follower's fetch waits for"),
  int(
    'replica.fetch.response.max.bytes',
    '10485760',
    "Most bytes in the answer to a follower's fetch",
    atLeast(0),
  ),
  int('replica.fetch.wait.max.ms', '500', "How long a follower's fetch may wait for data"),
  long(
    'replica.high.watermark.checkpoint.interval.ms',
    '5000',
    'Time between two writes of the high watermarks',
  ),
  long(
    'replica.lag.time.max.ms',
    '30000',
    'A follower that did not catch up for so long leaves the ISR',
  ),
  string('replica.selector.class', null, 'Class that picks the replica a consumer reads from'),
  int('replica.socket.receive.buffer.bytes', '65536', "Receive buffer of a follower's sockets"),
  int('replica.socket.timeout.ms', '30000', "Socket timeout of a follower's requests"),
  boolean(
    'auto.leader.rebalance.enable',
    'true',
    'Whether leadership returns to preferred replicas by itself',
  ),
  long(
    'leader.imbalance.check.interval.seconds',
    '300',
    'Time between two looks for leaders that are not the preferred ones',
    atLeast(1),
  ),
  boolean(
    'unclean.leader.election.enable',
    'false',
    'Whether a replica outside the ISR may lead, which can lose records',
  ),
  internal(
    long(
      'unclean.leader.election.interval.ms',
      '300000',
      'Time between two looks for partitions that need an unclean election',
      atLeast(1),
    ),
  ),
  boolean(
    'follower.fetch.last.tiered.offset.enable',
    'false',
    'Whether a new follower starts after the offsets in remote storage',
  ),
  long(
    'leader.replication.throttled.rate',
    '9223372036854775807',
    'Bytes a second that this broker sends to throttled followers',
    atLeast(0),
  ),
  long(
    'follower.replication.throttled.rate',
    '9223372036854775807',
    'Bytes a second that this broker fetches as a throttled follower',
    atLeast(0),
  ),
  long(
    'replica.alter.log.dirs.io.max.bytes.per.second',
    '9223372036854775807',
    'Bytes a second for moves between log directories',
    atLeast(0),
  ),
  int(
    'alter.log.dirs.replication.quota.window.num',
    '11',
    'Samples kept for the quota of moves between log directories',
    atLeast(1),
  ),
  int(
    'alter.log.dirs.replication.quota.window.size.seconds',
    '1',
    'Time covered by one sample of that quota',
    atLeast(1),
  ),
  int('replication.quota.window.num', '11', 'Samples kept for replication quotas', atLeast(1)),
  int(
    'replication.quota.window.size.seconds',
    '1',
    'Time covered by one sample of replication quotas',
    atLeast(1),
  ),
  int('quota.window.num', '11', 'Samples kept for client quotas', atLeast(1)),
  int('quota.window.size.seconds', '1', 'Time covered by one sample of client quotas', atLeast(1)),
  int('controller.quota.window.num', '11', 'Samples kept for quotas of admin requests', atLeast(1)),
  int(
    'controller.quota.window.size.seconds',
    '1',
    'Time covered by one sample of those quotas',
    atLeast(1),
  ),
]
