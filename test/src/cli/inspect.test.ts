// Inspection of files: those that Kafka wrote, and damaged copies of them.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BatchEvent, InspectEvent, RecordEvent } from '#src/cli/inspect/inspect-event.ts'
import { buildBatch, buildEndTransactionMarker } from '#storage/batch/batch-builder.ts'
import { run } from './fixture.ts'

const golden = fileURLToPath(new URL('../../golden/datadir', import.meta.url))
let scratch: string

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'millrace-inspect-'))
})
afterAll(() => rmSync(scratch, { recursive: true }))

async function inspect(path: string, ...flags: readonly string[]) {
  const { exitCode, output, error } = await run(['inspect', path, '--json', ...flags])
  const lines = output.split('\n').filter((line) => line !== '')
  return { exitCode, error, events: lines.map((line) => JSON.parse(line) as InspectEvent) }
}
const batchesOf = (events: readonly InspectEvent[]) =>
  events.filter((event): event is BatchEvent => event.kind === 'batch')
const recordsOf = (events: readonly InspectEvent[]) =>
  events.filter((event): event is RecordEvent => event.kind === 'record')
const problemsOf = (events: readonly InspectEvent[]) =>
  events.flatMap((event) => (event.kind === 'problem' ? [event.message] : []))
const encode = (text: string) => new TextEncoder().encode(text)

/** A partition directory of its own with one segment, and its batches. */
function partition(name: string, batches: readonly Uint8Array[]): string {
  const directory = join(scratch, name)
  cpSync(join(golden, 'empty-0'), directory, { recursive: true })
  for (const file of readdirSync(directory)) if (/^\d/.test(file)) rmSync(join(directory, file))
  writeFileSync(join(directory, `${'0'.repeat(20)}.log`), Buffer.concat(batches))
  return directory
}
const record = (value: string, key?: string) => ({
  value: encode(value),
  timestamp: 1_700_000_000_000,
  ...(key === undefined ? {} : { key: encode(key) }),
})

test('inspect finds nothing wrong with what Kafka wrote, index entries included', async () => {
  const { exitCode, events, error } = await inspect(golden, '--records')
  expect(error).toBe('')
  expect(events.filter((event) => event.kind === 'problem')).toEqual([])
  expect(exitCode).toBe(0)
  expect(batchesOf(events).length).toBeGreaterThan(50)
  expect(batchesOf(events).every(({ isCrcValid }) => isCrcValid === true)).toBe(true)
  expect(new Set(batchesOf(events).map(({ compression }) => compression))).toEqual(
    new Set(['none', 'gzip', 'snappy', 'lz4', 'zstd']),
  )
})

test('inspect reads only: no file of the directory changes or appears', async () => {
  const directory = join(scratch, 'untouched')
  cpSync(golden, directory, { recursive: true, preserveTimestamps: true })
  const look = () =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((name) => {
        const { size, mtimeMs } = statSync(join(directory, name))
        return `${name} ${size} ${mtimeMs}`
      })
  const before = look()
  await inspect(directory, '--records', '--hex')
  expect(look()).toEqual(before)
})

test('inspect names the records of the metadata log', async () => {
  const { events } = await inspect(join(golden, '__cluster_metadata-0'), '--records')
  const types = recordsOf(events).map(({ meaning }) => meaning?.type)
  expect(types).toEqual(
    expect.arrayContaining([
      'LeaderChange',
      'KRaftVoters',
      'FeatureLevelRecord',
      'TopicRecord',
      'PartitionRecord',
    ]),
  )
  expect(types).not.toContain(undefined)
})

