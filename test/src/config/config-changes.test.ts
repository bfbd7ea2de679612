// Incremental changes of overrides.
import { expect, test } from 'vitest'
import {
  type ConfigChange,
  changeConfigs,
  validateBrokerConfigs,
} from '#src/config/config-changes.ts'
import { topicConfigDefinition } from '#src/config/topic-config.ts'

const change = (text: string): ConfigChange => {
  const [operation = '', name = '', value] = text.split(' ')
  return { operation: operation as ConfigChange['operation'], name, value: value ?? null }
}

test.each([
  { before: {}, changes: ['set retention.ms 5'], after: { 'retention.ms': '5' } },
  { before: { 'retention.ms': '5' }, changes: ['delete retention.ms'], after: {} },
  {
    before: {},
    changes: ['append cleanup.policy compact'],
    after: { 'cleanup.policy': 'delete,compact' },
  },
  { before: {}, changes: ['append cleanup.policy delete'], after: { 'cleanup.policy': 'delete' } },
  {
    before: { 'cleanup.policy': 'compact' },
    changes: ['subtract cleanup.policy compact', 'set flush.ms 1'],
    after: { 'cleanup.policy': '', 'flush.ms': '1' },
  },
])('changeConfigs() $changes makes $after', ({ before, changes, after }) => {
  const overrides = new Map(Object.entries(before as Record<string, string>))
  const changed = changeConfigs(overrides, changes.map(change), topicConfigDefinition)
  expect(Object.fromEntries(changed)).toEqual(after)
  expect(Object.fromEntries(overrides), 'untouched').toEqual(before)
})

test.each([
  [['set retention.ms 5', 'delete retention.ms'], 'INVALID_REQUEST', 'is changed twice'],
  [['set retention.ms'], 'INVALID_CONFIG', 'has no value'],
  [['append retention.ms 5'], 'INVALID_CONFIG', 'it is not a list'],
])('changeConfigs() refuses %o', (changes, code, sentence) => {
  const refused = () => changeConfigs(new Map(), changes.map(change), topicConfigDefinition)
  expect(refused).toThrow(expect.objectContaining({ code }))
  expect(refused).toThrow(sentence)
})

test.each([
  [{ 'message.max.bytes': '5' }, true, undefined],
  [{ 'ssl.keystore.location': '/k' }, false, undefined],
  [{ 'listener.name.a.ssl.keystore.location': '/k' }, false, undefined],
  [
    { 'ssl.keystore.location': '/k' },
    true,
    "ssl.keystore.location can't be set for all brokers at once",
  ],
  [{ 'log.dirs': '/k' }, false, "log.dirs can't change while the broker runs"],
  [{ 'message.max.byte': '5' }, true, 'did you mean message.max.bytes?'],
  [{ 'message.max.bytes': 'x' }, true, 'must be a whole number'],
])(
  'validateBrokerConfigs() of %o, cluster-wide %s, says %s',
  (configs, isClusterWide, sentence) => {
    const check = () => validateBrokerConfigs(Object.entries(configs), isClusterWide)
    if (sentence === undefined) expect(check).not.toThrow()
    else expect(check).toThrow(sentence)
  },
)
