// DescribeConfigs: values, where they come from, and what has none.
import { expect, test } from 'vitest'
import { describeConfigs } from '../../../../routes/kafka/handlers/32-describe-configs.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../../../src/protocol/messages/32-describe-configs.ts'
import { ask, create, topicToCreate } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const DESCRIBE = {
  api: describeConfigs,
  request: DescribeConfigsRequest,
  response: DescribeConfigsResponse,
}

const [TOPIC, BROKER, LOGGER, METRICS, GROUP] = [2, 4, 8, 16, 32] as const

async function describe(
  broker: Broker,
  type: number,
  name: string,
  options: { keys?: string[] | null; version?: number; isFull?: boolean } = {},
) {
  const { keys = null, version = 4, isFull = true } = options
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }]
  const request = {
    resources,
    includeSynonyms: isFull,
    ...(version >= 3 && { includeDocumentation: isFull }),
  }
  const { results } = await ask(broker, DESCRIBE, request, version)
  const [result] = results
  return { ...result, error: nameOf(result?.errorCode ?? 0), configs: result?.configs ?? [] }
}

test('DescribeConfigs tells a topic everything about a config', async () => {
  const { broker } = await simulatedBroker({ config: { 'log.retention.bytes': '500' } })
  const configs = [{ name: 'retention.bytes', value: ' +7 ' }]
  await create(broker, [topicToCreate('a', { configs })])
  const described = await describe(broker, TOPIC, 'a', { keys: ['retention.bytes', 'foo'] })
  expect(described.error).toBe('NONE')
  expect(described.configs).toEqual([
    {
      name: 'retention.bytes',
      value: '7',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
      synonyms: [
        { name: 'retention.bytes', value: ' +7 ', source: 1 },
        { name: 'log.retention.bytes', value: '500', source: 4 },
        { name: 'log.retention.bytes', value: '-1', source: 5 },
      ],
      configType: 5,
      documentation: expect.stringMatching(/\w/),
    },
  ])
})

test('DescribeConfigs leaves out what was not asked for', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const { configs } = await describe(broker, TOPIC, 'a', { isFull: false })
  expect(configs.length).toBe(33)
  expect(configs.every(({ synonyms }) => synonyms.length === 0)).toBe(true)
  expect(configs.every(({ documentation }) => documentation === null)).toBe(true)
})

test.each([null, []])('DescribeConfigs takes %j for all keys', async (keys) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  expect((await describe(broker, TOPIC, 'a', { keys })).configs.length).toBe(33)
})

test('DescribeConfigs tells a broker from the default of all, and keeps secrets', async () => {
  const config = { 'ssl.key.password': 'secret', 'num.partitions': '2' }
  const { broker } = await simulatedBroker({ config })
  const change = { name: 'log.retention.ms', operation: 'set', value: '777' } as const
  await broker.alterConfigs(ANONYMOUS, { type: 'broker', name: '' }, [change])
  const clusterWide = await describe(broker, BROKER, '')
  expect(clusterWide.configs.map(({ name, configSource }) => [name, configSource])).toEqual([
    ['log.retention.ms', 3],
    ['min.insync.replicas', 3],
  ])
  const own = await describe(broker, BROKER, '1')
  const byName = new Map(own.configs.map((one) => [one.name, one]))
  expect(byName.get('log.retention.ms')).toMatchObject({ value: '777', configSource: 3 })
  expect(byName.get('num.partitions')).toMatchObject({
    value: '2',
    readOnly: true,
    configSource: 4,
  })
  const secret = { value: null, isSensitive: true, configType: 9 }
  expect(byName.get('ssl.key.password')).toMatchObject(secret)
  expect(JSON.stringify(own)).not.toContain('"secret"')
})

test.each([
  { what: 'an unknown topic', type: TOPIC, name: 'nope', error: 'UNKNOWN_TOPIC_OR_PARTITION' },
  { what: 'a bad topic', type: TOPIC, name: 'a b', error: 'INVALID_TOPIC_EXCEPTION' },
  { what: 'no topic', type: TOPIC, name: '', error: 'INVALID_TOPIC_EXCEPTION' },
  { what: 'another broker', type: BROKER, name: '2', error: 'INVALID_REQUEST' },
  { what: 'loggers', type: LOGGER, name: '1', error: 'INVALID_REQUEST' },
  { what: 'metrics without a name', type: METRICS, name: '', error: 'INVALID_REQUEST' },
  { what: 'a group without a name', type: GROUP, name: '', error: 'INVALID_REQUEST' },
  { what: 'an unknown type', type: 3, name: 'a', error: 'INVALID_REQUEST' },
])('DescribeConfigs refuses $what', async ({ type, name, error }) => {
  const { broker } = await simulatedBroker()
  const described = await describe(broker, type, name)
  expect(described).toMatchObject({ error, resourceType: type, resourceName: name, configs: [] })
  expect(described.errorMessage).toMatch(/\w/)
})

test('DescribeConfigs finds nothing set on client metrics', async () => {
  const { broker } = await simulatedBroker()
  expect(await describe(broker, METRICS, 'x')).toMatchObject({ error: 'NONE', configs: [] })
})

test('DescribeConfigs shows what a group overrides, and all that it does not', async () => {
  const { broker } = await simulatedBroker()
  const name = 'consumer.session.timeout.ms'
  const resource = { type: GROUP, name: 'g' }
  const set = (value: string) =>
    broker.admin.configs.change(
      ANONYMOUS,
      [{ resource, changes: [{ name, operation: 'set', value }] }],
      false,
    )
  expect(await set('50000')).toEqual([undefined])
  expect(await set('1')).toEqual([expect.objectContaining({ code: 'INVALID_CONFIG' })])
  const { configs } = await describe(broker, GROUP, 'g')
  expect(configs.length).toBe(17)
  expect(configs.find((one) => one.name === name)).toMatchObject({
    value: '50000',
    configSource: 8,
    configType: 3,
    synonyms: [
      { name, value: '50000', source: 8 },
      { name: `group.${name}`, value: '45000', source: 5 },
    ],
  })
})

test.each([1, 2, 3, 4])('DescribeConfigs is served in version %i', async (version) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const { configs } = await describe(broker, TOPIC, 'a', { version })
  expect(configs.length).toBe(33)
  expect(configs[0]?.configType).toBe(version >= 3 ? 7 : 0)
})
