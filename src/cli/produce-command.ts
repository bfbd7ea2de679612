// `millrace produce`: records from standard input or files, sent in groups while the input arrives.
import { type Command, Option } from 'commander'
import { CommandError, EXIT } from './command-error.ts'
import { countText } from './display.ts'
import { DEFAULT_URL, HttpClient, topicPath } from './http-client.ts'
import { inputLines, wholeInput } from './input-lines.ts'
import {
  type InputFormat,
  type RecordDefaults,
  recordFromLine,
  valueRecord,
} from './input-records.ts'
import { countOption, gatherPairs } from './options.ts'
import type { CommandWorld } from './world.ts'

const MAX_GROUP_RECORDS = 1_000
const MAX_GROUP_CHARACTERS = 1_048_576
const FILE_CHUNK_BYTES = 262_144
const PROGRESS_MS = 500
/** Refused records that are named one by one. */
const MAX_NAMED = 10

interface Flags {
  readonly url?: string
  readonly format: InputFormat
  readonly key?: string
  readonly keySeparator?: string
  readonly header?: Readonly<Record<string, string>>
  readonly partition?: number
  readonly acks: string
  readonly json?: boolean
}

/** Adds `produce TOPIC [FILE]…`. */
export function addProduceCommand(program: Command, world: CommandWorld): void {
  const format = new Option('-f, --format <format>', 'what the input is')
  const acks = new Option('--acks <acks>', 'what to wait for: nothing, the page cache, the disk')
  program
    .command('produce')
    .description('write records to a topic, from standard input or files')
    .argument('<topic>')
    .argument('[files...]')
    .addOption(format.choices(['lines', 'json', 'raw']).default('lines'))
    .option('-k, --key <key>', 'the key of every record')
    .option('-K, --key-separator <text>', 'what stands between key and value in a line')
    .option(
      '-H, --header <name=value>',
      'a header of every record; may come several times',
      gatherPairs,
    )
    .option(
      '-p, --partition <n>',
      'the partition; chosen by key or in turn unless given',
      countOption,
    )
    .addOption(acks.choices(['0', '1', 'all']).default('all'))
    .option('--json', 'print partition and offset of each record, one JSON object a line')
    .option('--url <url>', `the broker; MILLRACE_URL or ${DEFAULT_URL} unless given`)
    .addHelpText(
      'after',
      `
Formats: lines takes each line as a value; json takes each line as a record,
{"key":…,"value":…,"headers":[{"name":…,"value":…}],"partition":…,"timestamp":…};
raw takes all of standard input, or each file, as one value.`,
    )
    .action((topic: string, files: readonly string[], flags: Flags) =>
      new Producing(world, topic, flags).run(files),
    )
}

/** One run of `produce`. */
class Producing {
  readonly #world: CommandWorld
  readonly #flags: Flags
  readonly #client: HttpClient
  readonly #path: string
  readonly #defaults: RecordDefaults
  #group: string[] = []
  #groupCharacters = 0
  #sending: Promise<void> | undefined
  #failure: unknown
  #lines = 0
  #sent = 0
  #refused = 0
  #shownAt: number

  constructor(world: CommandWorld, topic: string, flags: Flags) {
    this.#world = world
    this.#flags = flags
    this.#client = new HttpClient(world, flags.url)
    const { partition, acks, key, keySeparator, header = {} } = flags
    const place = partition === undefined ? '' : `/partitions/${partition}`
    this.#path = `${topicPath(topic)}${place}?acks=${acks}`
    this.#defaults = { key, keySeparator, headers: header }
    this.#shownAt = world.clock.monotonic()
  }

  async run(files: readonly string[]): Promise<void> {
    try {
      if (files.length === 0) await this.#take(this.#world.input())
      else for (const path of files) await this.#take(this.#readFile(path))
      await this.#drain()
    } catch (error) {
      // What was read before the failure is still sent; the count tells how far it went.
      await this.#drain().catch(() => undefined)
      if (error instanceof CommandError && this.#sent > 0) await this.#summary()
      throw error
    }
    await this.#summary()
    if (this.#refused === 0) return
    throw new CommandError(`${countText(this.#refused)} records were refused`, {
      exitCode: EXIT.failed,
    })
  }

  async #take(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const { format, key } = this.#flags
    if (format === 'raw') {
      await this.#add(valueRecord(await wholeInput(chunks), key, this.#defaults))
      return
    }
    for await (const lines of inputLines(chunks)) {
      for (const line of lines) {
        this.#lines++
        const record = recordFromLine(line, this.#lines, format, this.#defaults)
        if (record !== undefined) await this.#add(record)
      }
      // Send what has come as soon as the line is free: input may be typed by hand.
      if (this.#sending === undefined) this.#send()
      if (this.#world.interrupted.aborted) return
    }
  }

  async #add(record: string): Promise<void> {
    this.#group.push(record)
    this.#groupCharacters += record.length
    const isFull =
      this.#group.length >= MAX_GROUP_RECORDS || this.#groupCharacters >= MAX_GROUP_CHARACTERS
    if (!isFull) return
    await this.#sending
    this.#throwFailure()
    this.#send()
  }

  async #drain(): Promise<void> {
    await this.#sending
    this.#throwFailure()
    this.#send()
    await this.#sending
    this.#throwFailure()
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  /** Sends the group, one at a time so that records keep their order. A failure is kept for whoever waits next. */
  #send(): void {
    if (this.#group.length === 0) return
    const group = this.#group
    this.#group = []
    this.#groupCharacters = 0
    this.#sending = this.#sendGroup(group)
      .catch((error: unknown) => {
        this.#failure = error
      })
      .finally(() => {
        this.#sending = undefined
      })
  }

  async #sendGroup(group: readonly string[]): Promise<void> {
    const text = `{"records":[${group.join(',')}]}`
    const answer = await this.#client.json<Answer>(this.#path, { method: 'POST', text })
    for (const result of answer.offsets ?? []) {
      if (typeof result.error_code === 'number') await this.#refuse(result)
      else this.#sent++
      if (this.#flags.json === true) await this.#world.writeOutput(`${JSON.stringify(result)}\n`)
    }
    await this.#progress()
  }

  async #refuse(result: Result): Promise<void> {
    this.#refused++
    if (this.#refused > MAX_NAMED) return
    const where = this.#sent + this.#refused
    await this.#world.writeError(
      `record ${where}: ${result.error ?? `error ${result.error_code}`}\n`,
    )
  }

  async #progress(): Promise<void> {
    const now = this.#world.clock.monotonic()
    if (!this.#world.isTerminal('error') || now - this.#shownAt < PROGRESS_MS) return
    this.#shownAt = now
    await this.#world.writeError(`\r${countText(this.#sent)} records`)
  }

  async #summary(): Promise<void> {
    if (!this.#world.isTerminal('error')) return
    await this.#world.writeError(`\r${countText(this.#sent)} records produced\n`)
  }

  *#readFile(path: string): Generator<Uint8Array> {
    const status = this.#world.files.status(path)
    if (status === undefined || status.isDirectory) {
      throw new CommandError(`There is no file ${path}`)
    }
    const file = this.#world.files.open(path, 'read')
    try {
      const chunk = new Uint8Array(FILE_CHUNK_BYTES)
      for (let position = 0; ; ) {
        const size = file.read(chunk, position)
        if (size === 0) return
        yield chunk.subarray(0, size)
        position += size
      }
    } finally {
      file.close()
    }
  }
}

interface Result {
  readonly partition?: number | null
  readonly offset?: number | null
  readonly error_code?: number | null
  readonly error?: string | null
}

interface Answer {
  readonly offsets?: readonly Result[]
}
