// `millrace topics`: list, create, describe, delete, alter, trim over HTTP; and how many partitions a topic needs.
import type { Command } from 'commander'
import { CommandError, EXIT, usageError } from './command-error.ts'
import { palette, printable } from './display.ts'
import { DEFAULT_URL, HttpClient, topicPath } from './http-client.ts'
import { countOption, gather, gatherPairs } from './options.ts'
import { parsePlace } from './places.ts'
import { partitionsOf } from './topic-partitions.ts'
import { parseThroughput, partitionsFor } from './topic-size.ts'
import type { CommandWorld } from './world.ts'

interface Common {
  readonly url?: string
  readonly json?: boolean
}

interface Offsets {
  readonly beginning_offset: number
  readonly end_offset: number
}

interface Topic {
  readonly name: string
  readonly configs: Readonly<Record<string, string | null>>
  readonly partitions: readonly {
    readonly partition: number
    readonly leader: number
    readonly replicas: readonly { readonly broker: number; readonly in_sync: boolean }[]
  }[]
}

/** Adds `topics` and its subcommands. */
export function addTopicsCommand(program: Command, world: CommandWorld): void {
  const topics = program
    .command('topics')
    .description('list, create, describe, delete, alter and trim topics')
  const command = (usage: string, description: string): Command =>
    topics
      .command(usage)
      .description(description)
      .option('--url <url>', `the broker; MILLRACE_URL or ${DEFAULT_URL} unless given`)
  addList(command, world)
  addCreate(command, world)
  addDescribe(command, world)
  addDelete(command, world)
  addAlter(command, world)
  addTrim(command, world)
  addSize(topics, world)
}

type AddCommand = (usage: string, description: string) => Command

function addList(command: AddCommand, world: CommandWorld): void {
  command('list', 'list the topics')
    .option('--json', 'as a JSON array')
    .action(async ({ url, json }: Common) => {
      const names = await new HttpClient(world, url).json<string[]>('/topics')
      const text =
        json === true ? JSON.stringify(names) : names.map((name) => printable(name)).join('\n')
      if (text !== '') await world.writeOutput(`${text}\n`)
    })
}

interface CreateFlags extends Common {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, string>>
  readonly validateOnly?: boolean
}

function addCreate(command: AddCommand, world: CommandWorld): void {
  command('create', 'create a topic')
    .argument('<topic>')
    .option(
      '-p, --partitions <n>',
      "partitions; the broker's num.partitions unless given",
      countOption,
    )
    .option('--replication-factor <n>', "replicas; the broker's default unless given", countOption)
    .option('-c, --config <key=value>', 'a topic config; may come several times', gatherPairs)
    .option('--validate-only', 'check it, but create nothing')
    .action(async (topic: string, flags: CreateFlags) => {
      const client = new HttpClient(world, flags.url)
      const body = {
        topic_name: topic,
        ...(flags.partitions === undefined ? {} : { partitions_count: flags.partitions }),
        ...(flags.replicationFactor === undefined
          ? {}
          : { replication_factor: flags.replicationFactor }),
        ...(flags.config === undefined ? {} : { configs: setEntries(flags.config) }),
        ...(flags.validateOnly === true ? { validate_only: true } : {}),
      }
      await client.send(`${await client.clusterPath()}/topics`, { method: 'POST', body })
      const done = flags.validateOnly === true ? 'could be created' : 'is created'
      await world.writeOutput(`Topic ${topic} ${done}\n`)
    })
}

function addDescribe(command: AddCommand, world: CommandWorld): void {
  command('describe', 'show partitions, offsets and configs')
    .argument('<topic>')
    .option('--json', 'as JSON')
    .action(async (name: string, { url, json }: Common) => {
      const client = new HttpClient(world, url)
      const topic = await client.json<Topic>(topicPath(name))
      const offsets: Offsets[] = []
      for (const { partition } of topic.partitions) {
        offsets.push(
          await client.json<Offsets>(`${topicPath(name)}/partitions/${partition}/offsets`),
        )
      }
      if (json === true) {
        const partitions = topic.partitions.map((partition, index) => ({
          ...partition,
          ...offsets[index],
        }))
        await world.writeOutput(`${JSON.stringify({ ...topic, partitions }, null, 2)}\n`)
      } else await world.writeOutput(topicText(topic, offsets, world))
    })
}

function addDelete(command: AddCommand, world: CommandWorld): void {
  command('delete', 'delete topics and their records')
    .argument('<topics...>')
    .action(async (names: readonly string[], { url }: Common) => {
      const client = new HttpClient(world, url)
      const cluster = await client.clusterPath()
      for (const name of names) {
        await client.send(`${cluster}/topics/${encodeURIComponent(name)}`, { method: 'DELETE' })
        await world.writeOutput(`Topic ${name} is deleted\n`)
      }
    })
}

interface AlterFlags extends Common {
  readonly partitions?: number
  readonly config?: Readonly<Record<string, string>>
  readonly deleteConfig?: readonly string[]
}

