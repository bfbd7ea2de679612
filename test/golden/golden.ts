// Access to the golden files: what Kafka wrote, and what Kafka's own tools read from it. README.md beside it describes them.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Int64 } from '#storage/bytes/int64.ts'
import { canonicalInt64 } from '#storage/bytes/int64.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

/** The data directories: cleanly stopped, killed, and the killed one after Kafka recovered it. */
export type GoldenDirectory = 'datadir' | 'killed' | 'recovered'

/** The path of a data directory. Read it only; tests that write work on a copy. */
export const goldenPath = (directory: GoldenDirectory): string => join(here, directory)

/** The files of a data directory that match a glob pattern, sorted, as paths from the directory: `topic-0/….log`. */
export function goldenFiles(directory: GoldenDirectory, pattern: string): string[] {
  return globSync(pattern, { cwd: goldenPath(directory) })
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted()
}

/** The bytes of one file, as a plain Uint8Array. */
export function goldenBytes(directory: GoldenDirectory, file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(goldenPath(directory), file)))
}

/** The offset in a segment file's name. */
export const offsetInName = (file: string): number => Number(/(\d{20})\.\w+$/.exec(file)?.[1])

/** A record as Kafka's consumer read it; bytes in base64. */
export interface ExpectedRecord {
  readonly offset: number
  readonly timestamp: Int64
  readonly timestampType: string
  readonly leaderEpoch: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

/** What Kafka's consumer read from a partition, and between which offsets. */
export function expectedRecords(
  directory: 'datadir' | 'recovered',
  partition: string,
  isolation: 'read_uncommitted' | 'read_committed' = 'read_uncommitted',
): { startOffset: number; endOffset: number; records: ExpectedRecord[] } {
  const path = join(here, 'expected', directory, `${partition}.${isolation}.jsonl`)
  const [head = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const records = lines.map((line): ExpectedRecord => {
    const { timestamp, ...rest } = JSON.parse(line)
    return { ...rest, timestamp: canonicalInt64(BigInt(timestamp)) }
  })
  return { ...JSON.parse(head), records }
}

/** The partitions for which `expectedRecords` knows something. */
export function expectedPartitions(directory: 'datadir' | 'recovered'): string[] {
  const cwd = join(here, 'expected', directory)
  return globSync('*.read_uncommitted.jsonl', { cwd })
    .map((name) => name.replace('.read_uncommitted.jsonl', ''))
    .toSorted()
}

/** What DumpLogSegments printed of each file. */
export function expectedDump(directory: 'datadir' | 'recovered'): Map<string, string[]> {
  const path = join(here, 'expected', directory, 'dump.txt')
  const parts = readFileSync(path, 'utf8').split(/^# (?=\S+-\d+\/\S+$)/m)
  return new Map(
    parts.slice(1).map((part) => {
      const [file = '', ...lines] = part.split('\n')
      return [file, lines.filter((line) => line !== '')]
    }),
  )
}
