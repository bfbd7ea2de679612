// Resets over HTTP lead where Kafka's ConsumerGroupCommand leads with the same options, on the same group of ours.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, startBroker } from '../../mod.ts'
import { kafkaAbsence, runJava } from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-resets-'))
const GROUP = 'resets'
/** The time of a record is this plus a second for each offset. */
const START_MS = Date.parse('2026-01-31T12:00:00.000Z')

const timeOf = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString()

/** `all` is what the group has committed: both partitions of one topic, one of two of the other. */
const CASES: readonly { argv: readonly string[]; body: object }[] = [
  { argv: ['--to-earliest'], body: { to: 'earliest' } },
  { argv: ['--to-latest'], body: { to: 'latest' } },
  { argv: ['--to-current'], body: { to: 'current' } },
  { argv: ['--to-offset', '12'], body: { to: 'offset', offset: 12 } },
  { argv: ['--to-offset', '2'], body: { to: 'offset', offset: 2 } },
  { argv: ['--to-offset', '500'], body: { to: 'offset', offset: 500 } },
  { argv: ['--shift-by', '3'], body: { to: 'shift', shift: 3 } },
  { argv: ['--shift-by', '-3'], body: { to: 'shift', shift: -3 } },
  { argv: ['--shift-by', '500'], body: { to: 'shift', shift: 500 } },
  { argv: ['--shift-by', '-500'], body: { to: 'shift', shift: -500 } },
  {
    argv: ['--to-datetime', timeOf(14)],
    body: { to: 'timestamp', timestamp: timeOf(14) },
  },
  {
    argv: ['--to-datetime', timeOf(14.5)],
    body: { to: 'timestamp', timestamp: START_MS + 14_500 },
  },
  {
    argv: ['--to-datetime', timeOf(-9)],
    body: { to: 'timestamp', timestamp: timeOf(-9) },
  },
  {
    argv: ['--to-datetime', timeOf(9e6)],
    body: { to: 'timestamp', timestamp: timeOf(9e6) },
  },
  { argv: ['--by-duration', 'PT1H'], body: { to: 'duration', duration: 'PT1H' } },
  { argv: ['--by-duration', 'P20000D'], body: { to: 'duration', duration: 'P20000D' } },
]

/** What each case covers: all that is committed, all of a topic, and one partition. */
const SCOPES: readonly { argv: readonly string[]; body: object }[] = [
  { argv: ['--all-topics'], body: {} },
  { argv: ['--topic', 'orders'], body: { topics: ['orders'] } },
  {
    argv: ['--topic', 'visits:1'],
    body: { partitions: [{ topic: 'visits', partition: 1 }] },
  },
]

let broker: RunningBroker | undefined
beforeAll(async () => {
  if (absence !== undefined) return
  broker = await startBroker({ http: false, data: join(scratch, 'data') })
  for (const topic of ['orders', 'visits']) {
    await ask('POST', `/v3/clusters/${broker.broker.clusterId}/topics`, {
      topic_name: topic,
      partitions_count: 2,
    })
    const records = Array.from({ length: 40 }, (_, index) => ({
      value: index,
      partition: index % 2,
      timestamp: START_MS + Math.floor(index / 2) * 1000,
    }))
    await ask('POST', `/topics/${topic}`, { records })
  }
  // A log that begins at 5.
  const at = { topic: 'orders', partition: 0, offset: 5 }
  await broker.broker.deleteRecords(
    { principal: 'User:ANONYMOUS', clientId: '', clientAddress: '' },
    at,
  )
  await ask('POST', `/groups/${GROUP}/reset`, {
    to: 'offset',
    partitions: [
      { topic: 'orders', partition: 0, offset: 9 },
      { topic: 'orders', partition: 1, offset: 17 },
      { topic: 'visits', partition: 1, offset: 20 },
    ],
  })
}, 300_000)
afterAll(async () => {
  await broker?.stop()
  rmSync(scratch, { recursive: true, force: true })
})

async function ask(method: string, path: string, body: object): Promise<unknown> {
  const request = new Request(`http://localhost${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const response = await broker?.fetch(request)
  const text = (await response?.text()) ?? ''
  if (response?.ok !== true) throw new Error(`${method} ${path}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

/** The rows that the tool printed, as `orders-0: 7`. */
function printedOffsets(lines: readonly string[]): string[] {
  const rows = lines.map((line) =>
    new RegExp(`^${GROUP} +(\\S+) +(\\d+) +(\\d+)$`).exec(line.trim()),
  )
  return rows.flatMap((row) => (row ? [`${row[1]}-${row[2]}: ${row[3]}`] : [])).sort()
}

async function ourOffsets(body: object): Promise<string[]> {
  const answer = await ask('POST', `/groups/${GROUP}/reset`, { ...body, dry_run: true })
  const { partitions } = answer as {
    partitions: { topic: string; partition: number; to: number }[]
  }
  return partitions.map(({ topic, partition, to }) => `${topic}-${partition}: ${to}`).sort()
}

test.skipIf(absence !== undefined)(
  `A reset over HTTP gives the offsets that Kafka's ConsumerGroupCommand gives${suffix}`,
  async () => {
    const combinations = CASES.flatMap((way) =>
      SCOPES.map((scope) => ({
        argv: [...way.argv, ...scope.argv],
        body: { ...way.body, ...scope.body },
      })),
    )
    const jobs = join(scratch, 'jobs')
    const common = ['--bootstrap-server', broker?.kafka ?? '', '--group', GROUP, '--reset-offsets']
    const lines = combinations.map(({ argv }) => [...common, ...argv, '--dry-run'].join('\t'))
    writeFileSync(jobs, lines.join('\n'))
    const output = await runJava(fileURLToPath(new URL('GroupResets.java', import.meta.url)), jobs)
    const printed = output.split(/^job \d+$/m).slice(1)
    expect(printed.length).toBe(combinations.length)
    for (const [index, { argv, body }] of combinations.entries()) {
      const theirs = printedOffsets((printed[index] ?? '').split('\n'))
      expect(theirs, `${argv.join(' ')}: ${printed[index]}`).not.toEqual([])
      expect([argv, await ourOffsets(body)]).toEqual([argv, theirs])
    }
  },
  300_000,
)
