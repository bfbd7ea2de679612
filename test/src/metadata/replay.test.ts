// Replay: records to image, transactions, refusals; and back to records.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wholeDelta } from '../../../src/metadata/delta.ts'
import { EMPTY_IMAGE } from '../../../src/metadata/image.ts'
import { ImageBuilder } from '../../../src/metadata/image-builder.ts'
import { replayMetadata } from '../../../src/metadata/replay.ts'
import { imageRecords } from '../../../src/metadata/snapshot.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type NewMetadataRecord,
} from '../../../src/protocol/records/metadata-record.ts'
import { DIRECTORY_ID, plain, storedRecords } from './provider-fixture.ts'

const A = 'AAAAAAAAAAAAAAAAAAAAAg'
const B = 'AAAAAAAAAAAAAAAAAAAAAw'

function topic(name: string, topicId: string): NewMetadataRecord {
  return { type: 'TopicRecord', version: 0, data: { name, topicId } }
}

function partition(topicId: string, partitionId: number, more: object = {}): NewMetadataRecord {
  const data = {
    partitionId,
    topicId,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: [DIRECTORY_ID],
    ...more,
  }
  return { type: 'PartitionRecord', version: 2, data }
}

function change(topicId: string, partitionId: number, more: object): NewMetadataRecord {
  return { type: 'PartitionChangeRecord', version: 2, data: { partitionId, topicId, ...more } }
}

function config(name: string, value: string | null, resourceName = 'a'): NewMetadataRecord {
  const data = { resourceType: 2, resourceName, name, value }
  return { type: 'ConfigRecord', version: 0, data }
}

const broker: NewMetadataRecord = {
  type: 'RegisterBrokerRecord',
  version: 4,
  data: {
    brokerId: 1,
    incarnationId: A,
    brokerEpoch: 9,
    endPoints: [],
    features: [],
    rack: null,
    logDirs: [DIRECTORY_ID],
  },
}

const begin: NewMetadataRecord = { type: 'BeginTransactionRecord', version: 0, data: {} }
const end: NewMetadataRecord = { type: 'EndTransactionRecord', version: 0, data: {} }
const abort: NewMetadataRecord = { type: 'AbortTransactionRecord', version: 0, data: {} }

const imageOf = (...records: NewMetadataRecord[]) => replayMetadata(storedRecords(records)).image

test('replay makes topics, partitions and configs', () => {
  const image = imageOf(topic('a', A), partition(A, 1), partition(A, 0), config('x', '1'))
  expect(image.topic('a')?.id).toBe(A)
  expect(image.topicById(A)?.partitions.map((p) => p.partition)).toEqual([0, 1])
  expect(image.partition({ topic: 'a', partition: 1 })?.leader).toBe(1)
  expect([...image.configs({ type: 2, name: 'a' })]).toEqual([['x', '1']])
  expect(image.offset).toBe(3)
  expect(image.epoch).toBe(1)
})

test('a partition change raises the partition epoch, and the leader epoch when it names a leader', () => {
  const first = imageOf(topic('a', A), partition(A, 0), change(A, 0, { isr: [] }))
  expect(first.partition({ topic: 'a', partition: 0 })).toMatchObject({
    isr: [],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 1,
  })
  const second = imageOf(topic('a', A), partition(A, 0), change(A, 0, { leader: 1 }))
  expect(second.partition({ topic: 'a', partition: 0 })).toMatchObject({
    isr: [1],
    leader: 1,
    leaderEpoch: 1,
    partitionEpoch: 1,
  })
})

test('RemoveTopicRecord takes partitions, configs and the name with it', () => {
  const remove: NewMetadataRecord = { type: 'RemoveTopicRecord', version: 0, data: { topicId: A } }
  const image = imageOf(topic('a.b', A), partition(A, 0), config('x', '1', 'a.b'), remove)
  expect({ ...plain(image), quorum: 0 }).toEqual({ ...plain(EMPTY_IMAGE), quorum: 0 })
  const again = imageOf(topic('a', A), remove, topic('a', B), partition(B, 0))
  expect(again.topic('a')?.id).toBe(B)
})

test('ClearElrRecord forgets eligible replicas of one topic, or of all', () => {
  const elr = { eligibleLeaderReplicas: [2], lastKnownElr: [3] }
  const both = [topic('a', A), partition(A, 0, elr), topic('b', B), partition(B, 0, elr)]
  const clear = (topicName: string): NewMetadataRecord => ({
    type: 'ClearElrRecord',
    version: 0,
    data: { topicName },
  })
  const one = imageOf(...both, clear('a'))
  expect(one.topic('a')?.partitions[0]).toMatchObject({
    elr: [],
    lastKnownElr: [],
    partitionEpoch: 1,
  })
  expect(one.topic('b')?.partitions[0]).toMatchObject({ elr: [2], lastKnownElr: [3] })
  expect(imageOf(...both, clear('')).topic('b')?.partitions[0]).toMatchObject({ elr: [] })
  expect(
    imageOf(topic('a', A), partition(A, 0), clear('')).topic('a')?.partitions[0],
  ).toMatchObject({
    partitionEpoch: 0,
  })
})

