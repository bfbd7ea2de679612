// The settings of a topic, over a broker's.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BrokerConfig } from '#src/config/broker-config.ts'
import { TopicConfig, validateTopicConfigs } from '#src/config/topic-config.ts'

const broker = (flags: Record<string, string> = {}) => BrokerConfig.load({ flags })
const topic = (overrides: Record<string, string> = {}, flags: Record<string, string> = {}) =>
  new TopicConfig(new Map(Object.entries(overrides)), broker(flags))
const entryOf = (config: TopicConfig, name: string) =>
  config.describe().find((entry) => entry.name === name)

test('TopicConfig.describe() of a plain topic shows the defaults of Kafka 4.3.1', () => {
  const theirs = readFileSync(new URL('./kafka-4.3.1-configs.tsv', import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([kind, name]) => kind === 'topic' && name !== 'internal.segment.bytes')
    .map(([, name, , value]) => [name, value])
  expect(
    topic()
      .describe()
      .map(({ name, value }) => [name, value]),
  ).toEqual(theirs)
})

// Sources and synonyms as Kafka 4.3.1 answered DescribeConfigs, with these overrides and settings.
test.each([
  {
    name: 'cleanup.policy',
    value: 'delete,compact',
    synonyms: [
      'DYNAMIC_TOPIC_CONFIG:cleanup.policy=delete,compact',
      'DEFAULT_CONFIG:log.cleanup.policy=delete',
    ],
  },
  {
    name: 'flush.ms',
    value: '7000',
    synonyms: [
      'DYNAMIC_DEFAULT_BROKER_CONFIG:log.flush.interval.ms=7000',
      'DEFAULT_CONFIG:log.flush.scheduler.interval.ms=9223372036854775807',
    ],
  },
  {
    name: 'segment.bytes',
    value: '2000000',
    synonyms: [
      'STATIC_BROKER_CONFIG:log.segment.bytes=2000000',
      'DEFAULT_CONFIG:log.segment.bytes=1073741824',
    ],
  },
  {
    name: 'max.message.bytes',
    value: '1048588',
    synonyms: ['DEFAULT_CONFIG:message.max.bytes=1048588'],
  },
  { name: 'remote.storage.enable', value: 'false', synonyms: [] },
  // Kafka shows no synonym for these two, although the file's hours count: we say where the value comes from.
  {
    name: 'retention.ms',
    value: '360000000',
    synonyms: [
      'STATIC_BROKER_CONFIG:log.retention.hours=100',
      'DEFAULT_CONFIG:log.retention.hours=168',
    ],
  },
  {
    name: 'segment.ms',
    value: '86400000',
    synonyms: ['STATIC_BROKER_CONFIG:log.roll.hours=24', 'DEFAULT_CONFIG:log.roll.hours=168'],
  },
])('TopicConfig.describe() says where $name comes from', ({ name, value, synonyms }) => {
  const settings = {
    'log.retention.hours': '100',
    'log.segment.bytes': '2000000',
    'log.roll.hours': '24',
  }
  const dynamic = broker(settings).withDynamic(
    new Map(),
    new Map([['log.flush.interval.ms', '7000']]),
  )
  const config = new TopicConfig(new Map([['cleanup.policy', 'delete,compact']]), dynamic)
  const entry = entryOf(config, name)
  expect(entry?.value).toBe(value)
  expect(entry?.synonyms.map((one) => `${one.source}:${one.name}=${one.value}`)).toEqual(synonyms)
  expect(entry?.source).toBe(synonyms[0]?.split(':')[0] ?? 'DEFAULT_CONFIG')
})

test('TopicConfig.settings() turns "never" and "no limit" into Infinity', () => {
  const settings = topic({ 'retention.ms': '-1' }).settings()
  expect(settings).toMatchObject({
    retentionMs: Infinity,
    retentionBytes: Infinity,
    flushMessages: Infinity,
    messageTimestampBeforeMaxMs: Infinity,
    messageTimestampAfterMaxMs: 3_600_000,
    segmentMs: 604_800_000,
    cleanupPolicy: { delete: true, compact: false },
    compressionType: 'producer',
  })
})

test('TopicConfig.settings() takes overrides, and internal.segment.bytes below the smallest segment', () => {
  const settings = topic({
    'cleanup.policy': 'compact',
    'internal.segment.bytes': '2048',
    'compression.type': 'zstd',
    'compression.zstd.level': '7',
    'message.timestamp.type': 'LogAppendTime',
    preallocate: 'TRUE',
  }).settings()
  expect(settings).toMatchObject({
    cleanupPolicy: { delete: false, compact: true },
    segmentBytes: 2048,
    compressionType: 'zstd',
    compressionLevels: { zstd: 7 },
    messageTimestampType: 'LogAppendTime',
    preallocate: true,
  })
})

test('TopicConfig passes over an override that it does not understand', () => {
  const config = topic({ 'segment.bytes': 'many', 'from.the.future': '1', 'retention.ms': '5' })
  expect(config.settings()).toMatchObject({ segmentBytes: 1_073_741_824, retentionMs: 5 })
})

test.each([
  [{ 'retention.ms': '5', 'cleanup.policy': '' }, undefined],
  [{ 'internal.segment.bytes': '100' }, undefined],
  [
    { 'retention.mss': '5' },
    'Unknown topic config name: retention.mss, did you mean retention.ms?',
  ],
  [{ 'retention.ms': null }, 'Topic config retention.ms has no value'],
  [
    { 'segment.bytes': '100' },
    'Invalid value "100" for segment.bytes: it must be at least 1048576',
  ],
  [
    { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' },
    'min.compaction.lag.ms (10) must be at most max.compaction.lag.ms (5)',
  ],
  [{ 'remote.storage.enable': 'true' }, 'this broker has no remote storage'],
  [{ 'retention.ms': '5'.repeat(40_000) }, 'has 40000 characters'],
])('validateTopicConfigs() of %o says %s', (configs, sentence) => {
  const check = () => validateTopicConfigs(Object.entries(configs), broker())
  if (sentence === undefined) return expect(check).not.toThrow()
  expect(check).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
  expect(check).toThrow(sentence)
})

test('TopicConfig.describe() says which keys are not acted on yet', () => {
  const documentation = (name: string) => entryOf(topic(), name)?.documentation
  expect(documentation('retention.ms')).toBe('How long records are kept; -1 is for ever')
  expect(documentation('local.retention.ms')).toMatch(/ \(accepted, not acted on yet\)$/)
})

test('TopicConfig.settings() are the same with local retention: nothing is kept elsewhere', () => {
  const plain = topic({ 'retention.ms': '5000', 'retention.bytes': '700' })
  for (const [ms, bytes] of [
    ['-2', '-2'],
    ['1', '1'],
  ] as const) {
    const local = topic({
      'retention.ms': '5000',
      'retention.bytes': '700',
      'local.retention.ms': ms,
      'local.retention.bytes': bytes,
    })
    expect(local.settings()).toEqual(plain.settings())
    expect(local.settings()).toMatchObject({ retentionMs: 5000, retentionBytes: 700 })
  }
  const wide = topic({}, { 'log.local.retention.ms': '1', 'log.local.retention.bytes': '1' })
  expect(wide.settings()).toEqual(topic().settings())
})
