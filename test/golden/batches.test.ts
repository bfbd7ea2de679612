// Record batches that Kafka wrote: decoded as Kafka's own tools read them, and rebuilt byte for byte.
import { expect, test } from 'vitest'
import {
  buildBatch,
  buildEndTransactionMarker,
  type NewRecord,
} from '#storage/batch/batch-builder.ts'
import { CONTROL_TYPE, controlType, coordinatorEpoch } from '#storage/batch/control-record.ts'
import { RecordCursor, readRecords } from '#storage/batch/record.ts'
import { type RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import { addInt64 } from '#storage/bytes/int64.ts'
import {
  type ExpectedRecord,
  expectedDump,
  expectedPartitions,
  expectedRecords,
  goldenBytes,
  goldenFiles,
} from './golden.ts'

const directories = ['datadir', 'recovered'] as const
const logs = directories.flatMap((directory) =>
  goldenFiles(directory, '*/*.log').map((file) => ({ directory, file })),
)
const dumps = { datadir: expectedDump('datadir'), recovered: expectedDump('recovered') }
const base64 = (bytes: Uint8Array | null) =>
  bytes === null ? null : Buffer.from(bytes).toString('base64')

test('RecordBatch reads every header field of every batch as DumpLogSegments prints it', () => {
  let count = 0
  for (const { directory, file } of logs) {
    const lines = dumps[directory].get(file)?.filter((line) => line.startsWith('baseOffset:'))
    const batches = [...readBatches(goldenBytes(directory, file))]
    expect(printed(batches), `${directory}/${file}`).toEqual(lines)
    count += batches.length
  }
  expect(count).toBeGreaterThan(700)
})

test.each(
  directories.flatMap((directory) =>
    expectedPartitions(directory).map((partition) => ({ directory, partition })),
  ),
)(
  'readRecords() reads what Kafka reads from $partition of $directory',
  ({ directory, partition }) => {
    const { startOffset, records } = expectedRecords(directory, partition)
    const found: ExpectedRecord[] = []
    for (const file of goldenFiles(directory, `${partition}/*.log`)) {
      for (const batch of readBatches(goldenBytes(directory, file))) {
        if (batch.isControl) continue
        for (const { offset, timestamp, key, value, headers } of readRecords(batch)) {
          if (offset < startOffset) continue
          found.push({
            offset,
            timestamp,
            timestampType: batch.timestampType,
            leaderEpoch: batch.partitionLeaderEpoch,
            key: base64(key),
            value: base64(value),
            headers: headers.map((header) => [
              Buffer.from(header.key).toString('base64'),
              base64(header.value),
            ]),
          })
        }
      }
    }
    expect(found.length).toBe(records.length)
    for (const [index, record] of records.entries()) expect(found[index]).toEqual(record)
  },
)

test.each(logs)(
  'buildBatch() makes the uncompressed batches of $directory/$file again',
  ({ directory, file }) => {
    for (const batch of readBatches(goldenBytes(directory, file))) {
      const rebuilt = rebuild(batch)
      if (batch.compression === 'none')
        expect(Buffer.compare(rebuilt, batch.bytes), `at ${batch.baseOffset}`).toBe(0)
    }
  },
)

test('buildEndTransactionMarker() makes every transaction marker again', () => {
  let count = 0
  for (const { directory, file } of logs) {
    if (file.startsWith('__cluster_metadata')) continue
    for (const batch of readBatches(goldenBytes(directory, file))) {
      const [record] = [...readRecords(batch)]
      if (!batch.isControl || record === undefined || batch.hasDeleteHorizon) continue
      const { baseOffset, partitionLeaderEpoch: leaderEpoch, producerId, producerEpoch } = batch
      const marker = {
        isCommit: controlType(record) === CONTROL_TYPE.commit,
        producerId,
        producerEpoch,
        coordinatorEpoch: coordinatorEpoch(record),
        timestamp: record.timestamp,
      }
      const rebuilt = buildEndTransactionMarker(marker, { baseOffset, leaderEpoch })
      expect(Buffer.compare(rebuilt, batch.bytes), `${file} at ${baseOffset}`).toBe(0)
      count += 1
    }
  }
  expect(count).toBeGreaterThan(30)
})

test('readBatches() of the torn log ends before the torn batch', () => {
  const [intact, torn] = (['recovered', 'killed'] as const).map((directory) =>
    goldenBytes(directory, goldenFiles(directory, 'plain-0/*.log').at(-1) ?? ''),
  )
  const end = [...readBatches(torn ?? new Uint8Array())].reduce(
    (size, batch) => size + batch.sizeInBytes,
    0,
  )
  expect(end).toBe(intact?.length)
  expect(end).toBeLessThan(torn?.length ?? 0)
})

function rebuild(batch: RecordBatch): Uint8Array {
  const cursor = new RecordCursor(batch)
  const records: NewRecord[] = []
  while (cursor.next()) {
    records.push({
      offsetDelta: cursor.offsetDelta,
      timestamp: addInt64(batch.baseTimestamp, cursor.timestampDelta),
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    })
  }
  return buildBatch(records, {
    baseOffset: batch.baseOffset,
    leaderEpoch: batch.partitionLeaderEpoch,
    compression: batch.compression,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    ...(batch.hasDeleteHorizon ? { deleteHorizon: batch.baseTimestamp } : {}),
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    lastOffsetDelta: batch.lastOffsetDelta,
  })
}

/** The batches as DumpLogSegments prints them. */
function printed(batches: readonly RecordBatch[]): string[] {
  let position = 0
  return batches.map((batch) => {
    const horizon = batch.hasDeleteHorizon
      ? `OptionalLong[${batch.baseTimestamp}]`
      : 'OptionalLong.empty'
    const fields = {
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      count: batch.recordCount,
      baseSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      partitionLeaderEpoch: batch.partitionLeaderEpoch,
      isTransactional: batch.isTransactional,
      isControl: batch.isControl,
      deleteHorizonMs: horizon,
      position,
      [batch.timestampType]: batch.maxTimestamp,
      size: batch.sizeInBytes,
      magic: batch.magic,
      compresscodec: batch.compression,
      crc: batch.crc,
      isvalid: batch.isCrcValid(),
    }
    position += batch.sizeInBytes
    return Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}`)
      .join(' ')
  })
}