test('inspect shows batches, records, headers and what they are', async () => {
  const directory = partition('shown-0', [
    buildBatch(
      [record('a', 'k'), { ...record('b'), headers: [{ key: 'h', value: encode('1') }] }],
      {
        compression: 'gzip',
      },
    ),
    buildBatch([{ value: Uint8Array.of(0xff), timestamp: 2n ** 60n }], {
      baseOffset: 2,
      producerId: 7,
      producerEpoch: 1,
      baseSequence: 5,
      isTransactional: true,
    }),
    buildEndTransactionMarker(
      { isCommit: false, producerId: 7, producerEpoch: 1, coordinatorEpoch: 9, timestamp: 5 },
      { baseOffset: 3 },
    ),
  ])
  const { events, exitCode } = await inspect(join(directory, `${'0'.repeat(20)}.log`), '--records')
  expect(exitCode).toBe(0)
  expect(batchesOf(events)).toMatchObject([
    {
      baseOffset: 0,
      lastOffset: 1,
      recordCount: 2,
      compression: 'gzip',
      isCrcValid: true,
      position: 0,
    },
    { baseOffset: 2, producerId: '7', producerEpoch: 1, baseSequence: 5, isTransactional: true },
    { baseOffset: 3, isControl: true, sizeInBytes: 78 },
  ])
  expect(recordsOf(events)).toMatchObject([
    { offset: 0, key: 'k', value: 'a', headers: [] },
    { offset: 1, key: null, value: 'b', headers: [{ name: 'h', value: '1' }] },
    { offset: 2, value: '/w==', valueEncoding: 'base64', timestamp: String(2n ** 60n) },
    { offset: 3, meaning: { type: 'Abort', data: { coordinatorEpoch: 9 } } },
  ])
})

test('inspect sets off keys and values so that quotes of their own can be told apart', async () => {
  const directory = partition('quoted-0', [buildBatch([record('"hello"', 'en'), record('null')])])
  const { output } = await run(['inspect', directory, '--records'])
  expect(output).toContain('key “en”  value “"hello"”\n')
  expect(output).toContain('key null  value “null”\n')
})

test('inspect --offset and --limit show a part', async () => {
  const batches = [0, 1, 2, 3].map((n) => buildBatch([record(`value ${n}`)], { baseOffset: n }))
  const directory = partition('part-0', batches)
  const { events } = await inspect(directory, '--offset', '1', '--limit', '2', '--records')
  expect(batchesOf(events).map(({ baseOffset }) => baseOffset)).toEqual([1, 2])
  expect(recordsOf(events).map(({ value }) => value)).toEqual(['value 1', 'value 2'])
})

test('inspect --hex shows the bytes at their position', async () => {
  const batch = buildBatch([record('visible')])
  const directory = partition('hex-0', [batch])
  const { output } = await run(['inspect', directory, '--hex'])
  const hex = [...output.matchAll(/^ +(\d+) {2}((?:[\da-f]{2} )+ *)/gm)].map(([, , row]) =>
    row?.replaceAll(' ', ''),
  )
  expect(hex.join('')).toBe(Buffer.from(batch).toString('hex'))
  expect(output).toContain('visible')
})

test('inspect reports a flipped bit: exit code 1', async () => {
  const directory = partition('flipped-0', [
    buildBatch([record('a')]),
    buildBatch([record('b')], { baseOffset: 1 }),
  ])
  const path = join(directory, `${'0'.repeat(20)}.log`)
  const bytes = readFileSync(path)
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const { exitCode, events } = await inspect(path, '--records')
  expect(exitCode).toBe(1)
  expect(problemsOf(events)).toEqual([
    `The batch at offset 1, position ${bytes.length / 2}, has a wrong checksum`,
  ])
  expect(recordsOf(events).map(({ value }) => value)).toEqual(['a'])
  const { output } = await run(['inspect', path])
  expect(output).toContain('WRONG')
  expect(output).toContain('batches 2  records 2  bad batches 1  first offset 0  next offset 2')
})

test('inspect takes a torn tail of the active segment for a note, of a sealed one for a fault', async () => {
  const directory = partition('torn-0', [
    buildBatch([record('a')]),
    buildBatch([record('b')], { baseOffset: 1 }).subarray(0, 40),
  ])
  const active = await inspect(directory)
  expect(active.exitCode).toBe(0)
  expect(problemsOf(active.events)).toEqual([
    expect.stringMatching(/^40 bytes from position \d+ on are no whole batch: torn/),
  ])
  writeFileSync(
    join(directory, '00000000000000000002.log'),
    buildBatch([record('c')], { baseOffset: 2 }),
  )
  const sealed = await inspect(directory)
  expect(sealed.exitCode).toBe(1)
  expect(problemsOf(sealed.events)).toEqual([expect.stringMatching(/no whole batch$/)])
})