test('partitions from before directory ids are in the directory MIGRATING', () => {
  const old: NewMetadataRecord = { ...partition(A, 0, { directories: [] }) }
  const image = imageOf(topic('a', A), old)
  expect(image.topic('a')?.partitions[0]?.directories).toEqual(['AAAAAAAAAAAAAAAAAAAAAA'])
})

test('broker registrations change by what a record sets', () => {
  const shutdown: NewMetadataRecord = {
    type: 'BrokerRegistrationChangeRecord',
    version: 3,
    data: { brokerId: 1, brokerEpoch: 9, fenced: -1, inControlledShutdown: 1 },
  }
  const image = imageOf(broker, shutdown)
  expect(image.brokers.get(1)).toMatchObject({
    fenced: false,
    inControlledShutdown: true,
    logDirs: [DIRECTORY_ID],
    cordonedLogDirs: null,
  })
  const fence: NewMetadataRecord = {
    type: 'FenceBrokerRecord',
    version: 0,
    data: { id: 1, epoch: 9 },
  }
  expect(imageOf(broker, shutdown, fence).brokers.get(1)?.fenced).toBe(true)
  const gone: NewMetadataRecord = {
    type: 'UnregisterBrokerRecord',
    version: 0,
    data: { brokerId: 1, brokerEpoch: 9 },
  }
  expect(imageOf(broker, gone).brokers.size).toBe(0)
})

test('a transaction takes effect at its end', () => {
  const inside = [topic('a', A), partition(A, 0)]
  expect(imageOf(begin, ...inside, end).topicCount).toBe(1)
  expect(imageOf(begin, ...inside, abort).topicCount).toBe(0)
  const open = replayMetadata(storedRecords([topic('b', B), begin, ...inside]))
  expect(open.isTransactionOpen).toBe(true)
  expect([...open.image.topics()].map((t) => t.name)).toEqual(['b'])
  expect(open.image.offset).toBe(3)
})

test('a leader change inside a transaction outlives its abort', () => {
  const form = '00000000000702000000070002000000070000'
  const control = {
    offset: 2,
    epoch: 2,
    isControl: true,
    key: new Uint8Array([0, 0, 0, 2]),
    value: new Uint8Array(Buffer.from(form, 'hex')),
  }
  const [first, second, third] = storedRecords([begin, topic('a', A), abort])
  if (!first || !second || !third) throw new Error('Three records')
  const records = [first, second, control, { ...third, offset: 3, epoch: 2 }]
  const { image } = replayMetadata(records)
  expect(image.state.quorum.leaderId).toBe(7)
  expect([image.topicCount, image.offset, image.epoch]).toEqual([0, 3, 2])
})

test.each([
  { why: 'a change of an unknown topic', records: [change(A, 0, { leader: 1 })] },
  {
    why: 'a change of an unknown partition',
    records: [topic('a', A), change(A, 0, { leader: 1 })],
  },
  { why: 'a partition of an unknown topic', records: [partition(A, 0)] },
  { why: 'a hole between partitions', records: [topic('a', A), partition(A, 1)] },
  { why: 'a name used twice', records: [topic('a', A), topic('a', B)] },
  { why: 'an end without begin', records: [end] },
  { why: 'an abort without begin', records: [abort] },
  { why: 'a transaction in a transaction', records: [begin, begin] },
  {
    why: 'a change of a broker that is not registered',
    records: [{ type: 'UnfenceBrokerRecord', version: 0, data: { id: 1, epoch: 1 } } as const],
  },
  {
    why: 'a change of an older registration',
    records: [
      broker,
      { type: 'UnfenceBrokerRecord', version: 0, data: { id: 1, epoch: 8 } } as const,
    ],
  },
])('replay refuses $why', ({ records }) => {
  expect(() => replayMetadata(storedRecords(records))).toThrow(
    expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
  )
})

test.each([
  { why: 'a record without a value', record: { value: null } },
  { why: 'a control record without a key', record: { isControl: true } },
  {
    why: 'a control record cut short',
    record: { isControl: true, key: new Uint8Array([0, 0, 0, 2]) },
  },
])('replay refuses $why', ({ record }) => {
  const value = new Uint8Array([0])
  const whole = { offset: 5, epoch: 1, isControl: false, key: null, value, ...record }
  expect(() => replayMetadata([whole])).toThrow(
    expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
  )
})

test('replay refuses an unknown type and names its offset', () => {
  const value = new Uint8Array([1, 29, 0, 0, 0, 0, 1, 0])
  const records = [{ offset: 42, epoch: 1, isControl: false, key: null, value }]
  expect(() => replayMetadata(records)).toThrow(/offset 42: Metadata record type 29 is unknown/)
})

