// The commands that talk to a broker, with a real one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, startBroker } from '../../../mod.ts'
import { type CommandInput, run } from './fixture.ts'

let broker: RunningBroker
let directory: string

beforeAll(async () => {
  broker = await startBroker({ http: false })
  directory = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
})
afterAll(async () => {
  await broker.stop()
  rmSync(directory, { recursive: true })
})

function millrace(argv: readonly string[], given: CommandInput = {}) {
  return run(argv, { fetch: (request) => broker.fetch(request), ...given })
}

/** Runs a command that must succeed without a word on standard error; its output. */
async function output(argv: readonly string[], given: CommandInput = {}): Promise<string> {
  const result = await millrace(argv, given)
  expect({ ...result, output: '' }).toEqual({ exitCode: 0, error: '', output: '', served: [] })
  return result.output
}

test('topics create, list, describe, alter and delete do so', async () => {
  const created = await output([
    'topics',
    'create',
    'managed',
    '-p',
    '2',
    '-c',
    'retention.ms=5000',
  ])
  expect(created).toBe('Topic managed is created\n')
  expect((await output(['topics', 'list'])).split('\n')).toContain('managed')
  const description = JSON.parse(await output(['topics', 'describe', 'managed', '--json']))
  expect(description).toMatchObject({
    name: 'managed',
    configs: { 'retention.ms': '5000', 'segment.bytes': '1073741824' },
    partitions: [
      { partition: 0, beginning_offset: 0, end_offset: 0 },
      { partition: 1, beginning_offset: 0, end_offset: 0 },
    ],
  })
  await output([
    'topics',
    'alter',
    'managed',
    '-p',
    '3',
    '-c',
    'segment.bytes=2000000',
    '--delete-config',
    'retention.ms',
  ])
  const text = await output(['topics', 'describe', 'managed'])
  expect(text).toContain('partition 2  offsets 0..0  leader 1  replicas 1  in sync 1')
  expect(text).toContain('segment.bytes=2000000')
  expect(text).toContain('retention.ms=604800000')
  expect(await output(['topics', 'delete', 'managed'])).toBe('Topic managed is deleted\n')
  expect(JSON.parse(await output(['topics', 'list', '--json']))).not.toContain('managed')
})

test.each([
  { before: '2', partition: '1', begins: [[1, 2]] },
  {
    before: '-1',
    begins: [
      [0, 2],
      [1, 2],
    ],
  },
  {
    before: 'end',
    begins: [
      [0, 3],
      [1, 3],
    ],
  },
  {
    before: '@1001',
    begins: [
      [0, 1],
      [1, 1],
    ],
  },
  { before: '1970-01-01T00:00:01.002Z', partition: '0', begins: [[0, 2]] },
])('topics trim --before $before deletes what is older', async ({ before, partition, begins }) => {
  const name = `trimmed${before.replaceAll(/[^\w]/g, '_')}`
  await output(['topics', 'create', name, '-p', '2'])
  for (const index of [0, 1]) {
    const records = [0, 1, 2].map((value) => ({ value, timestamp: 1000 + value }))
    await broker.produce(
      name,
      records.map(({ value, timestamp }) => ({ value: `${value}`, timestamp, partition: index })),
    )
  }
  const flags = partition === undefined ? [] : ['-p', partition]
  const said = begins.map(([index, start]) => `Partition ${index} begins at offset ${start}\n`)
  expect(await output(['topics', 'trim', name, '--before', before, ...flags])).toBe(said.join(''))
  const text = await output(['topics', 'describe', name])
  for (const [index, start] of begins) {
    expect(text).toContain(`partition ${index}  offsets ${start}..3 `)
  }
})

test('topics trim refuses what it is not sure of, and deletes nothing', async () => {
  await output(['topics', 'create', 'kept', '-p', '2'])
  const trim = (...flags: string[]) => millrace(['topics', 'trim', 'kept', ...flags])
  expect(await trim('--before', '1')).toMatchObject({
    exitCode: 2,
    error: expect.stringContaining('Topic kept has 2 partitions: give --partition'),
  })
  expect(await trim('--before', 'soon')).toMatchObject({
    exitCode: 2,
    error: expect.stringContaining('--before soon is none of'),
  })
  expect(await trim('--before', '1', '-p', '1')).toMatchObject({
    exitCode: 1,
    error: expect.stringContaining('Offset 1 is outside [0, 0]'),
  })
  expect(await trim()).toMatchObject({ exitCode: 2, error: expect.stringContaining('--before') })
})