test('inspect reports index entries that the log does not bear out', async () => {
  const batches = [0, 1, 2].map((n) => buildBatch([record('v')], { baseOffset: n }))
  const directory = partition('index-0', batches)
  const size = batches[0]?.length ?? 0
  const index = new DataView(new ArrayBuffer(24))
  for (const [at, value] of [1, size, 2, 2 * size + 5, 9, 900].entries())
    index.setInt32(at * 4, value)
  const base = join(directory, '0'.repeat(20))
  writeFileSync(`${base}.index`, new Uint8Array(index.buffer))
  const times = new DataView(new ArrayBuffer(12))
  times.setBigInt64(0, 1_700_000_000_001n)
  times.setInt32(8, 1)
  writeFileSync(`${base}.timeindex`, new Uint8Array(times.buffer))
  const { exitCode, events } = await inspect(`${base}.log`)
  expect(exitCode).toBe(1)
  expect(problemsOf(events).toSorted()).toEqual([
    '1 offset index entries lie beyond the log',
    `Index entry 2 at position ${2 * size + 5} points into the batch at position ${2 * size}`,
    'Time index entry 1700000000001 of offset 1 belongs to a batch whose largest timestamp is 1700000000000',
  ])
})

test('inspect reports a batch whose offset goes back', async () => {
  const directory = partition('back-0', [
    buildBatch([record('a')], { baseOffset: 5 }),
    buildBatch([record('b')], { baseOffset: 3 }),
  ])
  const { exitCode, events } = await inspect(directory)
  expect(exitCode).toBe(1)
  expect(problemsOf(events)).toEqual([expect.stringContaining('has offset 3, below 6')])
})

test('inspect walks a batch larger than its window', async () => {
  const big = 'x'.repeat(3_000_000)
  const directory = partition('big-0', [
    buildBatch([record(big)]),
    buildBatch([record('b')], { baseOffset: 1 }),
  ])
  const { exitCode, events } = await inspect(directory, '--batches')
  expect(exitCode).toBe(0)
  expect(batchesOf(events).map(({ isCrcValid }) => isCrcValid)).toEqual([true, true])
})

test.each([
  ['meta.properties', 'clusterId'],
  ['recovery-point-offset-checkpoint', 'partition'],
  ['plain-0/partition.metadata', 'topicId'],
  ['plain-0/leader-epoch-checkpoint', 'epoch'],
  ['__cluster_metadata-0/quorum-state', 'leaderEpoch'],
])('inspect explains %s', async (name, field) => {
  const { exitCode, events } = await inspect(join(golden, name))
  expect(exitCode).toBe(0)
  expect(events.some((event) => event.kind === 'entry' && field in event.fields)).toBe(true)
})

test('inspect reports a producer snapshot with a wrong checksum', async () => {
  const source = join(golden, 'idempotent-0')
  const name = readdirSync(source).findLast((file) => file.endsWith('.snapshot')) ?? ''
  const path = join(scratch, name)
  const bytes = readFileSync(join(source, name))
  bytes[12] = (bytes[12] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const intact = await inspect(join(source, name))
  expect(intact.exitCode).toBe(0)
  const { exitCode, events } = await inspect(path)
  expect(exitCode).toBe(1)
  expect(problemsOf(events)).toEqual([expect.stringContaining('checksum')])
})

test('inspect takes zeros behind the entries of an index for preallocated space', async () => {
  const directory = partition(
    'zeros-0',
    [0, 1].map((n) => buildBatch([record('v')], { baseOffset: n })),
  )
  const path = join(directory, `${'0'.repeat(20)}.index`)
  const index = new DataView(new ArrayBuffer(8))
  index.setInt32(0, 1)
  index.setInt32(4, buildBatch([record('v')]).length)
  writeFileSync(path, new Uint8Array(index.buffer))
  truncateSync(path, 4096)
  const { exitCode, events } = await inspect(directory)
  expect({ exitCode, problems: problemsOf(events) }).toEqual({ exitCode: 0, problems: [] })
})

test.each([
  ['nothing', 'There is nothing at'],
  ['empty', "holds none of a broker's files"],
  ['strange.txt', 'is none of the files of a data directory'],
])('inspect of %s fails with a sentence', async (name, sentence) => {
  const path = join(scratch, name)
  if (name === 'empty')
    cpSync(join(golden, 'empty-0'), path, {
      recursive: true,
      filter: (from) => statSync(from).isDirectory(),
    })
  if (name === 'strange.txt') writeFileSync(path, 'hello')
  const { exitCode, error } = await inspect(path)
  expect(exitCode).toBe(1)
  expect(error).toMatch(/^error: /)
  expect(error).toContain(sentence)
})
