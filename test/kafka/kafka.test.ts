// The harness around real Kafka: its verdict is honest, for files that Kafka wrote and for the same files damaged.
import {
  cpSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { complaints, type DumpReport, dumpLogSegments, kafkaAbsence } from './kafka.ts'

const absence = kafkaAbsence()
const withKafka = test.skipIf(absence !== undefined)
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const golden = fileURLToPath(new URL('../golden', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** One defect each, in copies of partitions that Kafka wrote. */
const defects = [
  {
    why: 'a flipped byte in a batch',
    partition: 'plain-0',
    damage: (at: string) => flip(first(at, '*.log'), 2000),
    complaint: /\.log.*isvalid: false/,
  },
  {
    why: 'a torn batch at the end',
    partition: 'plain-1',
    damage: (at: string) => cut(first(at, '*.log'), 7),
    complaint: /\.log.*Found \d+ invalid bytes/,
  },
  {
    why: 'a wrong position in an index',
    partition: 'idempotent-0',
    damage: (at: string) => flip(first(at, '*.index'), 7),
    complaint: /\.index --verify-index-only/,
  },
  {
    why: 'a wrong timestamp in a time index',
    partition: 'by-time-0',
    damage: (at: string) => flip(first(at, '*.timeindex'), 7),
    complaint: /\.timeindex --verify-index-only.*timestamp mismatch/,
  },
  {
    why: 'a time index that is not whole entries',
    partition: 'append-time-0',
    damage: (at: string) => cut(first(at, '*.timeindex'), 5),
    complaint: /\.timeindex --index-sanity-check.*CorruptIndexException/,
  },
  {
    why: 'a producer snapshot with a wrong checksum',
    partition: 'transactions-0',
    damage: (at: string) => flip(first(at, '*.snapshot'), 20),
    complaint: /\.snapshot.*corrupt/i,
  },
]

const damaged = join(scratch, 'damaged')
const reports: Record<'intact' | 'damaged', DumpReport | undefined> = {
  intact: undefined,
  damaged: undefined,
}
beforeAll(async () => {
  if (absence !== undefined) return
  for (const { partition, damage } of defects) {
    const at = join(damaged, partition)
    cpSync(join(golden, 'datadir', partition), at, { recursive: true })
    damage(at)
  }
  reports.intact = await dumpLogSegments(join(golden, 'datadir'))
  reports.damaged = await dumpLogSegments(damaged)
}, 300_000)

withKafka(`dumpLogSegments() accepts what Kafka wrote, but for the emptied batch${suffix}`, () => {
  const other = reports.intact?.problems.filter(
    (problem) => !problem.startsWith('compacted-transactions-0/'),
  )
  expect(other).toEqual([])
  expect(reports.intact?.fileCount).toBeGreaterThan(150)
})

withKafka(`dumpLogSegments() decodes the records of internal topics${suffix}`, () => {
  const lines = reports.intact?.output.get('__cluster_metadata-0/00000000000000000000.log') ?? []
  expect(lines.filter((line) => line.includes('"type":"TOPIC_RECORD"')).length).toBeGreaterThan(10)
})

test.skipIf(absence !== undefined).each(defects)(
  `dumpLogSegments() reports $why${suffix}`,
  ({ partition, complaint }) => {
    const problems = reports.damaged?.problems.filter((text) => text.startsWith(`${partition}/`))
    expect(problems?.join('\n')).toMatch(complaint)
  },
)

test.each([
  {
    why: 'gaps between offsets, which compaction leaves',
    lines: ['err Non-consecutive offsets in a.log', 'err   4 is followed by 9'],
    found: [],
  },
  {
    why: 'a header key that looks like a complaint',
    lines: ['out | offset: 0 headerKeys: [isvalid: false]'],
    found: [],
  },
  {
    why: 'offsets that go back',
    lines: ['err Non-consecutive offsets in a.log', 'err   9 is followed by 9'],
    found: ['9 is followed by 9'],
  },
  {
    why: 'a record that the decoder could not read',
    lines: ['out | offset: 3 payload: Error at 3, skipping. Unknown type'],
    found: ['| offset: 3 payload: Error at 3, skipping. Unknown type'],
  },
  {
    why: 'whatever else is on standard error, or thrown',
    lines: ['err Snapshot is corrupt', 'threw java.lang.Error'],
    found: ['err Snapshot is corrupt', 'threw java.lang.Error'],
  },
])('complaints() judges $why', ({ lines, found }) => {
  expect(complaints(lines)).toEqual(found)
})

function first(partition: string, pattern: string): string {
  const name = globSync(pattern, { cwd: partition })
    .toSorted()
    .find((candidate) => readFileSync(join(partition, candidate)).length > 0)
  return join(partition, name ?? '')
}

function flip(path: string, position: number): void {
  const bytes = readFileSync(path)
  bytes[position] = (bytes[position] ?? 0) ^ 0x10
  writeFileSync(path, bytes)
}

function cut(path: string, size: number): void {
  truncateSync(path, readFileSync(path).length - size)
}
