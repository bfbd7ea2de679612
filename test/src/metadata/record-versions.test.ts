// A log of an older metadata.version keeps to the record versions of that level.
import { expect, test } from 'vitest'
import type { NewMetadataRecord } from '../../../src/protocol/records/metadata-record.ts'
import { MemoryStore } from './memory-store.ts'
import { dataRecords, startProvider, storedRecords } from './provider-fixture.ts'

test.each([
  { level: 7, broker: 1, partition: 0 },
  { level: 8, broker: 2, partition: 0 },
  { level: 17, broker: 3, partition: 1 },
  { level: 21, broker: 3, partition: 1 },
  { level: 23, broker: 3, partition: 2 },
  { level: 30, broker: 4, partition: 2 },
])('at metadata.version $level brokers are v$broker and partitions v$partition', async (row) => {
  const feature: NewMetadataRecord = {
    type: 'FeatureLevelRecord',
    version: 0,
    data: { name: 'metadata.version', featureLevel: row.level },
  }
  const { provider, store } = await startProvider(new MemoryStore(storedRecords([feature])))
  await provider.submit({
    kind: 'createTopics',
    topics: [{ name: 't', configs: new Map([['min.insync.replicas', '1']]) }],
  })
  await provider.submit({ kind: 'bumpLeaderEpochs', partitions: [{ topic: 't', partition: 0 }] })
  const records = dataRecords(store.records, 1)
  const versionOf = (type: string) => records.find((record) => record.type === type)?.version
  expect(versionOf('RegisterBrokerRecord')).toBe(row.broker)
  expect(versionOf('PartitionRecord')).toBe(row.partition)
  expect(versionOf('PartitionChangeRecord')).toBe(row.partition)
  // Eligible leader replicas are not finalised here, and no level is finalised that was not.
  expect(versionOf('ClearElrRecord')).toBeUndefined()
  expect([...provider.image.features]).toEqual([['metadata.version', row.level]])
})
