// Index files that Kafka wrote: decoded as DumpLogSegments prints them, and rebuilt byte for byte from their entries.
import { expect, test } from 'vitest'
import { OffsetIndex } from '#storage/segment/offset-index.ts'
import { TimeIndex } from '#storage/segment/time-index.ts'
import { TransactionIndex } from '#storage/segment/transaction-index.ts'
import { expectedDump, goldenBytes, goldenFiles, offsetInName } from './golden.ts'

const directories = ['datadir', 'recovered'] as const
const cases = (pattern: string) =>
  directories.flatMap((directory) =>
    goldenFiles(directory, pattern).map((file) => ({ directory, file })),
  )
const dumps = { datadir: expectedDump('datadir'), recovered: expectedDump('recovered') }
const dumpOf = (directory: 'datadir' | 'recovered', file: string) =>
  dumps[directory].get(file)?.filter((line) => !line.endsWith('is empty.')) ?? []

test('OffsetIndex reads and rebuilds every .index', () => {
  for (const { directory, file } of cases('*/*.index')) {
    const bytes = goldenBytes(directory, file)
    const index = OffsetIndex.parse(offsetInName(file), bytes)
    const rebuilt = new OffsetIndex(offsetInName(file))
    const lines: string[] = []
    for (let number = 0; number < index.entries; number++) {
      const entry = index.entryAt(number)
      rebuilt.append(entry)
      lines.push(`offset: ${entry.offset} position: ${entry.position}`)
    }
    expect(lines, `${directory}/${file}`).toEqual(dumpOf(directory, file))
    expect(Buffer.compare(rebuilt.toBytes(), bytes), `${directory}/${file}`).toBe(0)
  }
})

test('TimeIndex reads and rebuilds every .timeindex', () => {
  for (const { directory, file } of cases('*/*.timeindex')) {
    const bytes = goldenBytes(directory, file)
    const index = TimeIndex.parse(offsetInName(file), bytes)
    const rebuilt = new TimeIndex(offsetInName(file))
    const lines: string[] = []
    for (let number = 0; number < index.entries; number++) {
      const entry = index.entryAt(number)
      rebuilt.maybeAppend(entry)
      lines.push(`timestamp: ${entry.timestamp} offset: ${entry.offset}`)
    }
    expect(lines, `${directory}/${file}`).toEqual(dumpOf(directory, file))
    expect(Buffer.compare(rebuilt.toBytes(), bytes), `${directory}/${file}`).toBe(0)
  }
})

test('OffsetIndex and TimeIndex pass over the zeros that a killed Kafka leaves behind', () => {
  const padded = goldenFiles('killed', '*/*.{index,timeindex}').filter(
    (file) => goldenBytes('killed', file).length > 4000,
  )
  expect(padded.length).toBeGreaterThan(8)
  for (const file of padded) {
    const bytes = goldenBytes('killed', file)
    const index = file.endsWith('.index')
      ? OffsetIndex.parse(offsetInName(file), bytes)
      : TimeIndex.parse(offsetInName(file), bytes)
    const kept = index.toBytes()
    expect(Buffer.compare(kept, bytes.subarray(0, kept.length)), file).toBe(0)
    expect(
      bytes.subarray(kept.length).every((byte) => byte === 0),
      file,
    ).toBe(true)
  }
})

test('TransactionIndex reads and rebuilds every .txnindex', () => {
  const files = cases('*/*.txnindex')
  expect(files.length).toBeGreaterThan(5)
  for (const { directory, file } of files) {
    const bytes = goldenBytes(directory, file)
    const index = TransactionIndex.parse(offsetInName(file), bytes)
    const rebuilt = new TransactionIndex(offsetInName(file))
    const lines: string[] = []
    for (let number = 0; number < index.entries; number++) {
      const entry = index.entryAt(number)
      if (entry === undefined) throw new Error(`${file} has no entry ${number}`)
      rebuilt.append(entry)
      lines.push(
        `version: 0 producerId: ${entry.producerId} firstOffset: ${entry.firstOffset} lastOffset: ${entry.lastOffset} lastStableOffset: ${entry.lastStableOffset}`,
      )
    }
    expect(lines, `${directory}/${file}`).toEqual(dumpOf(directory, file))
    expect(Buffer.compare(rebuilt.toBytes(), bytes), `${directory}/${file}`).toBe(0)
  }
})
