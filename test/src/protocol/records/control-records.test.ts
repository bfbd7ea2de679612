// KRaft control records against Kafka's own bytes.
import { expect, test } from 'vitest'
import {
  CONTROL_RECORD_TYPES,
  decodeControlKey,
  encodeControlKey,
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from '../../../../src/protocol/records/control-records.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const unhex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const ID = 'EcBj2HU8TJaSLKRhi_xImw'

// Bytes by Kafka 4.3.1: `MessageUtil.toByteBufferAccessor` of the generated classes, and a log that it wrote.
test('LeaderChangeMessage has directory ids from version 1 on', () => {
  const voters = [{ voterId: 1, voterDirectoryId: ID }]
  const value = { version: 1, leaderId: 1, voters, grantingVoters: [] }
  const form = '0001 00000001 02 00000001 11c063d8753c4c96922ca4618bfc489b 00 01 00'
  expect(hex(LeaderChangeMessage.encode(value, 1))).toBe(form.replaceAll(' ', ''))
  expect(LeaderChangeMessage.decode(unhex(form), 1)).toEqual(value)
  const old = {
    version: 0,
    leaderId: 1,
    voters: [{ voterId: 1 }],
    grantingVoters: [{ voterId: 1 }],
  }
  expect(hex(LeaderChangeMessage.encode(old, 0))).toBe('00000000000102000000010002000000010000')
})

test('VotersRecord, KRaftVersionRecord and the snapshot records have the bytes that Kafka writes', () => {
  const endpoints = [{ name: 'CONTROLLER', host: 'h', port: 9093 }]
  const kRaftVersionFeature = { minSupportedVersion: 0, maxSupportedVersion: 1 }
  const voters = [{ voterId: 1, voterDirectoryId: ID, endpoints, kRaftVersionFeature }]
  const form =
    `0000 02 00000001 11c063d8753c4c96922ca4618bfc489b 02 0b434f4e54524f4c4c4552 0268 2385 00
    0000 0001 00 00 00`.replaceAll(/\s/g, '')
  expect(hex(VotersRecord.encode({ version: 0, voters }, 0))).toBe(form)
  expect(VotersRecord.decode(unhex(form), 0)).toEqual({ version: 0, voters })
  expect(hex(KRaftVersionRecord.encode({ version: 0, kRaftVersion: 1 }, 0))).toBe('0000000100')
  const header = { version: 0, lastContainedLogTimestamp: 1_795_366_545_153 }
  expect(hex(SnapshotHeaderRecord.encode(header, 0))).toBe('0000000001a2042f670100')
  expect(hex(SnapshotFooterRecord.encode({ version: 0 }, 0))).toBe('000000')
})

test.each(Object.values(CONTROL_RECORD_TYPES))('encodeControlKey(%i) reads back', (type) => {
  expect(hex(encodeControlKey(type))).toBe(`0000000${type}`)
  expect(decodeControlKey(encodeControlKey(type))).toBe(type)
})

test.each(['', '0000', 'ffff0001'])('decodeControlKey() refuses 0x%s', (form) => {
  expect(() => decodeControlKey(unhex(form))).toThrow(
    expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
  )
})
