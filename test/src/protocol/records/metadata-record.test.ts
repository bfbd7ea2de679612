// Metadata records against Kafka's own bytes, and every type and version with itself.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  METADATA_RECORDS,
  type NewMetadataRecord,
} from '../../../../src/protocol/records/metadata-record.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { arbitraryRecord, TYPES_AND_VERSIONS } from './record-arbitraries.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const unhex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const ID = 'EcBj2HU8TJaSLKRhi_xImw'
const ID_BYTES = '11c063d8753c4c96922ca4618bfc489b'

// Bytes by Kafka 4.3.1: `MetadataRecordSerde.INSTANCE.write` of the same values set on the generated classes.
const GOLDEN: readonly { record: NewMetadataRecord; form: string }[] = [
  {
    record: {
      type: 'PartitionRecord',
      version: 2,
      data: {
        partitionId: 3,
        topicId: ID,
        replicas: [1, 2],
        isr: [1],
        removingReplicas: [],
        addingReplicas: [],
        leader: 1,
        leaderRecoveryState: 1,
        leaderEpoch: 5,
        partitionEpoch: 7,
        directories: [ID, ID],
        eligibleLeaderReplicas: [2],
      },
    },
    form: `010302 00000003 ${ID_BYTES} 03 00000001 00000002 02 00000001 01 01 00000001 00000005 00000007
      03 ${ID_BYTES} ${ID_BYTES} 02 00 01 01 01 05 02 00000002`,
  },
  {
    record: {
      type: 'PartitionChangeRecord',
      version: 2,
      data: {
        partitionId: 3,
        topicId: ID,
        isr: [],
        leader: -1,
        directories: [ID],
        eligibleLeaderReplicas: [1],
        lastKnownElr: [1],
      },
    },
    form: `010502 00000003 ${ID_BYTES} 05 00 01 01 01 04 ffffffff 06 05 02 00000001 07 05 02 00000001
      08 11 02 ${ID_BYTES}`,
  },
  {
    record: {
      type: 'ConfigRecord',
      version: 0,
      data: { resourceType: 2, resourceName: 't', name: 'retention.ms', value: null },
    },
    form: '010400 02 0274 0d726574656e74696f6e2e6d73 00 00',
  },
  {
    record: {
      type: 'BrokerRegistrationChangeRecord',
      version: 3,
      data: { brokerId: 1, brokerEpoch: 13, fenced: -1, cordonedLogDirs: [] },
    },
    form: '011103 00000001 000000000000000d 02 00 01 ff 03 01 01',
  },
  {
    record: {
      type: 'ClientQuotaRecord',
      version: 0,
      data: {
        entity: [{ entityType: 'user', entityName: null }],
        key: 'producer_byte_rate',
        value: 1024.5,
        remove: false,
      },
    },
    form: '010e00 02 0575736572 00 00 1370726f64756365725f627974655f72617465 4090020000000000 00 00',
  },
  {
    record: {
      type: 'UserScramCredentialRecord',
      version: 0,
      data: {
        name: 'é',
        mechanism: 1,
        salt: unhex('0102'),
        storedKey: unhex('03'),
        serverKey: unhex(''),
        iterations: 4096,
      },
    },
    form: '010b00 03c3a9 01 030102 0203 01 00001000 00',
  },
  {
    record: {
      type: 'ProducerIdsRecord',
      version: 0,
      data: { brokerId: 1, brokerEpoch: 13, nextProducerId: 2n ** 63n - 1n },
    },
    form: '010f00 00000001 000000000000000d 7fffffffffffffff 00',
  },
  {
    record: {
      type: 'RegisterBrokerRecord',
      version: 4,
      data: {
        brokerId: 1,
        incarnationId: ID,
        brokerEpoch: 13,
        endPoints: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 65_535, securityProtocol: 0 }],
        features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
        rack: null,
        logDirs: [ID],
      },
    },
    form: `010004 00000001 00 ${ID_BYTES} 000000000000000d
      02 0a504c41494e54455854 0a3132372e302e302e31 ffff 0000 00
      02 116d657461646174612e76657273696f6e 0007 001e 00 00 01 00 01 00 11 02 ${ID_BYTES}`,
  },
  { record: { type: 'EndTransactionRecord', version: 0, data: {} }, form: '011800 00' },
  {
    record: { type: 'BeginTransactionRecord', version: 0, data: { name: 'Bootstrap records' } },
    form: '011700 01 00 12 12426f6f747374726170207265636f726473',
  },
]

test.each(GOLDEN)('$record.type has the bytes that Kafka writes', ({ record, form }) => {
  const bytes = unhex(form.replaceAll(/\s/g, ''))
  expect(hex(encodeMetadataRecord(record))).toBe(hex(bytes))
  const decoded = decodeMetadataRecord(bytes)
  expect(decoded).toMatchObject(record)
  expect(hex(encodeMetadataRecord(decoded))).toBe(hex(bytes))
})

test('METADATA_RECORDS has every type of metadata.version 30 and no other', () => {
  const keys = Object.values(METADATA_RECORDS).map((schema) => schema.key)
  const none = [6, 13, 16]
  expect(keys).toEqual(Array.from({ length: 29 }, (_, key) => key).filter((k) => !none.includes(k)))
})

test.each(TYPES_AND_VERSIONS)(
  '$type v$version reads back as it was written',
  ({ type, version }) => {
    fc.assert(
      fc.property(arbitraryRecord(type, version), (record) => {
        const decoded = decodeMetadataRecord(encodeMetadataRecord(record))
        expect(decoded.type).toBe(type)
        expect(decoded.version).toBe(version)
        expect(decoded.data).toMatchObject(record.data)
      }),
      { numRuns: 30 },
    )
  },
)

test('decodeMetadataRecord() answers damaged bytes with a record or a refusal', () => {
  const any = fc.constantFrom(...TYPES_AND_VERSIONS)
  const records = any.chain(({ type, version }) => arbitraryRecord(type, version))
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(255), (record, at, byte) => {
      const bytes = encodeMetadataRecord(record)
      bytes[at % bytes.length] = byte
      try {
        decodeMetadataRecord(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(KafkaError)
      }
    }),
    { numRuns: 500 },
  )
})

test.each([
  {
    why: 'type 29, which is of Kafka 4.4',
    form: '011d00 00000001 00',
    code: 'UNSUPPORTED_VERSION',
  },
  { why: 'a type that never was', form: '010600 00', code: 'UNSUPPORTED_VERSION' },
  { why: 'a later version', form: '011801 00', code: 'UNSUPPORTED_VERSION' },
  { why: 'another frame', form: '021800 00', code: 'UNSUPPORTED_VERSION' },
  { why: 'bytes behind the record', form: '011800 00 00', code: 'CORRUPT_MESSAGE' },
  { why: 'nothing', form: '', code: 'CORRUPT_MESSAGE' },
])('decodeMetadataRecord() refuses $why', ({ form, code }) => {
  expect(() => decodeMetadataRecord(unhex(form))).toThrow(expect.objectContaining({ code }))
})
