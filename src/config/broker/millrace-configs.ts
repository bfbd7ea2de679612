// Millrace's own broker keys, and where its defaults differ from Kafka's.
import {
  anyItems,
  atLeast,
  boolean,
  type ConfigDefinition,
  form,
  int,
  list,
  long,
  string,
} from '../config-definition.ts'

/** Keys that Kafka does not have. */
export const MILLRACE_CONFIGS: readonly ConfigDefinition[] = [
  string(
    'millrace.http.listener',
    '127.0.0.1:8082',
    'Address of the HTTP door, as host:port; port 0 takes a free one, and none closes the door',
    form(/^(none|([^\s:]*|\[[\da-fA-F:.%]+\]):\d{1,5})$/, 'host:port or none'),
  ),
  list(
    'millrace.http.cors.origins',
    '',
    'Origins whose pages may call the HTTP door from a browser, or * for all',
    anyItems(),
  ),
  list(
    'millrace.http.allowed.hosts',
    '',
    'Host names, besides localhost, by which a door on a loopback address may be called',
    anyItems(),
  ),
  int(
    'millrace.http.max.request.bytes',
    '67108864',
    'Largest body of an HTTP request; a streamed one may be longer, but not one of its records',
    atLeast(1024),
  ),
  int(
    'millrace.http.max.request.records',
    '100000',
    'Most records in one HTTP request, unless it is streamed',
    atLeast(1),
  ),
  int(
    'millrace.http.max.read.bytes',
    '16777216',
    'Most bytes of stored records that one HTTP read decodes',
    atLeast(1024),
  ),
  int(
    'millrace.http.max.read.records',
    '10000',
    'Most records in the answer to one HTTP read',
    atLeast(1),
  ),
  int('millrace.http.max.wait.ms', '60000', 'Longest wait of an HTTP read for records', atLeast(0)),
  int(
    'millrace.http.max.streams',
    '1000',
    'Most HTTP tails, waiting reads and streamed uploads at one time',
    atLeast(1),
  ),
  int(
    'millrace.http.max.consumers',
    '1000',
    'Most consumer instances of HTTP clients at one time',
    atLeast(0),
  ),
  int(
    'millrace.http.consumer.instance.timeout.ms',
    '300000',
    'Time after which a consumer instance that its HTTP client does not use leaves its group',
    atLeast(1_000),
  ),
  int(
    'millrace.http.body.timeout.ms',
    '30000',
    'How long the body of an HTTP request may pause, unless it is streamed',
    atLeast(100),
  ),
  int(
    'millrace.http.heartbeat.interval.ms',
    '15000',
    'Time after which an idle HTTP tail sends a sign of life',
    atLeast(100),
  ),
  int(
    'millrace.http.header.timeout.ms',
    '30000',
    'How long a connection may take to send the head of a request',
    atLeast(100),
  ),
  boolean(
    'millrace.acks.all.fsync',
    'true',
    'Whether acks=all waits for the disk; false is as Kafka: the page cache of every in-sync replica',
  ),
  long(
    'millrace.log.unflushed.max.bytes',
    '67108864',
    'Bytes of a log directory that may wait in the page cache before they are flushed',
    atLeast(65_536),
  ),
  long(
    'millrace.scrub.max.bytes.per.second',
    '8388608',
    'How fast sealed segments are read once, to compare them with their checksums; 0: not at all',
    atLeast(0),
  ),
  int('millrace.max.open.files', '4096', 'Most segment files held open at one time', atLeast(16)),
  int('millrace.maps.max.count', '1024', 'Most segments mapped into memory', atLeast(0)),
  long(
    'millrace.maps.max.bytes',
    '68719476736',
    'Most bytes of segments mapped into memory; they take address space, not memory',
    atLeast(0),
  ),
  int(
    'millrace.max.decompressed.message.bytes',
    '268435456',
    'Most bytes that one compressed batch may decompress to',
    atLeast(1024),
  ),
  boolean(
    'millrace.allow.unenforced.security',
    'false',
    'Whether to start on data with ACLs, SCRAM credentials or an authorizer, although none is enforced',
  ),
]

/** A default of ours in place of Kafka's. */
export interface EmbeddedDefault {
  readonly name: string
  readonly value: string
  readonly reason: string
}

const ONE_NODE = 'a single node has one replica, and internal topics could not be created otherwise'

/** Every key whose default is not Kafka's. */
export const EMBEDDED_DEFAULTS: readonly EmbeddedDefault[] = [
  {
    name: 'listeners',
    value: 'PLAINTEXT://127.0.0.1:9092',
    reason: 'nobody but this machine reaches a broker that was not told to be open',
  },
  { name: 'log.dir', value: './data', reason: 'data in /tmp are lost at the next boot' },
  { name: 'process.roles', value: 'broker,controller', reason: 'one process is a whole cluster' },
  { name: 'node.id', value: '1', reason: 'a first node needs no configuration' },
  {
    name: 'controller.listener.names',
    value: 'CONTROLLER',
    reason: 'a first node needs no configuration',
  },
  {
    name: 'listener.security.protocol.map',
    value:
      'CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    reason: 'the controller listener needs a protocol, which Kafka leaves to the file',
  },
  { name: 'offsets.topic.replication.factor', value: '1', reason: ONE_NODE },
  { name: 'transaction.state.log.replication.factor', value: '1', reason: ONE_NODE },
  { name: 'transaction.state.log.min.isr', value: '1', reason: ONE_NODE },
  { name: 'share.coordinator.state.topic.replication.factor', value: '1', reason: ONE_NODE },
  { name: 'share.coordinator.state.topic.min.isr', value: '1', reason: ONE_NODE },
]
