// UpdateFeatures: levels go up and down, all together or not at all.
import { expect, test } from 'vitest'
import { updateFeatures } from '../../../../routes/kafka/handlers/57-update-features.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  UpdateFeaturesRequest,
  UpdateFeaturesResponse,
} from '../../../../src/protocol/messages/57-update-features.ts'
import { ask } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const UPDATE = {
  api: updateFeatures,
  request: UpdateFeaturesRequest,
  response: UpdateFeaturesResponse,
}

const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3] as const

async function update(
  broker: Broker,
  updates: readonly [feature: string, level: number, upgradeType: number][],
  { version = 2, validateOnly = false } = {},
) {
  const featureUpdates = updates.map(([feature, maxVersionLevel, upgradeType]) => ({
    feature,
    maxVersionLevel,
    upgradeType,
  }))
  const { errorCode, results } = await ask(
    broker,
    UPDATE,
    { featureUpdates, validateOnly },
    version,
  )
  return { error: nameOf(errorCode), results: results.map(({ feature }) => feature) }
}

/** The level of eligible leader replicas: the one feature that is told as it is finalised. */
const elrLevel = (broker: Broker) =>
  broker.features().finalized.find(({ name }) => name.startsWith('eligible'))?.level ?? 0

const ELR = 'eligible.leader.replicas.version'

test('UpdateFeatures lowers a level and raises it again', async () => {
  const { broker } = await simulatedBroker()
  expect(elrLevel(broker)).toBe(1)
  expect((await update(broker, [[ELR, 0, SAFE]], { validateOnly: true })).error).toBe('NONE')
  expect(elrLevel(broker)).toBe(1)
  expect((await update(broker, [[ELR, 0, SAFE]])).error).toBe('NONE')
  expect(elrLevel(broker)).toBe(0)
  expect((await update(broker, [[ELR, 1, UPGRADE]])).error).toBe('NONE')
  expect(elrLevel(broker)).toBe(1)
})

test.each<[string, number, number]>([
  ['foo', 1, UPGRADE],
  ['group.version', 2, UPGRADE],
  ['group.version', -1, UPGRADE],
  ['group.version', 0, UPGRADE],
  ['group.version', 0, 0],
  ['group.version', 0, 9],
  ['metadata.version', 31, UPGRADE],
  ['metadata.version', 6, SAFE],
  ['metadata.version', 29, SAFE],
  ['metadata.version', 29, UNSAFE],
  ['kraft.version', 0, SAFE],
])('UpdateFeatures refuses %s at %i by type %i, and all that comes with it', async (...bad) => {
  const { broker } = await simulatedBroker()
  const { error, results } = await update(broker, [[ELR, 0, SAFE], bad], { version: 1 })
  expect(error).toBe('INVALID_UPDATE_VERSION')
  expect(results).toEqual([])
  expect(elrLevel(broker)).toBe(1)
})

test.each<[string, number, number]>([
  ['metadata.version', 30, UPGRADE],
  ['kraft.version', 1, UPGRADE],
  ['transaction.version', 2, SAFE],
  ['transaction.version', 1, SAFE],
  ['group.version', 0, SAFE],
])('UpdateFeatures takes %s at %i by type %i', async (...good) => {
  const { broker } = await simulatedBroker()
  expect((await update(broker, [good])).error).toBe('NONE')
})

test.each([
  { version: 0, results: ['group.version'] },
  { version: 1, results: ['group.version'] },
  { version: 2, results: [] },
])(
  'UpdateFeatures v$version tells results of each feature: $results',
  async ({ version, results }) => {
    const { broker } = await simulatedBroker()
    const featureUpdates = [{ feature: 'group.version', maxVersionLevel: 1 }]
    const answer = await ask(broker, UPDATE, { featureUpdates }, version)
    expect(answer.errorCode).toBe(0)
    expect(answer.results.map(({ feature }) => feature)).toEqual(results)
  },
)

test('UpdateFeatures v0 lowers a level where it may', async () => {
  const { broker } = await simulatedBroker()
  const lower = async (allowDowngrade: boolean) => {
    const featureUpdates = [{ feature: ELR, maxVersionLevel: 0, allowDowngrade }]
    return nameOf((await ask(broker, UPDATE, { featureUpdates }, 0)).errorCode)
  }
  expect(await lower(false)).toBe('INVALID_UPDATE_VERSION')
  expect(await lower(true)).toBe('NONE')
  expect(elrLevel(broker)).toBe(0)
})
