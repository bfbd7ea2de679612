// updateFeatures: what it writes, and what one level asks of another.
import { expect, test } from 'vitest'
import type { NewMetadataRecord } from '../../../../src/protocol/records/metadata-record.ts'
import { MemoryStore } from '../memory-store.ts'
import { dataRecords, startProvider, storedRecords } from '../provider-fixture.ts'

const ELR = 'eligible.leader.replicas.version'

/** A provider whose log came from an older Kafka: these levels, and these `min.insync.replicas` by broker. */
async function startWithLevels(levels: Record<string, number>, minInSync: Record<string, string>) {
  const features = Object.entries(levels).map(
    ([name, featureLevel]): NewMetadataRecord => ({
      type: 'FeatureLevelRecord',
      version: 0,
      data: { name, featureLevel },
    }),
  )
  const configs = Object.entries(minInSync).map(
    ([resourceName, value]): NewMetadataRecord => ({
      type: 'ConfigRecord',
      version: 0,
      data: { resourceType: 4, resourceName, name: 'min.insync.replicas', value },
    }),
  )
  return await startProvider(new MemoryStore(storedRecords([...features, ...configs])))
}

const update = (feature: string, level: number) => ({
  kind: 'updateFeatures' as const,
  updates: [{ feature, level, upgradeType: 'upgrade' as const }],
})

test('updateFeatures makes min.insync.replicas one for all before eligible leaders hang on it', async () => {
  const { provider, store } = await startWithLevels({ 'metadata.version': 25 }, { '1': '2' })
  const end = store.records.length
  await provider.submit(update(ELR, 1))
  expect(provider.image.features.get(ELR)).toBe(1)
  const config = { resourceType: 4, name: 'min.insync.replicas' }
  expect(dataRecords(store.records, end).map(({ data }) => data)).toMatchObject([
    { ...config, resourceName: '', value: '1' },
    { ...config, resourceName: '1', value: null },
    { name: ELR, featureLevel: 1 },
  ])
})

test('updateFeatures refuses eligible leaders until the metadata can name them', async () => {
  const { provider } = await startWithLevels({ 'metadata.version': 20 }, {})
  const refused = provider.submit(update(ELR, 1))
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_UPDATE_VERSION' })
  const both = update('metadata.version', 30)
  await provider.submit({ ...both, updates: [...both.updates, ...update(ELR, 1).updates] })
  expect(provider.image.features.get(ELR)).toBe(1)
  expect(provider.image.features.get('metadata.version')).toBe(30)
})

test('updateFeatures writes nothing for a level that is in force', async () => {
  const { provider, store } = await startProvider()
  const end = store.records.length
  await provider.submit(update('group.version', 1))
  expect(store.records).toHaveLength(end)
})