const everyKind: NewMetadataRecord[] = [
  { type: 'FeatureLevelRecord', version: 0, data: { name: 'group.version', featureLevel: 1 } },
  { type: 'FeatureLevelRecord', version: 0, data: { name: 'metadata.version', featureLevel: 30 } },
  broker,
  topic('a.x', A),
  partition(A, 0, { eligibleLeaderReplicas: [2], lastKnownElr: [3] }),
  partition(A, 1),
  config('x', '1', 'a.x'),
  config('y', '2', 'a.x'),
  {
    type: 'ConfigRecord',
    version: 0,
    data: { resourceType: 4, resourceName: '', name: 'z', value: '3' },
  },
  {
    type: 'RegisterControllerRecord',
    version: 0,
    data: {
      controllerId: 1,
      incarnationId: A,
      zkMigrationReady: false,
      endPoints: [],
      features: [],
    },
  },
  {
    type: 'ProducerIdsRecord',
    version: 0,
    data: { brokerId: 1, brokerEpoch: 9, nextProducerId: 5000 },
  },
  {
    type: 'ClientQuotaRecord',
    version: 0,
    data: {
      entity: [{ entityType: 'user', entityName: null }],
      key: 'k',
      value: 1.5,
      remove: false,
    },
  },
  {
    type: 'AccessControlEntryRecord',
    version: 0,
    data: {
      id: B,
      resourceType: 2,
      resourceName: 'a',
      patternType: 3,
      principal: 'User:u',
      host: '*',
      operation: 2,
      permissionType: 3,
    },
  },
  {
    type: 'UserScramCredentialRecord',
    version: 0,
    data: {
      name: 'u',
      mechanism: 1,
      salt: new Uint8Array([1]),
      storedKey: new Uint8Array([2]),
      serverKey: new Uint8Array([3]),
      iterations: 4096,
    },
  },
  {
    type: 'DelegationTokenRecord',
    version: 0,
    data: {
      owner: 'u',
      requester: 'u',
      renewers: [],
      issueTimestamp: 1,
      maxTimestamp: 2,
      expirationTimestamp: 3,
      tokenId: 't',
    },
  },
  { type: 'ZkMigrationStateRecord', version: 0, data: { zkMigrationState: 4 } },
]

test('imageRecords() gives records that make the same image, whatever their kind', () => {
  const image = imageOf(...everyKind)
  const records = [...imageRecords(image)]
  expect(plain(imageOf(...records))).toEqual(plain(image))
  expect(new Set(records.map((record) => record.type))).toEqual(
    new Set(everyKind.map((record) => record.type)),
  )
  expect(records[0]).toMatchObject({ data: { name: 'metadata.version' } })
})

test('records that remove leave nothing behind', () => {
  const removals: NewMetadataRecord[] = [
    { type: 'FeatureLevelRecord', version: 0, data: { name: 'group.version', featureLevel: 0 } },
    { type: 'RemoveAccessControlEntryRecord', version: 0, data: { id: B } },
    { type: 'RemoveUserScramCredentialRecord', version: 0, data: { name: 'u', mechanism: 1 } },
    { type: 'RemoveDelegationTokenRecord', version: 0, data: { tokenId: 't' } },
    {
      type: 'ClientQuotaRecord',
      version: 0,
      data: {
        entity: [{ entityType: 'user', entityName: null }],
        key: 'k',
        value: 0,
        remove: true,
      },
    },
  ]
  const { state } = imageOf(...everyKind, ...removals)
  const { acls, scramCredentials, delegationTokens, clientQuotas } = state
  expect([acls, scramCredentials, delegationTokens, clientQuotas].map((map) => map.size)).toEqual([
    0, 0, 0, 0,
  ])
  expect([...state.features.keys()]).toEqual(['metadata.version'])
})

test('replay in one piece or in any two pieces gives the same image', () => {
  fc.assert(
    fc.property(fc.nat(everyKind.length), (cut) => {
      const first = new ImageBuilder(imageOf(...everyKind.slice(0, cut)))
      for (const record of everyKind.slice(cut)) {
        first.apply(decodeMetadataRecord(encodeMetadataRecord(record)))
      }
      const position = { offset: everyKind.length - 1, epoch: 1 }
      // A topic cut off from its first partition would have a hole only if partitions came out of order.
      expect(plain(first.build(position))).toEqual(plain(imageOf(...everyKind)))
    }),
  )
})

test('ImageBuilder leaves its base alone and shares what did not change', () => {
  const base = imageOf(topic('a', A), partition(A, 0), topic('b', B), partition(B, 0))
  const before = JSON.stringify(plain(base))
  const builder = new ImageBuilder(base)
  builder.apply(decodeMetadataRecord(encodeMetadataRecord(change(A, 0, { leader: 1 }))))
  const next = builder.build({ offset: 9, epoch: 2 })
  expect(JSON.stringify(plain(base))).toBe(before)
  expect(next.topic('b')).toBe(base.topic('b'))
  expect(next.state.configs).toBe(base.state.configs)
  expect(next.topic('a')).not.toBe(base.topic('a'))
})

test('wholeDelta() has every partition as new', () => {
  const image = imageOf(topic('a', A), partition(A, 0), partition(A, 1), config('x', '1'))
  const delta = wholeDelta(image)
  expect(delta.partitions.map((p) => [p.topic, p.partition, p.before])).toEqual([
    ['a', 0, undefined],
    ['a', 1, undefined],
  ])
  expect(delta.configs).toEqual([{ type: 2, name: 'a' }])
})
