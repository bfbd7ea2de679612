// Broker keys: listeners, sockets and connections.
import {
  anyItems,
  atLeast,
  type ConfigDefinition,
  int,
  items,
  list,
  long,
  oneOf,
  string,
} from '../config-definition.ts'

/** Keys of listeners, sockets and connections. */
export const NETWORK_CONFIGS: readonly ConfigDefinition[] = [
  list(
    'listeners',
    'PLAINTEXT://:9092',
    'Addresses to listen on, each as NAME://host:port',
    items(),
  ),
  list(
    'advertised.listeners',
    null,
    'Addresses that clients are told to use; the listeners by default',
    items(),
  ),
  list(
    'early.start.listeners',
    null,
    'Listeners that open before the broker has finished its start',
    anyItems(),
  ),
  string(
    'listener.security.protocol.map',
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'Security protocol of each listener name, as NAME:PROTOCOL',
  ),
  string(
    'inter.broker.listener.name',
    null,
    'Name of the listener that brokers use among themselves',
  ),
  string(
    'security.inter.broker.protocol',
    'PLAINTEXT',
    'Security protocol between brokers, when no listener name is given',
    oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
  ),
  int('socket.send.buffer.bytes', '102400', "Send buffer of the sockets; -1 is the system's own"),
  int(
    'socket.receive.buffer.bytes',
    '102400',
    "Receive buffer of the sockets; -1 is the system's own",
  ),
  int(
    'socket.request.max.bytes',
    '104857600',
    'Largest request that is read from a socket',
    atLeast(1),
  ),
  int(
    'socket.listen.backlog.size',
    '50',
    'Pending connections that the system queues per listener',
    atLeast(1),
  ),
  long(
    'socket.connection.setup.timeout.ms',
    '10000',
    'How long a new outgoing connection may take',
  ),
  long(
    'socket.connection.setup.timeout.max.ms',
    '30000',
    'Longest wait for an outgoing connection after repeated failures',
  ),
  int('max.connections', '2147483647', 'Most connections of this broker', atLeast(0)),
  int('max.connections.per.ip', '2147483647', 'Most connections from one address', atLeast(0)),
  string(
    'max.connections.per.ip.overrides',
    '',
    'Other limits for single addresses or host names, as name:count',
  ),
  int('max.connection.creation.rate', '2147483647', 'Most new connections in a second', atLeast(0)),
  long('connections.max.idle.ms', '600000', 'An idle connection is closed after this time'),
  long(
    'connections.max.reauth.ms',
    '0',
    'Longest life of a SASL session before the client must authenticate again; 0 is no limit',
  ),
  int(
    'connection.failed.authentication.delay.ms',
    '100',
    'Pause before a connection that failed to authenticate is closed',
    atLeast(0),
  ),
  int(
    'queued.max.requests',
    '500',
    'Requests waiting for a thread before sockets are no longer read',
    atLeast(1),
  ),
  long(
    'queued.max.request.bytes',
    '-1',
    'Bytes of waiting requests before sockets are no longer read; -1 is no limit',
  ),
  int('request.timeout.ms', '30000', 'How long a request of this broker to another may take'),
  int(
    'max.request.partition.size.limit',
    '2000',
    'Most partitions in one DescribeTopicPartitions answer',
    atLeast(1),
  ),
  int(
    'max.incremental.fetch.session.cache.slots',
    '1000',
    'Incremental fetch sessions that are kept',
    atLeast(0),
  ),
  int('fetch.max.bytes', '57671680', 'Most bytes in the answer to one fetch', atLeast(1024)),
]
