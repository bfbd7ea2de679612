// `millrace consume`: records of a topic from anywhere on, to their end or for ever.
import { type Command, Option } from 'commander'
import { CommandError, usageError } from './command-error.ts'
import { base64Bytes, printable, timeText } from './display.ts'
import { DEFAULT_URL, HttpClient, topicPath } from './http-client.ts'
import { concatBytes } from './input-lines.ts'
import { objectMembers } from './json-text.ts'
import { countOption, gather } from './options.ts'
import type { CommandWorld } from './world.ts'

/** How long a read waits for records when it follows a topic. */
const FOLLOW_WAIT_MS = 30_000
const READ_RECORDS = 10_000
const READ_BYTES = 4_194_304
const NDJSON = 'application/x-ndjson'
const NEWLINE = Uint8Array.of(10)
/** Values as base64: the only form that is exact for every value. */
const BINARY = 'application/vnd.kafka.binary.v2+json'

type OutputFormat = 'json' | 'raw' | 'table'

interface Flags {
  readonly url?: string
  readonly from: string
  readonly format: OutputFormat
  readonly partition?: readonly string[]
  readonly max?: number
  readonly follow?: boolean
  readonly isolation: string
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
    .description('read the records of a topic')
    .argument('<topic>')
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
table a line for people.`,
    )
    .action((topic: string, flags: Flags) => new Consuming(world, topic, flags).run())
}

/** Where a partition is read from: part of a query. */
type Start = { readonly offset: string } | { readonly timestamp: string }

/** One run of `consume`. */
class Consuming {
  readonly #world: CommandWorld
  readonly #topic: string
  readonly #flags: Flags
  readonly #client: HttpClient
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  #left: number
  #printing: Promise<void> = Promise.resolve()

  constructor(world: CommandWorld, topic: string, flags: Flags) {
    this.#world = world
    this.#topic = topic
    this.#flags = flags
    this.#client = new HttpClient(world, flags.url)
    this.#signal = AbortSignal.any([this.#stop.signal, world.interrupted])
    this.#left = flags.max ?? Infinity
  }

  async run(): Promise<void> {
    const start = startOf(this.#flags.from)
    const partitions = await this.#partitions()
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

  async #partitions(): Promise<readonly number[]> {
    const path = `${topicPath(this.#topic)}/partitions`
    const all = await this.#client.json<readonly { partition: number }[]>(path)
    const wanted = this.#flags.partition?.map(Number)
    if (wanted === undefined) return all.map(({ partition }) => partition)
    const missing = wanted.find((one) => !all.some(({ partition }) => partition === one))
    if (missing === undefined) return wanted
    throw new CommandError(`Topic ${this.#topic} has no partition ${missing}`, {
      fix: `It has ${all.length}, counted from 0`,
    })
  }

  /** Reads one partition up to the end that it had at the first read, or for ever. */
  async #read(partition: number, start: Start): Promise<void> {
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

  async #readOnce(partition: number, start: Start) {
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
      await this.#world.writeOutput(this.#printed(taken))
      if (this.#left <= 0) this.#stop.abort()
    }
    this.#printing = this.#printing.then(write)
    return this.#printing
  }

  #printed(records: readonly string[]): string | Uint8Array {
    switch (this.#flags.format) {
      case 'json':
        return `${records.join('\n')}\n`
      case 'table':
        return records.map(tableRow).join('')
      case 'raw':
        return concatBytes(records.flatMap((value) => [base64Bytes(value), NEWLINE]))
    }
  }
}

function startOf(text: string): Start {
  if (text === 'beginning' || text === 'earliest') return { offset: 'earliest' }
  if (text === 'end' || text === 'latest') return { offset: 'latest' }
  if (/^-?\d{1,16}$/.test(text)) return { offset: text }
  if (/^@-?\d{1,18}$/.test(text)) return { timestamp: text.slice(1) }
  const time = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return { timestamp: String(time) }
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
