// The metadata log that Kafka wrote: each record decoded as Kafka's tool prints it, and encoded again byte for byte.
import { expect, test } from 'vitest'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
} from '#src/protocol/records/metadata-record.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { expectedDump, goldenBytes, goldenFiles } from './golden.ts'

const files = (['datadir', 'recovered'] as const).flatMap((directory) =>
  goldenFiles(directory, '__cluster_metadata-0/*.{log,checkpoint}').map((file) => ({
    directory,
    file,
  })),
)

test.each(files)(
  'Metadata records of $directory/$file are read as Kafka prints them',
  ({ directory, file }) => {
    const payloads = (expectedDump(directory).get(file) ?? []).flatMap((line) => {
      const json = / payload: (.*)$/.exec(line)?.[1]
      return json === undefined ? [] : [JSON.parse(json)]
    })
    const records = valuesOf(directory, file).map((value) => decodeMetadataRecord(value))
    expect(records.length).toBe(payloads.length)
    for (const [index, { type, version, data }] of records.entries()) {
      const name = type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
      // Kafka's tool leaves out tagged fields that have their default.
      expect({ type: name, version, data }).toMatchObject(payloads[index])
    }
  },
)

test('encodeMetadataRecord() writes every metadata record again', () => {
  let count = 0
  for (const { directory, file } of files) {
    for (const value of valuesOf(directory, file)) {
      const again = encodeMetadataRecord(decodeMetadataRecord(value))
      expect(Buffer.compare(again, value), `${directory}/${file}`).toBe(0)
      count += 1
    }
  }
  expect(count).toBeGreaterThan(150)
})

function valuesOf(directory: 'datadir' | 'recovered', file: string): Uint8Array[] {
  return [...readBatches(goldenBytes(directory, file))]
    .filter((batch) => !batch.isControl)
    .flatMap((batch) => [...readRecords(batch)])
    .map(({ value }) => value ?? new Uint8Array())
}
