// The settings of a group, over a broker's.
import { expect, test } from 'vitest'
import { BrokerConfig } from '#src/config/broker-config.ts'
import { GroupConfig, validateGroupConfigs } from '#src/config/group-config.ts'

const broker = (flags: Record<string, string> = {}) => BrokerConfig.load({ flags })
const group = (overrides: Record<string, string> = {}, flags: Record<string, string> = {}) =>
  new GroupConfig(new Map(Object.entries(overrides)), broker(flags))
const validate = (overrides: Record<string, string | null>, flags: Record<string, string> = {}) =>
  validateGroupConfigs(Object.entries(overrides), broker(flags))

test('GroupConfig.describe() of a plain group shows what Kafka 4.3.1 shows', () => {
  const shown = group()
    .describe()
    .map(({ name, value, synonyms }) => {
      const texts = synonyms.map((one) => `${one.source}:${one.name}=${one.value}`)
      return `${name}=${value} ${texts.join(' ')}`
    })
  expect(shown).toEqual([
    'consumer.assignment.interval.ms=1000 DEFAULT_CONFIG:group.consumer.assignment.interval.ms=1000',
    'consumer.heartbeat.interval.ms=5000 DEFAULT_CONFIG:group.consumer.heartbeat.interval.ms=5000',
    'consumer.session.timeout.ms=45000 DEFAULT_CONFIG:group.consumer.session.timeout.ms=45000',
    'share.assignment.interval.ms=1000 DEFAULT_CONFIG:group.share.assignment.interval.ms=1000',
    'share.auto.offset.reset=latest DEFAULT_CONFIG:share.auto.offset.reset=latest',
    'share.delivery.count.limit=5 DEFAULT_CONFIG:group.share.delivery.count.limit=5',
    'share.heartbeat.interval.ms=5000 DEFAULT_CONFIG:group.share.heartbeat.interval.ms=5000',
    'share.isolation.level=read_uncommitted DEFAULT_CONFIG:share.isolation.level=read_uncommitted',
    'share.partition.max.record.locks=2000 DEFAULT_CONFIG:group.share.partition.max.record.locks=2000',
    'share.record.lock.duration.ms=30000 DEFAULT_CONFIG:group.share.record.lock.duration.ms=30000',
    'share.renew.acknowledge.enable=true DEFAULT_CONFIG:share.renew.acknowledge.enable=true',
    'share.session.timeout.ms=45000 DEFAULT_CONFIG:group.share.session.timeout.ms=45000',
    'streams.assignment.interval.ms=1000 DEFAULT_CONFIG:group.streams.assignment.interval.ms=1000',
    'streams.heartbeat.interval.ms=5000 DEFAULT_CONFIG:group.streams.heartbeat.interval.ms=5000',
    'streams.initial.rebalance.delay.ms=3000 DEFAULT_CONFIG:group.streams.initial.rebalance.delay.ms=3000',
    'streams.num.standby.replicas=0 DEFAULT_CONFIG:group.streams.num.standby.replicas=0',
    'streams.session.timeout.ms=45000 DEFAULT_CONFIG:group.streams.session.timeout.ms=45000',
  ])
})

test('GroupConfig takes its own value first, then the broker file, then the default', () => {
  const key = 'group.consumer.session.timeout.ms'
  const name = 'consumer.session.timeout.ms'
  const both = group({ [name]: '50000' }, { [key]: '47000' })
  expect(both.number(name)).toBe(50_000)
  expect(both.describe().find((entry) => entry.name === name)?.synonyms).toEqual([
    { name, value: '50000', source: 'DYNAMIC_GROUP_CONFIG' },
    { name: key, value: '47000', source: 'STATIC_BROKER_CONFIG' },
    { name: key, value: '45000', source: 'DEFAULT_CONFIG' },
  ])
  expect(group({}, { [key]: '47000' }).number(name)).toBe(47_000)
  expect(group({ [name]: 'from another version' }).number(name)).toBe(45_000)
})

test.each([
  [{ foo: '1' }, 'Unknown group config name: foo'],
  [{ 'consumer.sesion.timeout.ms': '1' }, 'did you mean consumer.session.timeout.ms?'],
  [{ 'consumer.session.timeout.ms': null }, 'has no value'],
  [{ 'consumer.session.timeout.ms': 'abc' }, 'abc'],
  [
    { 'consumer.session.timeout.ms': '1' },
    'at least group.consumer.min.session.timeout.ms (45000)',
  ],
  [{ 'consumer.heartbeat.interval.ms': '100000' }, 'at most group.consumer.max.heartbeat'],
  [{ 'consumer.assignment.interval.ms': '99999' }, 'at most group.consumer.max.assignment'],
  [{ 'share.partition.max.record.locks': '99' }, 'at least group.share.min.partition.max.record'],
  [{ 'share.isolation.level': 'x' }, 'read_committed, read_uncommitted'],
  [{ 'share.auto.offset.reset': 'by_duration:1h' }, 'PnDTnHnMnS'],
  [{ 'streams.num.standby.replicas': '3' }, 'at most group.streams.max.standby.replicas (2)'],
])('validateGroupConfigs refuses %o', (overrides, message) => {
  expect(() => validate(overrides as Record<string, string | null>)).toThrow(
    expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringContaining(message) }),
  )
})

test('validateGroupConfigs refuses a session that is not longer than its heartbeats', () => {
  const flags = { 'group.consumer.max.heartbeat.interval.ms': '60000' }
  const wanted = { 'consumer.heartbeat.interval.ms': '45000' }
  expect(() => validate(wanted, flags)).toThrow(
    'consumer.session.timeout.ms (45000) must be greater than consumer.heartbeat.interval.ms (45000)',
  )
})

test.each(['latest', 'earliest', 'by_duration:PT1H', 'by_duration:P1DT2H'])(
  'validateGroupConfigs takes share.auto.offset.reset=%s',
  (value) => {
    expect(() => validate({ 'share.auto.offset.reset': value })).not.toThrow()
  },
)
