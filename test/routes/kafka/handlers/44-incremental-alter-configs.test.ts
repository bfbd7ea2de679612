// IncrementalAlterConfigs and AlterConfigs: what changes, what is refused, each resource by itself.
import { expect, test } from 'vitest'
import { alterConfigs } from '../../../../routes/kafka/handlers/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../../../routes/kafka/handlers/44-incremental-alter-configs.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  AlterConfigsRequest,
  AlterConfigsResponse,
} from '../../../../src/protocol/messages/33-alter-configs.ts'
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../../../src/protocol/messages/44-incremental-alter-configs.ts'
import { ask, create } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const CHANGE = {
  api: incrementalAlterConfigs,
  request: IncrementalAlterConfigsRequest,
  response: IncrementalAlterConfigsResponse,
}
const REPLACE = { api: alterConfigs, request: AlterConfigsRequest, response: AlterConfigsResponse }

const [TOPIC, BROKER, LOGGER] = [2, 4, 8] as const
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const

type Change = readonly [name: string, operation: number, value: string | null]
type Resource = readonly [type: number, name: string, ...changes: Change[]]

async function change(
  broker: Broker,
  resources: readonly Resource[],
  { version = 1, validateOnly = false } = {},
) {
  const asked = resources.map(([resourceType, resourceName, ...changes]) => ({
    resourceType,
    resourceName,
    configs: changes.map(([name, configOperation, value]) => ({ name, configOperation, value })),
  }))
  const { responses } = await ask(broker, CHANGE, { resources: asked, validateOnly }, version)
  return responses.map(({ errorCode }) => nameOf(errorCode))
}

async function replace(
  broker: Broker,
  resources: readonly (readonly [number, string, ...[string, string | null][]])[],
  { version = 2, validateOnly = false } = {},
) {
  const asked = resources.map(([resourceType, resourceName, ...configs]) => ({
    resourceType,
    resourceName,
    configs: configs.map(([name, value]) => ({ name, value })),
  }))
  const { responses } = await ask(broker, REPLACE, { resources: asked, validateOnly }, version)
  return responses.map(({ errorCode }) => nameOf(errorCode))
}

/** What is set on a topic itself. */
function setOn(broker: Broker, name: string) {
  const configs = broker.describeConfigs(ANONYMOUS, { type: 'topic', name })
  const own = configs.filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
  return Object.fromEntries(own.map((config) => [config.name, config.value]))
}

test.each([0, 1])(
  'IncrementalAlterConfigs sets, appends, subtracts and deletes in version %i',
  async (version) => {
    const { broker } = await simulatedBroker()
    await create(broker, ['a'])
    const steps: [Change[], object][] = [
      [
        [
          ['retention.ms', SET, '9'],
          ['cleanup.policy', APPEND, 'compact'],
        ],
        { 'retention.ms': '9', 'cleanup.policy': 'delete,compact' },
      ],
      [
        [
          ['retention.ms', DELETE, null],
          ['cleanup.policy', SUBTRACT, 'delete'],
        ],
        { 'cleanup.policy': 'compact' },
      ],
    ]
    for (const [changes, after] of steps) {
      expect(await change(broker, [[TOPIC, 'a', ...changes]], { version })).toEqual(['NONE'])
      expect(setOn(broker, 'a')).toEqual(after)
    }
  },
)

