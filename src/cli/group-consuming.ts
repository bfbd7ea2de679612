// One run of `consume --group`: a consumer inside the broker, whose records are committed when they have been printed.
import { CommandError } from './command-error.ts'
import { printable } from './display.ts'
import type { HttpClient } from './http-client.ts'
import { arrayItems, objectMembers } from './json-text.ts'
import type { CommandWorld } from './world.ts'

/** How to take part in a group. */
export interface GroupConsumingOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** For partitions that the group has committed nothing of. */
  readonly from: 'earliest' | 'latest'
  readonly isolation: string
  /** The most records to print. */
  readonly max: number
  /** Waits for ever instead of leaving when nothing comes. */
  readonly follow: boolean
  /** Values as base64, the only form that is exact for every value. */
  readonly isBinary: boolean
}

interface Printable {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The record's JSON, or its value as base64. */
  readonly text: string
}

const READ_RECORDS = 500
const FOLLOW_WAIT_MS = 30_000
/** Nothing for so long is the end. */
const END_WAIT_MS = 2_000
const BINARY = 'application/vnd.kafka.binary.v2+json'

/** A member of a group for as long as the command runs. */
export class GroupConsuming {
  readonly #client: HttpClient
  readonly #world: CommandWorld
  readonly #options: GroupConsumingOptions

  constructor(client: HttpClient, world: CommandWorld, options: GroupConsumingOptions) {
    this.#client = client
    this.#world = world
    this.#options = options
  }

  /** Joins, prints, commits, and leaves: also when it is interrupted, and when it fails. */
  async run(
    printed: (texts: readonly string[]) => string | Uint8Array,
    head: string,
  ): Promise<void> {
    const instance = await this.#create()
    try {
      const body = { topics: this.#options.topics }
      await this.#client.send(`${instance}/subscription`, { method: 'POST', body })
      if (head !== '') await this.#world.writeOutput(head)
      await this.#follow(instance, printed)
    } finally {
      await this.#leave(instance)
    }
  }

  /** The path of a new consumer of the group. */
  async #create(): Promise<string> {
    const { group, topics, from, isolation, isBinary } = this.#options
    // A subscription may name topics that are still to come; a command line rather has a typing error.
    for (const topic of topics) await this.#client.send(`/topics/${encodeURIComponent(topic)}`)
    const path = `/consumers/${encodeURIComponent(group)}`
    const body = {
      format: isBinary ? 'binary' : 'json',
      'auto.offset.reset': from,
      'auto.commit.enable': 'false',
      'isolation.level': isolation,
    }
    const request = { method: 'POST', body } as const
    const { instance_id } = await this.#client.json<{ instance_id: string }>(path, request)
    return `${path}/instances/${encodeURIComponent(instance_id)}`
  }

  async #follow(
    instance: string,
    printed: (texts: readonly string[]) => string | Uint8Array,
  ): Promise<void> {
    const { follow, max } = this.#options
    const { interrupted } = this.#world
    for (let left = max; left > 0 && !interrupted.aborted; ) {
      const records = await this.#read(instance, Math.min(left, READ_RECORDS))
      if (records === undefined || (records.length === 0 && !follow)) return
      if (records.length === 0) continue
      await this.#world.writeOutput(printed(records.map(({ text }) => text)))
      left -= records.length
      await this.#commit(instance, records)
    }
  }

  /** Undefined when the user wants no more. */
  async #read(instance: string, most: number): Promise<readonly Printable[] | undefined> {
    const { follow, isBinary } = this.#options
    const { interrupted: signal } = this.#world
    const waitMs = follow ? FOLLOW_WAIT_MS : END_WAIT_MS
    const path = `${instance}/records?timeout=${waitMs}&max_records=${most}`
    const accept = isBinary ? BINARY : 'application/json'
    try {
      const text = await (await this.#client.send(path, { accept, signal })).text()
      return isBinary ? binaryRecords(text) : jsonRecords(text)
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    }
  }

  /** What can't be committed comes again, here or to another member: that is worth a word, not the end. */
  async #commit(instance: string, records: readonly Printable[]): Promise<void> {
    const last = new Map(
      records.map(({ topic, partition, offset }) => [
        JSON.stringify([topic, partition]),
        { topic, partition, offset },
      ]),
    )
    const body = { offsets: [...last.values()] }
    try {
      await this.#client.send(`${instance}/offsets`, { method: 'POST', body })
    } catch (error) {
      if (!(error instanceof CommandError) || error.status === undefined) throw error
      const count = records.length === 1 ? '1 record' : `${records.length} records`
      const why = printable(error.message)
      await this.#world.writeError(`The last ${count} may come again: ${why}\n`)
    }
  }

  /** A broker that is gone has forgotten this member by itself. */
  async #leave(instance: string): Promise<void> {
    try {
      await this.#client.send(instance, { method: 'DELETE' })
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
    }
  }
}

function jsonRecords(text: string): Printable[] {
  return arrayItems(text).map((record) => {
    const members = objectMembers(record)
    return {
      topic: String(JSON.parse(members.get('topic') ?? '""')),
      partition: Number(members.get('partition')),
      offset: Number(members.get('offset')),
      text: record,
    }
  })
}

/** A tombstone is empty. */
function binaryRecords(text: string): Printable[] {
  const records = JSON.parse(text) as readonly (Printable & { readonly value: string | null })[]
  return records.map(({ topic, partition, offset, value }) => ({
    topic,
    partition,
    offset,
    text: value ?? '',
  }))
}
