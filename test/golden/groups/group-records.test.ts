// What a real Kafka wrote for groups of every kind: decoded, and encoded again to the same bytes.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type GroupRecord, groupRecordCodec } from '#src/groups/group-record.ts'
import { type LogRecord, readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'

const log = readFileSync(new URL('./consumer-offsets.log', import.meta.url))
const records: readonly LogRecord[] = [...readBatches(new Uint8Array(log))].flatMap((batch) => [
  ...readRecords(batch),
])

function decoded({ key, value }: LogRecord): GroupRecord {
  const record = groupRecordCodec.decode(key ?? new Uint8Array(0), value)
  if (record === undefined) throw new Error('A record of an unknown type')
  return record
}

const all = records.map(decoded)

test('groupRecordCodec writes every record of Kafka as Kafka wrote it', () => {
  for (const [index, { key, value, offset }] of records.entries()) {
    const again = groupRecordCodec.encode(all[index] as GroupRecord)
    expect(Buffer.from(again.key).toString('hex'), `key at ${offset}`).toBe(hex(key))
    expect(again.value && Buffer.from(again.value).toString('hex'), `value at ${offset}`).toBe(
      value && hex(value),
    )
  }
})

test('groupRecordCodec chooses the versions that Kafka writes', () => {
  for (const [index, { value, offset }] of records.entries()) {
    const { version: _, ...record } = all[index] as GroupRecord
    const again = groupRecordCodec.encode(record as GroupRecord)
    expect(again.value && Buffer.from(again.value).toString('hex'), `value at ${offset}`).toBe(
      value && hex(value),
    )
  }
})

test('The golden records are of every type that Kafka 4.3 writes for such groups', () => {
  const types = all.map(({ type, value }) => (value === null ? `${type} removed` : type))
  expect([...new Set(types)].sort()).toMatchInlineSnapshot(`
    [
      "ConsumerGroupCurrentMemberAssignment",
      "ConsumerGroupCurrentMemberAssignment removed",
      "ConsumerGroupMemberMetadata",
      "ConsumerGroupMemberMetadata removed",
      "ConsumerGroupMetadata",
      "ConsumerGroupRegularExpression",
      "ConsumerGroupTargetAssignmentMember",
      "ConsumerGroupTargetAssignmentMember removed",
      "ConsumerGroupTargetAssignmentMetadata",
      "GroupMetadata",
      "GroupMetadata removed",
      "OffsetCommit",
      "OffsetCommit removed",
      "ShareGroupCurrentMemberAssignment",
      "ShareGroupMemberMetadata",
      "ShareGroupMetadata",
      "ShareGroupStatePartitionMetadata",
      "ShareGroupTargetAssignmentMember",
      "ShareGroupTargetAssignmentMetadata",
      "StreamsGroupCurrentMemberAssignment",
      "StreamsGroupMemberMetadata",
      "StreamsGroupMetadata",
      "StreamsGroupTargetAssignmentMember",
      "StreamsGroupTargetAssignmentMetadata",
      "StreamsGroupTopology",
    ]
  `)
})

test('groupRecordCodec.decode() says what was committed, by whom, and for how long', () => {
  const commits = all.flatMap((record) => (record.type === 'OffsetCommit' ? [record] : []))
  const ofGroup = (group: string) => commits.find(({ key }) => key.group === group)
  const place = { topic: 'golden', partition: 0 }
  expect(ofGroup('simple')).toMatchObject({
    key: place,
    value: { offset: 11, leaderEpoch: 0, metadata: 'note', expireTimestamp: -1 },
    version: 4,
  })
  expect(ofGroup('simple')?.value?.topicId).not.toBe('AAAAAAAAAAAAAAAAAAAAAA')
  const { value, version } = ofGroup('expiring') ?? {}
  expect(version).toBe(1)
  expect(Number(value?.expireTimestamp) - Number(value?.commitTimestamp)).toBe(3_600_000)
})

test('groupRecordCodec.decode() passes over types and versions that it does not know', () => {
  const { key } = groupRecordCodec.encode(all[0] as GroupRecord)
  const value = new Uint8Array([0, 99, 1, 2, 3])
  expect(groupRecordCodec.decode(key, value)).toBeUndefined()
  expect(groupRecordCodec.decode(new Uint8Array([0, 77, 0]), value)).toBeUndefined()
  expect(groupRecordCodec.decode(new Uint8Array([0, 77, 0]), null)).toBeUndefined()
})

test('groupRecordCodec.decode() reads commits of the oldest type, and refuses what is cut short', () => {
  const commit = records.find((_, index) => all[index]?.type === 'OffsetCommit')
  const legacy = new Uint8Array(commit?.key ?? [])
  legacy[1] = 0
  expect(groupRecordCodec.decode(legacy, commit?.value ?? null)).toMatchObject({
    type: 'OffsetCommit',
    key: { group: 'simple', topic: 'golden', partition: 0 },
  })
  const short = (commit?.value ?? new Uint8Array(0)).subarray(0, 9)
  expect(() => groupRecordCodec.decode(legacy, short)).toThrow()
})

test('A decoded record keeps nothing of the bytes that it was decoded from', () => {
  for (const { key, value } of records) {
    const [keyCopy, valueCopy] = [key?.slice() ?? null, value?.slice() ?? null]
    const record = groupRecordCodec.decode(keyCopy ?? new Uint8Array(0), valueCopy)
    keyCopy?.fill(0xff)
    valueCopy?.fill(0xff)
    const again = groupRecordCodec.encode(record as GroupRecord)
    expect(again.value && Buffer.from(again.value).toString('hex')).toBe(value && hex(value))
  }
})

function hex(bytes: Uint8Array | null): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