test.each<{ why: string; resource: Resource; error: string }>([
  {
    why: 'no value',
    resource: [TOPIC, 'a', ['retention.ms', SET, null]],
    error: 'INVALID_REQUEST',
  },
  {
    why: 'no list',
    resource: [TOPIC, 'a', ['retention.ms', APPEND, '1']],
    error: 'INVALID_CONFIG',
  },
  {
    why: 'a bad value',
    resource: [TOPIC, 'a', ['retention.ms', SET, 'x']],
    error: 'INVALID_CONFIG',
  },
  { why: 'an unknown key', resource: [TOPIC, 'a', ['foo', SET, '1']], error: 'INVALID_CONFIG' },
  {
    why: 'an unknown operation',
    resource: [TOPIC, 'a', ['retention.ms', 9, '1']],
    error: 'INVALID_REQUEST',
  },
  {
    why: 'a key that comes twice',
    resource: [TOPIC, 'a', ['retention.ms', SET, '1'], ['retention.ms', SET, '2']],
    error: 'INVALID_REQUEST',
  },
  {
    why: 'an unknown topic',
    resource: [TOPIC, 'nope', ['retention.ms', SET, '1']],
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
  },
  { why: 'no topic', resource: [TOPIC, '', ['retention.ms', SET, '1']], error: 'INVALID_REQUEST' },
  {
    why: 'another broker',
    resource: [BROKER, '2', ['log.retention.ms', SET, '1']],
    error: 'INVALID_REQUEST',
  },
  {
    why: 'a broker key that needs a restart',
    resource: [BROKER, '1', ['log.dirs', SET, '/x']],
    error: 'INVALID_REQUEST',
  },
  {
    why: 'what is no broker',
    resource: [BROKER, 'x', ['log.retention.ms', SET, '1']],
    error: 'INVALID_REQUEST',
  },
  { why: 'a logger', resource: [LOGGER, '1', ['root', SET, 'INFO']], error: 'INVALID_REQUEST' },
  { why: 'an unknown type', resource: [7, 'x', ['y', SET, '1']], error: 'INVALID_REQUEST' },
])('IncrementalAlterConfigs refuses $why, and changes the others', async ({ resource, error }) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a', 'b'])
  const other: Resource = [TOPIC, 'b', ['retention.ms', SET, '5']]
  expect(await change(broker, [resource, other])).toEqual([error, 'NONE'])
  expect(setOn(broker, 'a')).toEqual({})
  expect(setOn(broker, 'b')).toEqual({ 'retention.ms': '5' })
})

test('IncrementalAlterConfigs refuses a resource that comes twice, each time', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a', 'b'])
  const results = await change(broker, [
    [TOPIC, 'a', ['retention.ms', SET, '5']],
    [TOPIC, 'b', ['retention.ms', SET, '5']],
    [TOPIC, 'a'],
  ])
  expect(results).toEqual(['INVALID_REQUEST', 'NONE', 'INVALID_REQUEST'])
  expect(setOn(broker, 'a')).toEqual({})
})

test('IncrementalAlterConfigs changes a broker and the default of all', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const retention = () =>
    broker
      .describeConfigs(ANONYMOUS, { type: 'topic', name: 'a' })
      .find(({ name }) => name === 'retention.bytes')
  expect(await change(broker, [[BROKER, '', ['log.retention.bytes', SET, '7']]])).toEqual(['NONE'])
  expect(retention()).toMatchObject({ value: '7', source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' })
  expect(await change(broker, [[BROKER, '1', ['log.retention.bytes', SET, '8']]])).toEqual(['NONE'])
  expect(retention()).toMatchObject({ value: '8', source: 'DYNAMIC_BROKER_CONFIG' })
})

test('IncrementalAlterConfigs only tries what is to be validated', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const resources: Resource[] = [[TOPIC, 'a', ['retention.ms', SET, '9']]]
  expect(await change(broker, resources, { validateOnly: true })).toEqual(['NONE'])
  expect(setOn(broker, 'a')).toEqual({})
})

test.each([0, 1, 2])(
  'AlterConfigs puts the whole set in place of the old in version %i',
  async (version) => {
    const { broker } = await simulatedBroker()
    await create(broker, ['a'])
    expect(await replace(broker, [[TOPIC, 'a', ['retention.ms', '5']]], { version })).toEqual([
      'NONE',
    ])
    expect(await replace(broker, [[TOPIC, 'a', ['segment.ms', '6']]], { version })).toEqual([
      'NONE',
    ])
    expect(setOn(broker, 'a')).toEqual({ 'segment.ms': '6' })
  },
)

test('AlterConfigs refuses values that are missing, keys that come twice, and what has no configs', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a', 'b', 'c'])
  const results = await replace(broker, [
    [TOPIC, 'a', ['retention.ms', null]],
    [TOPIC, 'b', ['retention.ms', '1'], ['retention.ms', '2']],
    [TOPIC, 'nope'],
    [BROKER, '2'],
    [LOGGER, '1', ['root', 'INFO']],
    [9, 'x'],
    [TOPIC, 'c', ['retention.ms', '3']],
  ])
  const bad = 'INVALID_REQUEST'
  expect(results).toEqual([bad, bad, 'UNKNOWN_TOPIC_OR_PARTITION', bad, bad, bad, 'NONE'])
  expect(setOn(broker, 'c')).toEqual({ 'retention.ms': '3' })
})
