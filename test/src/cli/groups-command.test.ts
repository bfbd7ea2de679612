// The commands on groups, and `consume --group`, with a real broker.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type RunningBroker, startBroker } from '../../../mod.ts'
import { type CommandInput, run } from './fixture.ts'

const WAIT = { timeout: 20_000, interval: 20 }

let broker: RunningBroker

beforeAll(async () => {
  broker = await startBroker({ http: false })
})
afterAll(() => broker.stop())

function millrace(argv: readonly string[], given: CommandInput = {}) {
  return run(argv, { fetch: (request) => broker.fetch(request), ...given })
}

/** Runs a command that must succeed without a word on standard error; its output. */
async function output(argv: readonly string[], given: CommandInput = {}): Promise<string> {
  const result = await millrace(argv, given)
  expect({ ...result, output: '' }).toEqual({ exitCode: 0, error: '', output: '', served: [] })
  return result.output
}

/** A topic of this name with two partitions of five records each. */
async function filled(topic: string): Promise<void> {
  await output(['topics', 'create', topic, '-p', '2'])
  const values = ['v0', 'v1', 'v2', 'v3', 'v4']
  const records = [0, 1].flatMap((partition) =>
    values.map((value) => ({ value: `${topic}-${partition}-${value}`, partition })),
  )
  await broker.produce(topic, records)
}

async function committed(group: string): Promise<Record<string, number | null>> {
  const { offsets } = JSON.parse(await output(['groups', 'describe', group, '--json'])) as {
    offsets: { topic: string; partition: number; offset: number | null }[]
  }
  return Object.fromEntries(
    offsets.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]),
  )
}

const values = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { value: string }).value)
    .sort()

test('groups reset shows what it would do, and does it with --execute', async () => {
  await filled('r')
  const argv = ['groups', 'reset', 'r-group', '--to', '3', '--topic', 'r']
  const preview = await output(argv)
  expect(preview).toBe(
    [
      'PARTITION  FROM  TO  EFFECT',
      'r-0           -   3  -',
      'r-1           -   3  -',
      'Nothing is changed yet: add --execute to do this',
      '',
    ].join('\n'),
  )
  expect((await millrace(['groups', 'describe', 'r-group'])).exitCode).toBe(1)
  expect(await output([...argv, '--execute'])).toContain('2 partitions reset\n')
  expect(await committed('r-group')).toEqual({ 'r-0': 3, 'r-1': 3 })
  const back = ['groups', 'reset', 'r-group', '--shift-by', '-2', '-t', 'r:1', '--execute']
  expect(await output(back)).toContain('r-1           3   1  reads 2 again\n')
  const on = ['groups', 'reset', 'r-group', '--to', '99', '--execute']
  expect(await output(on)).toContain('r-0           3   5  skips 2, as near as the log has it\n')
  const json = ['groups', 'reset', 'r-group', '--by-duration', 'P1D', '--json', '--dry-run']
  expect(JSON.parse(await output(json))).toMatchObject({
    dry_run: true,
    read_again: 10,
    partitions: [
      { topic: 'r', partition: 0, from: 5, to: 0 },
      { topic: 'r', partition: 1, from: 5, to: 0 },
    ],
  })
  expect(await output(['groups', 'reset', 'r-group', '--to', 'beginning', '--execute'])).toContain(
    'reads 5 again',
  )
})

test('groups list and describe show groups to people and to programs', async () => {
  await filled('l')
  await output(['groups', 'reset', 'l-group', '--to', '2', '-t', 'l', '--execute'])
  expect(await output(['groups', 'list'])).toMatch(/^GROUP +TYPE +STATE\n/)
  expect(await output(['groups', 'list', '--state', 'empty'])).toMatch(/^l-group +classic +Empty$/m)
  expect(await output(['groups', 'list', '--type', 'streams'])).toBe('')
  expect(JSON.parse(await output(['groups', 'list', '--json']))).toContainEqual({
    group_id: 'l-group',
    type: 'classic',
    protocol_type: '',
    state: 'Empty',
  })
  expect(await output(['groups', 'describe', 'l-group'])).toBe(
    [
      'l-group  classic group, Empty, 0 members, coordinator 1, lag 6',
      '',
      'PARTITION  OFFSET  END  LAG  OWNER',
      'l-0             2    5    3  -',
      'l-1             2    5    3  -',
      '',
    ].join('\n'),
  )
})

test('groups delete forgets offsets of topics, or the whole group', async () => {
  await filled('d')
  await output(['groups', 'reset', 'd-group', '--to', 'end', '-t', 'd', '--execute'])
  expect(await output(['groups', 'delete', 'd-group', '--topic', 'd:1'])).toBe(
    'Group d-group has forgotten 1 offset\n',
  )
  expect(await committed('d-group')).toEqual({ 'd-0': 5 })
  expect(await output(['groups', 'delete', 'd-group'])).toBe('Group d-group is deleted\n')
  const gone = await millrace(['groups', 'delete', 'd-group'])
  expect(gone).toMatchObject({
    exitCode: 1,
    error: 'error: Group d-group does not exist. See millrace groups list.\n',
  })
})

