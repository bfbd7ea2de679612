// The settings of a broker: layers, units, descriptions.
import { expect, test } from 'vitest'
import { BrokerConfig } from '#src/config/broker-config.ts'

const NONE = new Map<string, string>()
const entryOf = (config: BrokerConfig, name: string) =>
  config.describe().find((entry) => entry.name === name)

test('BrokerConfig without settings has our defaults', () => {
  const config = BrokerConfig.load()
  expect(config.logDirs).toEqual(['./data'])
  expect(config.number('node.id')).toBe(1)
  expect(config.number('offsets.topic.replication.factor')).toBe(1)
  expect(config.boolean('auto.create.topics.enable')).toBe(true)
  expect(config.string('millrace.http.listener')).toBe('127.0.0.1:8082')
  expect(config.string('broker.rack')).toBeUndefined()
  expect(config.list('millrace.http.cors.origins')).toEqual([])
  expect(config.number('log.flush.interval.messages')).toBe(Infinity)
  expect(config.retentionMs).toBe(604_800_000)
  expect(config.rollMs).toBe(604_800_000)
})

test.each([
  { flags: { 'log.retention.hours': '2' }, retentionMs: 7_200_000 },
  { flags: { 'log.retention.hours': '2', 'log.retention.minutes': '1' }, retentionMs: 60_000 },
  { flags: { 'log.retention.minutes': '1', 'log.retention.ms': '7' }, retentionMs: 7 },
  { flags: { 'log.retention.hours': '-1' }, retentionMs: Infinity },
  { flags: { 'log.retention.ms': '-1', 'log.retention.hours': '1' }, retentionMs: Infinity },
])('BrokerConfig.retentionMs of $flags is $retentionMs', ({ flags, retentionMs }) => {
  expect(BrokerConfig.load({ flags: flags as Record<string, string> }).retentionMs).toBe(
    retentionMs,
  )
})

test('BrokerConfig takes a server.properties of Kafka', () => {
  const text = `process.roles=broker,controller
node.id=7
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
num.network.threads=3
socket.send.buffer.bytes=102400
log.dirs=/var/lib/kafka/a, /var/lib/kafka/b
num.partitions=1
offsets.topic.replication.factor=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`
  const config = BrokerConfig.load({ file: { path: 'server.properties', text } })
  expect(config.logDirs).toEqual(['/var/lib/kafka/a', '/var/lib/kafka/b'])
  expect(config.number('node.id')).toBe(7)
  expect(config.written.size).toBe(16)
})

test.each([
  [{ 'broker.id': '3' }, 'broker.id (3) must be the same as node.id (1)'],
  [{ 'log.retention.ms': '0' }, 'log.retention.ms must be -1 or at least 1'],
  [{ 'log.roll.ms': '0' }, 'log.roll.ms must be at least 1'],
  [{ 'broker.heartbeat.interval.ms': '8000' }, 'must be at most half of broker.session.timeout.ms'],
  [
    { 'log.cleaner.max.compaction.lag.ms': '5', 'log.cleaner.min.compaction.lag.ms': '6' },
    'must be at most',
  ],
])('BrokerConfig.load() refuses %o', (flags, sentence) => {
  expect(() => BrokerConfig.load({ flags: flags as Record<string, string> })).toThrow(sentence)
})

test('BrokerConfig.withDynamic() puts one broker over all brokers over what was written', () => {
  const written = BrokerConfig.load({ flags: { 'message.max.bytes': '1', 'num.io.threads': '1' } })
  const config = written.withDynamic(
    new Map([['message.max.bytes', '3']]),
    new Map([
      ['message.max.bytes', '2'],
      ['num.io.threads', '2'],
      ['num.partitions', '9'],
      ['num.network.threads', 'many'],
    ]),
  )
  expect(config.number('message.max.bytes')).toBe(3)
  expect(config.number('num.io.threads')).toBe(2)
  expect(config.number('num.partitions'), 'may not change while running').toBe(1)
  expect(config.number('num.network.threads'), 'a bad value is passed over').toBe(3)
  expect(config.withDynamic(NONE, NONE).number('message.max.bytes')).toBe(1)
  expect(entryOf(config, 'message.max.bytes')).toMatchObject({
    value: '3',
    source: 'DYNAMIC_BROKER_CONFIG',
    isReadOnly: false,
    type: 'INT',
    synonyms: [
      { value: '3', source: 'DYNAMIC_BROKER_CONFIG' },
      { value: '2', source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' },
      { value: '1', source: 'STATIC_BROKER_CONFIG' },
      { value: '1048588', source: 'DEFAULT_CONFIG' },
    ],
  })
  expect(config.describeClusterWide().map(({ name, value }) => [name, value])).toEqual([
    ['message.max.bytes', '2'],
    ['num.io.threads', '2'],
  ])
})

test('BrokerConfig.describe() hides secrets and internal keys', () => {
  const config = BrokerConfig.load({ flags: { 'ssl.keystore.password': 'hunter2' } })
  expect(entryOf(config, 'ssl.keystore.password')).toMatchObject({
    value: null,
    isSensitive: true,
    source: 'STATIC_BROKER_CONFIG',
    synonyms: [{ value: null }],
  })
  expect(entryOf(config, 'internal.metadata.log.segment.bytes')).toBeUndefined()
  expect(JSON.stringify(config.describe())).not.toContain('hunter2')
})

test('BrokerConfig.describe() shows a key that nothing sets as null', () => {
  expect(entryOf(BrokerConfig.load(), 'log.retention.ms')).toMatchObject({
    value: null,
    source: 'DEFAULT_CONFIG',
    synonyms: [],
  })
})
