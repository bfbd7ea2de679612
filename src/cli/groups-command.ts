// `millrace groups`: list, describe, reset and delete groups over HTTP.
import type { Command } from 'commander'
import { usageError } from './command-error.ts'
import { countText, palette, printable } from './display.ts'
import { type ResetFlags, resetBody, scopeOf } from './group-options.ts'
import { DEFAULT_URL, HttpClient } from './http-client.ts'
import { gather } from './options.ts'
import { type Column, tableText } from './table.ts'
import type { CommandWorld } from './world.ts'

interface Common {
  readonly url?: string
  readonly json?: boolean
}

interface ListedGroup {
  readonly group_id: string
  readonly type: string
  readonly state: string
}

interface Partition {
  readonly topic: string
  readonly partition: number
}

interface Member {
  readonly member_id: string
  readonly instance_id: string | null
  readonly client_id: string
  readonly host: string
  readonly assignment: readonly Partition[]
}

interface Offset extends Partition {
  readonly offset: number | null
  readonly log_end_offset: number | null
  readonly lag: number | null
  readonly member_id: string | null
}

interface Group extends ListedGroup {
  readonly coordinator: number
  readonly assignor: string | null
  readonly lag: number
  readonly members: readonly Member[]
  readonly offsets: readonly Offset[]
}

interface Move extends Partition {
  readonly from: number | null
  readonly to: number
  readonly clamped: boolean
  readonly read_again: number | null
  readonly skipped: number | null
}

interface Reset {
  readonly members: readonly string[]
  readonly partitions: readonly Move[]
}

const SEE_LIST = 'See millrace groups list'
const TOPIC_OPTION = 'a topic, or some of its partitions as orders:0,3; may come several times'

/** Adds `groups` and its subcommands. */
export function addGroupsCommand(program: Command, world: CommandWorld): void {
  const groups = program
    .command('groups')
    .description('list, describe, reset and delete consumer groups')
  const command = (usage: string, description: string): Command =>
    groups
      .command(usage)
      .description(description)
      .option('--url <url>', `the broker; MILLRACE_URL or ${DEFAULT_URL} unless given`)
  addList(command, world)
  addDescribe(command, world)
  addReset(command, world)
  addDelete(command, world)
}

type AddCommand = (usage: string, description: string) => Command

interface ListFlags extends Common {
  readonly state?: string
  readonly type?: string
}

function addList(command: AddCommand, world: CommandWorld): void {
  command('list', 'list the groups')
    .option('--state <states>', 'only those in these states, such as empty,stable')
    .option('--type <types>', 'only those of these types: classic, consumer, share, streams')
    .option('--json', 'as a JSON array')
    .action(async ({ url, json, state, type }: ListFlags) => {
      const query = new URLSearchParams({
        ...(state === undefined ? {} : { state }),
        ...(type === undefined ? {} : { type }),
      })
      const client = new HttpClient(world, url)
      const { groups } = await client.json<{ groups: ListedGroup[] }>(`/groups?${query}`)
      if (json === true) await world.writeOutput(`${JSON.stringify(groups)}\n`)
      else if (groups.length > 0) await world.writeOutput(table(LIST, groups, world))
    })
}

function addDescribe(command: AddCommand, world: CommandWorld): void {
  command('describe', 'show members, offsets and lag')
    .argument('<group>')
    .option('--json', 'as JSON')
    .action(async (name: string, { url, json }: Common) => {
      const client = new HttpClient(world, url)
      const group = await client.json<Group>(groupPath(name), { fixes: { 404: SEE_LIST } })
      const text = json === true ? `${JSON.stringify(group, null, 2)}\n` : groupText(group, world)
      await world.writeOutput(text)
    })
}

function addReset(command: AddCommand, world: CommandWorld): void {
  command('reset', 'set where a group goes on reading; shows the effect, and --execute does it')
    .argument('<group>')
    .option('--to <where>', 'beginning, end, current, an offset, or a time')
    .option('--shift-by <n>', 'so many offsets on, or back where negative')
    .option('--by-duration <duration>', 'so long back from now, such as PT1H or P1DT12H')
    .option('-t, --topic <topic>', TOPIC_OPTION, gather)
    .option('--execute', 'do it; without this nothing is changed')
    .option('--dry-run', 'change nothing, which is so anyway without --execute')
    .option('--force', 'put active members out of the group first; they come back by themselves')
    .option('--json', 'the outcome as JSON')
    .addHelpText(
      'after',
      `
Times are written as 2026-01-31T12:00:00Z or, in milliseconds, @1769860800000. Without
--topic, all partitions are reset that the group has committed offsets of. Targets outside
of the log become its nearest end; a time after the newest record is the end.`,
    )
    .action((group: string, flags: Common & ResetFlags) => reset(group, flags, world))
}

async function reset(
  group: string,
  flags: Common & ResetFlags,
  world: CommandWorld,
): Promise<void> {
  const { execute = false, force = false } = flags
  if (execute && flags.dryRun === true) {
    throw usageError('Either --execute or --dry-run can be given')
  }
  const body = resetBody(flags)
  const outcome = await new HttpClient(world, flags.url).json<Reset>(`${groupPath(group)}/reset`, {
    method: 'POST',
    body: { ...body, dry_run: !execute, force },
    fixes: {
      409: 'Stop them first, or add --force to put them out of the group',
      ...(flags.topic === undefined ? { 404: `${SEE_LIST}, or name topics with --topic` } : {}),
    },
  })
  const text =
    flags.json === true
      ? JSON.stringify(outcome, null, 2)
      : `${table(MOVES, outcome.partitions, world)}${resetSummary(outcome, { execute, force })}`
  await world.writeOutput(`${text}\n`)
}