test('topics create --validate-only creates nothing', async () => {
  expect(await output(['topics', 'create', 'maybe', '--validate-only'])).toBe(
    'Topic maybe could be created\n',
  )
  expect(await output(['topics', 'list'])).not.toContain('maybe')
})

test.each([
  [['topics', 'create', 'a/b'], 'a/b'],
  [['topics', 'create', 'fine', '-c', 'retention.mss=1'], 'did you mean retention.ms?\n'],
  [['topics', 'describe', 'nowhere'], 'nowhere'],
  [['consume', 'nowhere'], 'nowhere'],
])('millrace %j shows what the broker says: exit code 1', async (argv, text) => {
  const { exitCode, error, output: written } = await millrace(argv)
  expect(error).toContain(text)
  expect({ exitCode, written }).toEqual({ exitCode: 1, written: '' })
})

test('produce takes lines, however the input is cut, and consume gives them back in order', async () => {
  await output(['topics', 'create', 'lines', '-p', '1'])
  await output(['produce', 'lines'], { input: ['one\ntw', 'o\n\n', '{"a": 1.0}\n"quoted"\nlast'] })
  const raw = await output(['consume', 'lines', '--format', 'raw'])
  expect(raw).toBe('one\ntwo\n\n{"a": 1.0}\n"quoted"\nlast\n')
  const records = (await output(['consume', 'lines']))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5])
  expect(records[0]).toMatchObject({ topic: 'lines', partition: 0, key: null, value: 'one' })
})

test('produce takes keys, headers, partitions and bytes that are no text', async () => {
  await output(['topics', 'create', 'keyed', '-p', '3'])
  const flags = ['-K', ':', '-H', 'trace=1', '-H', 'b=x=y', '-p', '2']
  await output(['produce', 'keyed', ...flags], { input: ['k:v:w\n:empty key\n'] })
  await output(['produce', 'keyed', '-k', 'all', '-p', '1'], {
    input: [Uint8Array.of(0xff, 0, 10)],
  })
  const records = (await output(['consume', 'keyed', '-p', '2']))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(records.map(({ key, value }) => [key, value])).toEqual([
    ['k', 'v:w'],
    ['', 'empty key'],
  ])
  expect(records[0].headers).toEqual([
    { name: 'trace', value: '1' },
    { name: 'b', value: 'x=y' },
  ])
  const [binary] = (await output(['consume', 'keyed', '-p', '1'])).split('\n')
  expect(JSON.parse(binary ?? '')).toMatchObject({
    key: 'all',
    value: '/wA=',
    value_encoding: 'base64',
  })
})

test('produce takes JSON records with every digit, and names the line that is none', async () => {
  await output(['topics', 'create', 'json', '-p', '1'])
  const line = '{"key":"k","value":{"big":12345678901234567890},"timestamp":1700000000000}'
  const placed = await output(['produce', 'json', '-f', 'json', '--json'], {
    input: [`${line}\n\n${line}`],
  })
  expect(
    placed
      .trimEnd()
      .split('\n')
      .map((one) => JSON.parse(one).offset),
  ).toEqual([0, 1])
  const consumed = await output(['consume', 'json', '-n', '1'])
  expect(consumed).toContain('"value":{"big":12345678901234567890}')
  expect(consumed).toContain('"timestamp":1700000000000')
  const refused = await millrace(['produce', 'json', '-f', 'json'], {
    input: [`${line}\nnot json\n`],
  })
  expect(refused.exitCode).toBe(1)
  expect(refused.error).toContain('error: Line 2 is not a JSON object.')
})

test('produce takes files: lines of each, or each as one value', async () => {
  await output(['topics', 'create', 'files', '-p', '1'])
  const [a, b] = [join(directory, 'a'), join(directory, 'b')]
  writeFileSync(a, 'first\nsecond')
  writeFileSync(b, 'third')
  await output(['produce', 'files', a, b])
  await output(['produce', 'files', '-f', 'raw', a, b])
  const values = (await output(['consume', 'files']))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).value)
  expect(values).toEqual(['first', 'second', 'third', 'first\nsecond', 'third'])
  const missing = await millrace(['produce', 'files', join(directory, 'none')])
  expect(missing).toMatchObject({ exitCode: 1 })
  expect(missing.error).toContain('There is no file')
})

