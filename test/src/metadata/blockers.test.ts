// What keeps a broker from starting on some metadata.
import { expect, test } from 'vitest'
import { startBlockers } from '../../../src/metadata/blockers.ts'
import { LocalMetadataProvider } from '../../../src/metadata/local-provider.ts'
import type { NewMetadataRecord } from '../../../src/protocol/records/metadata-record.ts'
import { MemoryStore } from './memory-store.ts'
import {
  DIRECTORY_ID,
  NODE_ID,
  optionsFor,
  startProvider,
  storedRecords,
} from './provider-fixture.ts'

const allowed = {
  nodeId: NODE_ID,
  metadataDirectoryId: DIRECTORY_ID,
  authorizer: '',
  allowUnenforcedSecurity: false,
}

async function imageWith(...records: NewMetadataRecord[]) {
  const { store } = await startProvider()
  const tail = storedRecords(records).map((record) => ({
    ...record,
    offset: store.records.length + record.offset,
  }))
  return LocalMetadataProvider.open(optionsFor(new MemoryStore([...store.records, ...tail]))).image
}

const acl: NewMetadataRecord = {
  type: 'AccessControlEntryRecord',
  version: 0,
  data: {
    id: DIRECTORY_ID,
    resourceType: 2,
    resourceName: 'a',
    patternType: 3,
    principal: 'User:u',
    host: '*',
    operation: 2,
    permissionType: 3,
  },
}
const bytes = new Uint8Array([1])
const scram: NewMetadataRecord = {
  type: 'UserScramCredentialRecord',
  version: 0,
  data: { name: 'u', mechanism: 1, salt: bytes, storedKey: bytes, serverKey: bytes, iterations: 1 },
}
const feature = (name: string, featureLevel: number): NewMetadataRecord => ({
  type: 'FeatureLevelRecord',
  version: 0,
  data: { name, featureLevel },
})

test('nothing blocks a start on what this node made itself', async () => {
  expect(startBlockers(await imageWith(), allowed)).toEqual([])
})

test.each([
  { why: 'ACLs', records: [acl], says: /1 ACLs are present/ },
  { why: 'SCRAM credentials', records: [scram], says: /1 SCRAM credentials are present/ },
])('$why block a start until the user allows it', async ({ records, says }) => {
  const image = await imageWith(...records)
  expect(startBlockers(image, allowed)).toEqual([expect.stringMatching(says)])
  expect(startBlockers(image, { ...allowed, allowUnenforcedSecurity: true })).toEqual([])
})

test('an authorizer blocks a start until the user allows it', async () => {
  const options = { ...allowed, authorizer: 'org.example.Authorizer' }
  const image = await imageWith()
  expect(startBlockers(image, options)).toEqual([expect.stringContaining('org.example.Authorizer')])
  expect(startBlockers(image, { ...options, allowUnenforcedSecurity: true })).toEqual([])
})

test.each([
  { name: 'metadata.version', level: 31 },
  { name: 'metadata.version', level: 6 },
  { name: 'transaction.version', level: 3 },
  { name: 'future.version', level: 1 },
])('$name at level $level blocks a start, allowed or not', async ({ name, level }) => {
  const image = await imageWith(feature(name, level))
  const options = { ...allowed, allowUnenforcedSecurity: true }
  expect(startBlockers(image, options)).toEqual([expect.stringContaining(`level ${level}`)])
})

test('another node’s or another directory’s log blocks a start', async () => {
  const image = await imageWith()
  expect(startBlockers(image, { ...allowed, nodeId: 2 })[0]).toMatch(/quorum of \[1\]/)
  const other = { ...allowed, metadataDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAg' }
  expect(startBlockers(image, other)).toEqual([expect.stringContaining('meta.properties')])
})

test('replicas on other brokers block a start', async () => {
  const topicId = DIRECTORY_ID
  const image = await imageWith(
    { type: 'TopicRecord', version: 0, data: { name: 't', topicId } },
    {
      type: 'PartitionRecord',
      version: 2,
      data: {
        partitionId: 0,
        topicId,
        replicas: [1, 2],
        isr: [1],
        removingReplicas: [],
        addingReplicas: [],
        directories: [topicId, topicId],
      },
    },
  )
  expect(startBlockers(image, allowed)).toEqual([
    expect.stringMatching(/1 partitions .* t-0 on \[1, 2\]/),
  ])
})