/** What was done, or what is to be done next. */
function resetSummary(
  { members, partitions }: Reset,
  { execute, force }: { execute: boolean; force: boolean },
): string {
  const count = partitions.length === 1 ? '1 partition' : `${partitions.length} partitions`
  const who = members.length === 1 ? '1 member' : `${members.length} members`
  if (execute) {
    const out = members.length > 0 ? `, and ${who} put out of the group` : ''
    return `${count} reset${out}`
  }
  if (members.length === 0) return 'Nothing is changed yet: add --execute to do this'
  return force
    ? `Nothing is changed yet: add --execute to do this and to put ${who} out of the group`
    : `Nothing is changed yet: stop ${who} of the group and add --execute, or --execute --force`
}

interface DeleteFlags extends Common {
  readonly topic?: readonly string[]
}

function addDelete(command: AddCommand, world: CommandWorld): void {
  command('delete', 'delete groups with their offsets, or only offsets of some topics')
    .argument('<groups...>')
    .option('-t, --topic <topic>', `forget only the offsets of ${TOPIC_OPTION}`, gather)
    .action(async (names: readonly string[], { url, topic }: DeleteFlags) => {
      const client = new HttpClient(world, url)
      const fixes = { 404: SEE_LIST, 409: 'Stop the members of the group first' }
      for (const name of names) {
        if (topic === undefined) {
          await client.send(groupPath(name), { method: 'DELETE', fixes })
          await world.writeOutput(`Group ${printable(name)} is deleted\n`)
          continue
        }
        const path = `${groupPath(name)}/offsets`
        const request = { method: 'DELETE', body: scopeOf(topic), fixes } as const
        const { offsets } = await client.json<{ offsets: readonly Partition[] }>(path, request)
        const what = offsets.length === 1 ? '1 offset' : `${offsets.length} offsets`
        await world.writeOutput(`Group ${printable(name)} has forgotten ${what}\n`)
      }
    })
}

const LIST: readonly Column<ListedGroup>[] = [
  { head: 'GROUP', cell: ({ group_id }) => group_id },
  { head: 'TYPE', cell: ({ type }) => type },
  { head: 'STATE', cell: ({ state }) => state },
]

const MOVES: readonly Column<Move>[] = [
  { head: 'PARTITION', cell: nameOf },
  { head: 'FROM', isNumber: true, cell: ({ from }) => from },
  { head: 'TO', isNumber: true, cell: ({ to }) => to },
  { head: 'EFFECT', cell: effectOf },
]

const MEMBERS: readonly Column<Member>[] = [
  { head: 'MEMBER', cell: ({ member_id }) => member_id },
  { head: 'INSTANCE', cell: ({ instance_id }) => instance_id },
  { head: 'CLIENT', cell: ({ client_id }) => client_id },
  { head: 'HOST', cell: ({ host }) => host },
  { head: 'PARTITIONS', isNumber: true, cell: ({ assignment }) => assignment.length },
]

function effectOf({ read_again, skipped, clamped }: Move): string | null {
  const nearest = clamped ? ', as near as the log has it' : ''
  if (read_again) return `reads ${countText(read_again)} again${nearest}`
  if (skipped) return `skips ${countText(skipped)}${nearest}`
  return clamped ? 'as near as the log has it' : null
}

function groupText(group: Group, world: CommandWorld): string {
  const { bold, dim } = palette(world.hasColours('output'))
  const { members, offsets } = group
  const count = members.length === 1 ? '1 member' : `${members.length} members`
  const facts = [
    `${group.type} group`,
    group.state,
    count,
    ...(group.assignor === null ? [] : [`assignor ${printable(group.assignor)}`]),
    `coordinator ${group.coordinator}`,
    `lag ${countText(group.lag)}`,
  ]
  const owners = new Map(members.map((member) => [member.member_id, member]))
  const columns: readonly Column<Offset>[] = [
    { head: 'PARTITION', cell: nameOf },
    { head: 'OFFSET', isNumber: true, cell: ({ offset }) => offset },
    { head: 'END', isNumber: true, cell: ({ log_end_offset }) => log_end_offset },
    { head: 'LAG', isNumber: true, cell: ({ lag }) => lag },
    {
      head: 'OWNER',
      cell: ({ member_id }) => {
        const owner = owners.get(member_id ?? '')
        return owner ? `${owner.instance_id ?? owner.client_id} at ${owner.host || '?'}` : null
      },
    },
  ]
  return [
    `${bold(printable(group.group_id))}  ${dim(facts.join(', '))}\n`,
    ...(offsets.length > 0 ? [`\n${tableText(columns, offsets, dim)}`] : []),
    ...(members.length > 0 ? [`\n${tableText(MEMBERS, members, dim)}`] : []),
  ].join('')
}

function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  world: CommandWorld,
): string {
  return tableText(columns, rows, palette(world.hasColours('output')).dim)
}

function nameOf({ topic, partition }: Partition): string {
  return `${topic}-${partition}`
}

function groupPath(group: string): string {
  return `/groups/${encodeURIComponent(group)}`
}
