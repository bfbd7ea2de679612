// The tables of keys against Kafka's own list.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EMBEDDED_DEFAULTS, MILLRACE_CONFIGS } from '#src/config/broker/millrace-configs.ts'
import { BROKER_CONFIGS, FALLBACKS, updateMode } from '#src/config/broker-configs.ts'
import { parseConfigValue } from '#src/config/config-value.ts'
import { TOPIC_CONFIGS, TOPIC_SYNONYMS } from '#src/config/topic-configs.ts'

const kafka = readFileSync(new URL('./kafka-4.3.1-configs.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t') as [string, string, string, string])
const ours = new Set(EMBEDDED_DEFAULTS.map(({ name }) => name))
/** Known to Kafka elsewhere than in its broker's definition: throttles and its authorizer. */
const elsewhere = [
  'leader.replication.throttled.rate',
  'follower.replication.throttled.rate',
  'replica.alter.log.dirs.io.max.bytes.per.second',
  'super.users',
  'allow.everyone.if.no.acl.found',
]

test('TOPIC_CONFIGS has the names, types and defaults of Kafka 4.3.1', () => {
  const theirs = kafka.filter(([kind]) => kind === 'topic').map(([, ...rest]) => rest)
  const mine = TOPIC_CONFIGS.map(({ name, type, defaultValue }) => [
    name,
    type,
    defaultValue ?? '-',
  ])
  expect(mine).toEqual(theirs)
})

test('BROKER_CONFIGS has the names, types and, but for the embedded ones, defaults of Kafka 4.3.1', () => {
  const theirs = kafka.filter(([kind]) => kind === 'broker').map(([, ...rest]) => rest)
  const mine = [...BROKER_CONFIGS.values()]
    .filter(({ name }) => !name.startsWith('millrace.') && !elsewhere.includes(name))
    .map(({ name, type, defaultValue }) => [name, type, defaultValue ?? '-'])
    .sort(([left = ''], [right = '']) => (left < right ? -1 : 1))
  const hideOurs = (rows: string[][]) =>
    rows.map(([name = '', type, value]) => [name, type, ours.has(name) ? 'ours' : value])
  expect(theirs).toHaveLength(360)
  expect(hideOurs(mine)).toEqual(hideOurs(theirs))
})

test('EMBEDDED_DEFAULTS differ from Kafka and take effect', () => {
  for (const { name, value, reason } of EMBEDDED_DEFAULTS) {
    const theirs = kafka.find(([kind, key]) => kind === 'broker' && key === name)
    expect(theirs?.[3], name).not.toBe(value)
    expect(BROKER_CONFIGS.get(name)?.defaultValue, name).toBe(value)
    expect(reason).not.toBe('')
  }
})

test('Every default satisfies its own rule, but for the lists that may be left out', () => {
  for (const definition of [...TOPIC_CONFIGS, ...BROKER_CONFIGS.values()]) {
    if (definition.defaultValue === null) continue
    expect(
      () => parseConfigValue(definition, definition.defaultValue ?? ''),
      definition.name,
    ).not.toThrow()
  }
})

test('Every key is documented by one sentence without a full stop', () => {
  for (const { name, documentation } of [...TOPIC_CONFIGS, ...BROKER_CONFIGS.values()]) {
    expect(documentation, name).toMatch(/^[A-Z].*[^.]$/)
  }
})

test('MILLRACE_CONFIGS all begin with millrace.', () => {
  expect(MILLRACE_CONFIGS.filter(({ name }) => !name.startsWith('millrace.'))).toEqual([])
})

test('TOPIC_SYNONYMS and FALLBACKS name only keys that exist', () => {
  const names = [...TOPIC_SYNONYMS.values()].flat().map(({ name }) => name)
  expect([...names, ...FALLBACKS.flat()].filter((name) => !BROKER_CONFIGS.has(name))).toEqual([])
  const topicKeys = TOPIC_CONFIGS.map(({ name }) => name)
  expect([...TOPIC_SYNONYMS.keys()].filter((name) => !topicKeys.includes(name))).toEqual([])
})

test('updateMode() is that of Kafka 4.3.1 for every key', () => {
  const theirs = kafka.filter(([kind]) => kind === 'mode').map(([, name, mode]) => [name, mode])
  const mine = [...BROKER_CONFIGS.keys()]
    .map((name) => [name, updateMode(name)])
    .filter(([, mode]) => mode !== 'read-only')
  expect(mine.sort()).toEqual(theirs.sort())
})