test('produce reports records that are refused', async () => {
  await output(['topics', 'create', 'small', '-p', '1', '-c', 'max.message.bytes=100'])
  const { exitCode, error } = await millrace(['produce', 'small'], {
    input: [`${'x'.repeat(500)}\n`],
  })
  expect(exitCode).toBe(1)
  expect(error).toMatch(/error: /)
})

test('produce shows how far it is on a terminal only', async () => {
  await output(['topics', 'create', 'progress', '-p', '1'])
  const { error } = await millrace(['produce', 'progress'], { input: ['a\nb\n'], isTerminal: true })
  expect(error).toBe('\r2 records produced\n')
})

test.each([
  [
    ['--from', 'beginning'],
    [0, 1, 2, 3],
  ],
  [
    ['--from', '2'],
    [2, 3],
  ],
  [['--from', '-1'], [3]],
  [['--from', 'end'], []],
  [
    ['--from', '@1700000002000'],
    [2, 3],
  ],
  [
    ['--from', '2023-11-14T22:13:21Z'],
    [1, 2, 3],
  ],
  [
    ['--from', '1', '--max', '2'],
    [1, 2],
  ],
])('consume %j reads offsets %j', async (flags, offsets) => {
  const topic = `from-${flags.join('').replace(/[^\w]/g, '_')}`
  await output(['topics', 'create', topic, '-p', '1'])
  const input = [0, 1, 2, 3].map(
    (n) => `{"value":${n},"timestamp":${1_700_000_000_000 + n * 1000}}\n`,
  )
  await output(['produce', topic, '-f', 'json'], { input })
  const text = await output(['consume', topic, ...flags])
  const found = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).offset)
  expect(found).toEqual(offsets)
})

test('consume --format table shows one line a record and no control characters', async () => {
  await output(['topics', 'create', 'table', '-p', '1'])
  await output(['produce', 'table', '-k', 'key'], { input: ['red \u001b[31m alert'] })
  const [head, row, end] = (await output(['consume', 'table', '-f', 'table'])).split('\n')
  expect(head).toMatch(/PARTITION +OFFSET +TIMESTAMP +KEY +VALUE/)
  expect(row).toMatch(/^ +0 +0 +\d{4}-.*Z +key +red ␛\[31m alert$/)
  expect(end).toBe('')
})

test('consume --follow gives what comes later, of all partitions, until it has enough', async () => {
  await output(['topics', 'create', 'followed', '-p', '2'])
  const following = output(['consume', 'followed', '--follow', '--max', '3'])
  await output(['produce', 'followed', '-p', '1'], { input: ['a\n'] })
  await output(['produce', 'followed', '-p', '0'], { input: ['b\n'] })
  await output(['produce', 'followed', '-p', '1'], { input: ['c\nd\n'] })
  const values = (await following)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).value)
  expect(values).toHaveLength(3)
  expect(values.filter((value) => value !== 'b')).toEqual(
    ['a', 'c', 'd'].slice(0, values.includes('b') ? 2 : 3),
  )
})

test('consume --follow ends when the user wants it to', async () => {
  await output(['topics', 'create', 'endless', '-p', '1'])
  const interrupt = new AbortController()
  const following = output(['consume', 'endless', '--follow'], { interrupted: interrupt.signal })
  interrupt.abort()
  expect(await following).toBe('')
})

test('consume refuses a partition that is not there', async () => {
  await output(['topics', 'create', 'one', '-p', '1'])
  const { exitCode, error } = await millrace(['consume', 'one', '-p', '4'])
  expect({ exitCode, error }).toEqual({
    exitCode: 1,
    error: 'error: Topic one has no partition 4. It has 1, counted from 0.\n',
  })
})

test('recovery tells what the start found', async () => {
  expect(await output(['recovery'])).toMatch(
    /^Started \d{4}-.* on a new directory: 0 logs in .* ms\nNothing had to be repaired\n$/,
  )
  expect(JSON.parse(await output(['recovery', '--json']))).toHaveProperty('findings')
})
