// `millrace consume`: records of a topic from anywhere on, to their end or for ever.
import { type Command, Option } from 'commander'
import { CommandError, usageError } from './command-error.ts'
import { base64Bytes, printable, timeText } from './display.ts'
import { GroupConsuming } from './group-consuming.ts'
import { DEFAULT_URL, HttpClient, topicPath } from './http-client.ts'
import { concatBytes } from './input-lines.ts'
import { objectMembers } from './json-text.ts'
import { countOption, gather } from './options.ts'
import { type Place, parsePlace } from './places.ts'
import { partitionsOf } from './topic-partitions.ts'
import type { CommandWorld } from './world.ts'

/** How long a read waits for records when it follows a topic. */
const FOLLOW_WAIT_MS = 30_000
const READ_RECORDS = 10_000
const READ_BYTES = 4_194_304
const NDJSON = 'application/x-ndjson'
const NEWLINE = Uint8Array.of(10)
/** Values as base64: the only form that is exact for every value. */
const BINARY = 'application/vnd.kafka.binary.v2+json'

const ENDS = ['earliest', 'latest'] as const

type OutputFormat = 'json' | 'raw' | 'table'

interface Flags {
  readonly url?: string
  readonly from: string
  readonly format: OutputFormat
  readonly partition?: readonly string[]
  readonly max?: number
  readonly follow?: boolean
  readonly isolation: string
  readonly group?: string
}

/** Adds `consume TOPIC`. */
export function addConsumeCommand(program: Command, world: CommandWorld): void {
  const format = new Option('-f, --format <format>', 'how to print records')
  const isolation = new Option(
    '--isolation <level>',
    'whether to see open and aborted transactions',
  )
  program
    .command('consume')
    .description('read the records of a topic, or of several as a member of a group')
    .argument('<topics...>')
    .option('-g, --group <group>', 'share the partitions with the other members of this group')
    .option(
      '--from <where>',
      'beginning, end, an offset, -N for the last N, or a time',
      'beginning',
    )
    .option('-p, --partition <n>', 'a partition; all unless given; may come several times', gather)
    .option('-n, --max <n>', 'stop after so many records', countOption)
    .option('--follow', 'wait for new records instead of stopping at the end')
    .addOption(format.choices(['json', 'raw', 'table']).default('json'))
    .addOption(
      isolation.choices(['read_uncommitted', 'read_committed']).default('read_uncommitted'),
    )
    .option('--url <url>', `the broker; MILLRACE_URL or ${DEFAULT_URL} unless given`)
    .addHelpText(
      'after',
      `
Times are written as 2026-01-31T12:00:00Z or, in milliseconds, @1769860800000.
Formats: json prints a record a line, raw the bytes of each value and a newline,
table a line for people.

A member of a group goes on where the group has committed, and --from beginning or end is
for partitions where it has not. Records are committed when they have been printed, so that
none is lost; without --follow it leaves when nothing has come for two seconds.`,
    )
    .action((topics: readonly string[], flags: Flags) => consume(world, topics, flags))
}

function consume(
  world: CommandWorld,
  topics: readonly string[],
  { group, ...flags }: Flags,
): Promise<void> {
  const [topic, ...others] = topics
  if (group === undefined) {
    if (topic === undefined || others.length > 0) {
      throw usageError('Several topics are read by a member of a group only: give --group')
    }
    return new Consuming(world, topic, flags).run()
  }
  if (flags.partition !== undefined) {
    throw usageError('A member of a group gets its partitions by itself, without --partition')
  }
  const { url, format, isolation, max = Infinity, follow = false } = flags
  const place = startOf(flags.from)
  const from = ENDS.find((end) => 'offset' in place && place.offset === end)
  if (from === undefined) {
    throw usageError(`--from ${flags.from} is not for groups: use millrace groups reset`)
  }
  const options = { group, topics, from, isolation, max, follow }
  const isBinary = format === 'raw'
  const client = new HttpClient(world, url)
  return new GroupConsuming(client, world, { ...options, isBinary }).run(
    (records) => printedRecords(format, records),
    format === 'table' ? TABLE_HEAD : '',
  )
}

/** One run of `consume`. */
class Consuming {
  readonly #world: CommandWorld
  readonly #topic: string
  readonly #flags: Omit<Flags, 'group'>
  readonly #client: HttpClient
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  #left: number
  #printing: Promise<void> = Promise.resolve()

  constructor(world: CommandWorld, topic: string, flags: Omit<Flags, 'group'>) {
    this.#world = world
    this.#topic = topic
    this.#flags = flags
    this.#client = new HttpClient(world, flags.url)
    this.#signal = AbortSignal.any([this.#stop.signal, world.interrupted])
    this.#left = flags.max ?? Infinity
  }