test.each([
  [['groups', 'describe', 'nobody'], 1, 'Group nobody does not exist. See millrace groups list.'],
  [['groups', 'reset', 'nobody', '--to', 'end'], 1, 'or name topics with --topic.'],
  [['groups', 'reset', 'g', '--to', 'end', '-t', 'none'], 1, 'Topic none does not exist.'],
  [['groups', 'reset', 'g'], 2, 'one of --to, --shift-by and --by-duration'],
  [['groups', 'reset', 'g', '--to', 'end', '--shift-by', '1'], 2, 'one of --to'],
  [['groups', 'reset', 'g', '--to', '-5'], 2, '--to -5 is none of beginning'],
  [['groups', 'reset', 'g', '--to', 'noon'], 2, '--to noon is none of beginning'],
  [['groups', 'reset', 'g', '--shift-by', 'x'], 2, '--shift-by x is not a whole number'],
  [['groups', 'reset', 'g', '--to', 'end', '-t', 'a:b'], 2, '--topic a:b is neither'],
  [['groups', 'reset', 'g', '--to', 'end', '--execute', '--dry-run'], 2, 'Either --execute or'],
  [['groups', 'list', '--state', 'asleep'], 1, 'state=asleep is none of Empty'],
  [['consume', 'a', 'b'], 2, 'give --group'],
  [['consume', 'a', '--group', 'g', '-p', '0'], 2, 'without --partition'],
  [['consume', 'a', '--group', 'g', '--from', '7'], 2, 'use millrace groups reset'],
  [['consume', 'none', '--group', 'g'], 1, 'Topic none does not exist.'],
])('%j fails with %i and says: %s', async (argv, exitCode, message) => {
  const result = await millrace(argv)
  expect(result.exitCode).toBe(exitCode)
  expect(result.error).toContain(message)
  expect(result.output).toBe('')
})

test('Commands on groups say how to reach a broker that is not there', async () => {
  const { exitCode, error } = await run(['groups', 'list'])
  expect(exitCode).toBe(1)
  expect(error).toContain("Can't reach http://127.0.0.1:8082. Start a broker with millrace serve")
})

test('consume --group goes on where the group was, and commits what it printed and no more', async () => {
  await filled('c')
  await filled('e')
  const argv = ['consume', 'c', 'e', '--group', 'c-group']
  const first = values(await output([...argv, '--max', '3']))
  expect(first.length).toBe(3)
  const sum = Object.values(await committed('c-group')).reduce<number>(
    (total, offset) => total + (offset ?? 0),
    0,
  )
  expect(sum).toBe(3)
  expect(JSON.parse(await output(['groups', 'describe', 'c-group', '--json']))).toMatchObject({
    state: 'Empty',
    members: [],
  })
  const rest = values(await output(argv))
  expect(rest.length).toBe(17)
  expect(new Set([...first, ...rest]).size).toBe(20)
  expect(await output(argv)).toBe('')
  await output(['groups', 'reset', 'c-group', '--to', '4', '--topic', 'c', '--execute'])
  expect(values(await output(argv))).toEqual(['c-0-v4', 'c-1-v4'])
}, 30_000)

test('consume --group --from end begins with what comes later', async () => {
  await filled('f')
  const argv = ['consume', 'f', '--group', 'f-group', '--from', 'end', '--format', 'raw']
  const taking = output([...argv, '--max', '1', '--follow'])
  const isStable = async () =>
    (await output(['groups', 'list', '--state', 'stable'])).includes('f-group')
  await vi.waitFor(async () => expect(await isStable()).toBe(true), WAIT)
  // Stable, it may still be about to look where the end is: one of these comes after that.
  let isTaken = false
  const taken = taking.finally(() => {
    isTaken = true
  })
  await vi.waitFor(async () => {
    await broker.produce('f', [{ value: 'later', partition: 1 }])
    expect(isTaken).toBe(true)
  }, WAIT)
  expect(await taken).toBe('later\n')
}, 30_000)

test('consume --group leaves when it is interrupted, with what it printed committed', async () => {
  await filled('i')
  const interruption = new AbortController()
  const argv = ['consume', 'i', '--group', 'i-group', '--follow', '--format', 'table']
  const consuming = output(argv, { interrupted: interruption.signal })
  const isAll = async () => {
    const { exitCode } = await millrace(['groups', 'describe', 'i-group'])
    if (exitCode !== 0) return false
    const offsets = Object.values(await committed('i-group'))
    return offsets.length === 2 && offsets.every((offset) => offset === 5)
  }
  await vi.waitFor(async () => expect(await isAll()).toBe(true), WAIT)
  const during = await millrace(['groups', 'reset', 'i-group', '--to', 'beginning', '--execute'])
  expect(during.exitCode).toBe(1)
  expect(during.error).toContain('Group i-group is Stable with 1 active member')
  expect(during.error).toContain('add --force')
  const preview = await output(['groups', 'reset', 'i-group', '--to', 'beginning'])
  expect(preview).toContain('stop 1 member of the group and add --execute, or --execute --force')
  expect(await output(['groups', 'describe', 'i-group'])).toMatch(/^MEMBER +INSTANCE +CLIENT/m)
  interruption.abort()
  const lines = (await consuming).split('\n')
  expect(lines[0]).toMatch(/^PARTITION +OFFSET/)
  expect(lines.length).toBe(12)
  expect(await output(['groups', 'describe', 'i-group'])).toContain('Empty, 0 members')
  const forced = ['groups', 'reset', 'i-group', '--to', 'beginning', '--execute', '--force']
  expect(await output(forced)).toContain('2 partitions reset\n')
}, 30_000)