function addAlter(command: AddCommand, world: CommandWorld): void {
  command('alter', 'add partitions, change configs')
    .argument('<topic>')
    .option('-p, --partitions <n>', 'the number of partitions to have', countOption)
    .option('-c, --config <key=value>', 'set a config; may come several times', gatherPairs)
    .option(
      '--delete-config <key>',
      "go back to the broker's value; may come several times",
      gather,
    )
    .action(async (topic: string, flags: AlterFlags) => {
      const { partitions, config = {}, deleteConfig = [] } = flags
      const changes = [
        ...setEntries(config).map((entry) => ({ ...entry, operation: 'SET' })),
        ...deleteConfig.map((name) => ({ name, operation: 'DELETE' })),
      ]
      if (partitions === undefined && changes.length === 0) {
        throw usageError(
          'There is nothing to alter: give --partitions, --config or --delete-config',
        )
      }
      const client = new HttpClient(world, flags.url)
      const path = `${await client.clusterPath()}/topics/${encodeURIComponent(topic)}`
      // Configs first: they are refused as a whole, while added partitions stay.
      if (changes.length > 0) {
        await client.send(`${path}/configs:alter`, { method: 'POST', body: { data: changes } })
      }
      if (partitions !== undefined) {
        await client.send(path, { method: 'PATCH', body: { partitions_count: partitions } })
      }
      await world.writeOutput(`Topic ${topic} is altered\n`)
    })
}

interface TrimFlags extends Common {
  readonly before: string
  readonly partition?: readonly string[]
}

function addTrim(command: AddCommand, world: CommandWorld): void {
  command('trim', 'delete the oldest records of a topic')
    .argument('<topic>')
    .requiredOption(
      '--before <where>',
      'end, an offset, -N to keep the last N, or a time; a time is 2026-01-31T12:00:00Z or @ and ms',
    )
    .option('-p, --partition <n>', 'a partition; all unless given; may come several times', gather)
    .action(async (topic: string, { url, before, partition: wanted }: TrimFlags) => {
      const query = trimQuery(before)
      const client = new HttpClient(world, url)
      const partitions = await partitionsOf(client, topic, wanted)
      // The offset of one partition says nothing about another.
      if (/^\d+$/.test(before) && wanted === undefined && partitions.length > 1) {
        throw usageError(`Topic ${topic} has ${partitions.length} partitions: give --partition`)
      }
      for (const partition of partitions) {
        const path = `${topicPath(topic)}/partitions/${partition}/records?${query}`
        const { log_start_offset } = await client.json<{ log_start_offset: number }>(path, {
          method: 'DELETE',
        })
        await world.writeOutput(`Partition ${partition} begins at offset ${log_start_offset}\n`)
      }
    })
}

function trimQuery(before: string): URLSearchParams {
  const place = parsePlace(before)
  if (place === undefined) {
    throw usageError(`--before ${before} is none of end, an offset, -N, or a time`)
  }
  return new URLSearchParams(
    'offset' in place ? { before: place.offset } : { before_timestamp: place.timestamp },
  )
}

interface SizeFlags {
  readonly target: string
  readonly producer: string
  readonly consumer: string
}

function addSize(topics: Command, world: CommandWorld): void {
  topics
    .command('size')
    .description(
      'how many partitions a topic needs: max(target / producer, target / consumer), rounded up',
    )
    .requiredOption('--target <throughput>', 'what the topic must carry, such as 200MB/s')
    .requiredOption('--producer <throughput>', 'what one producer writes to one partition')
    .requiredOption('--consumer <throughput>', 'what one consumer reads from one partition')
    .action(async (flags: SizeFlags) => {
      const throughputs = {
        target: parseThroughput(flags.target),
        producer: parseThroughput(flags.producer),
        consumer: parseThroughput(flags.consumer),
      }
      const partitions = partitionsFor(throughputs)
      if (!Number.isSafeInteger(partitions)) {
        throw new CommandError('That is more partitions than can be counted', {
          exitCode: EXIT.usage,
        })
      }
      await world.writeOutput(`${partitions}\n`)
    })
}

function setEntries(configs: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

function topicText(topic: Topic, offsets: readonly Offsets[], world: CommandWorld): string {
  const { bold, dim } = palette(world.hasColours('output'))
  const lines = [bold(printable(topic.name))]
  for (const [index, { partition, leader, replicas }] of topic.partitions.entries()) {
    const inSync = replicas.filter((replica) => replica.in_sync).map(({ broker }) => broker)
    const all = replicas.map(({ broker }) => broker)
    const { beginning_offset, end_offset } = offsets[index] ?? {
      beginning_offset: 0,
      end_offset: 0,
    }
    lines.push(
      `  partition ${partition}  offsets ${beginning_offset}..${end_offset}  leader ${leader}  replicas ${all.join(',')}  in sync ${inSync.join(',')}`,
    )
  }
  for (const [name, value] of Object.entries(topic.configs)) {
    lines.push(dim(`  ${name}=${printable(value ?? '')}`))
  }
  return `${lines.join('\n')}\n`
}