  async run(): Promise<void> {
    const start = startOf(this.#flags.from)
    const partitions = await partitionsOf(this.#client, this.#topic, this.#flags.partition)
    if (this.#flags.format === 'table') await this.#world.writeOutput(TABLE_HEAD)
    if (this.#flags.follow !== true) {
      for (const partition of partitions) await this.#read(partition, start)
      return
    }
    try {
      await Promise.all(partitions.map((partition) => this.#read(partition, start)))
    } catch (error) {
      // The first failure ends the other reads too.
      const isEnd = this.#signal.aborted
      this.#stop.abort()
      if (!isEnd) throw error
    }
  }

  /** Reads one partition up to the end that it had at the first read, or for ever. */
  async #read(partition: number, start: Place): Promise<void> {
    let from = start
    let end = Infinity
    while (this.#left > 0 && !this.#signal.aborted) {
      const { records, nextOffset, highWatermark } = await this.#readOnce(partition, from)
      if (end === Infinity && this.#flags.follow !== true) end = highWatermark
      await this.#print(records)
      if (nextOffset >= end) return
      from = { offset: String(nextOffset) }
    }
  }

  async #readOnce(partition: number, start: Place) {
    const { isolation, format, follow } = this.#flags
    const query = new URLSearchParams({
      ...start,
      isolation_level: isolation,
      max_bytes: String(READ_BYTES),
      max_records: String(Math.min(this.#left, READ_RECORDS)),
      ...(follow === true ? { timeout: String(FOLLOW_WAIT_MS) } : {}),
    })
    const path = `${topicPath(this.#topic)}/partitions/${partition}/records?${query}`
    const accept = format === 'raw' ? BINARY : NDJSON
    const response = await this.#client.send(path, { accept, signal: this.#signal })
    const text = await response.text()
    return {
      records:
        format === 'raw' ? binaryValues(text) : text.split('\n').filter((line) => line !== ''),
      nextOffset: positionOf(response, 'millrace-next-offset'),
      highWatermark: positionOf(response, 'millrace-high-watermark'),
    }
  }

  /** Prints records as long as there are any left to print; partitions take turns, answer by answer. */
  #print(records: readonly string[]): Promise<void> {
    const write = async () => {
      const taken = records.slice(0, Math.min(this.#left, records.length))
      if (taken.length === 0) return
      this.#left -= taken.length
      await this.#world.writeOutput(printedRecords(this.#flags.format, taken))
      if (this.#left <= 0) this.#stop.abort()
    }
    this.#printing = this.#printing.then(write)
    return this.#printing
  }
}

/** Records as the format wants them: texts of JSON objects, or for raw values as base64. */
function printedRecords(format: OutputFormat, records: readonly string[]): string | Uint8Array {
  switch (format) {
    case 'json':
      return `${records.join('\n')}\n`
    case 'table':
      return records.map(tableRow).join('')
    case 'raw':
      return concatBytes(records.flatMap((value) => [base64Bytes(value), NEWLINE]))
  }
}

function startOf(text: string): Place {
  const place = parsePlace(text)
  if (place) return place
  throw usageError(`--from ${text} is none of beginning, end, an offset, -N, or a time`)
}

function positionOf(response: Response, header: string): number {
  const position = Number(response.headers.get(header) ?? Number.NaN)
  if (Number.isSafeInteger(position)) return position
  throw new CommandError(`The answer has no ${header}`, {
    fix: 'Check that --url names a Millrace broker',
  })
}

/** The values of REST v2's binary records, still as base64; a tombstone is empty. */
function binaryValues(text: string): string[] {
  const records = JSON.parse(text) as readonly { readonly value: string | null }[]
  return records.map(({ value }) => value ?? '')
}

const KEY_WIDTH = 20
const VALUE_WIDTH = 120
const TABLE_HEAD = `${row('PARTITION', 'OFFSET', 'TIMESTAMP', 'KEY', 'VALUE')}\n`

function tableRow(record: string): string {
  const members = objectMembers(record)
  const timestamp = Number((members.get('timestamp') ?? '').replaceAll('"', ''))
  return `${row(
    members.get('partition') ?? '',
    members.get('offset') ?? '',
    timeText(timestamp),
    cell(members.get('key'), KEY_WIDTH),
    cell(members.get('value'), VALUE_WIDTH),
  )}\n`
}

function row(
  ...[partition, offset, time, key, value]: readonly [string, string, string, string, string]
): string {
  return `${partition.padStart(9)}  ${offset.padStart(12)}  ${time.padEnd(24)}  ${key.padEnd(KEY_WIDTH)}  ${value}`
}

/** A JSON text for a cell: strings without quotes. */
function cell(json: string | undefined, width: number): string {
  if (json === undefined || json === 'null') return 'null'
  return printable(json.startsWith('"') ? String(JSON.parse(json)) : json, width)
}
