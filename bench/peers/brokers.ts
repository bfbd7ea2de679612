// The brokers of the comparison: a real Kafka, and Millrace on its runtimes, each started when a case first needs it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, startKafka } from '../../test/kafka/kafka.ts'
import {
  launchBroker,
  type RuntimeName,
  runtimeCommand,
  serveFlags,
} from '../../test/process/broker-process.ts'
import { within } from './child.ts'
import { firstMetadata } from './metadata-probe.ts'

/** Which broker a side of a case talks to. */
export type BrokerKind =
  | { readonly broker: 'kafka' }
  | { readonly broker: 'millrace'; readonly runtime: RuntimeName; readonly fsync: boolean }

/** A running broker. */
export interface Broker {
  readonly bootstrap: string
  readonly pid: number
  readonly data: string
  /** The HTTP door; Kafka has none. */
  readonly url?: string
  /** From the start of the process to the first answered Metadata. */
  readonly startMs: number
  stop(): Promise<void>
}

/** Kafka as its own start script runs it, but for the heap's lower bound, which is the same gigabyte there. */
const kafkaJava = [
  ...['-Xmx1G', '-Xms1G', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
  ...['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent'],
]

/** What both are told alike: files of deleted topics go at once, so that one case does not fill the next one's disk. */
const settings = {
  'log.segment.delete.delay.ms': '1000',
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '1',
}

const PATIENCE_MS = 90_000

/** Starts a broker on a folder, which may hold its data already. */
export async function startBroker(kind: BrokerKind, data: string): Promise<Broker> {
  const port = await freePort()
  const begin = performance.now()
  if (kind.broker === 'kafka') {
    const starting = startKafka(data, { port, config: settings, java: kafkaJava })
    const [kafka, startMs] = await answered(starting, port, begin)
    const { bootstrap, pid } = kafka
    return { bootstrap, pid, data, startMs, stop: () => stopOr(kafka.stop(), () => kafka.kill()) }
  }
  const command = runtimeCommand(kind.runtime)
  if (command === undefined) throw new Error(`There is no ${kind.runtime} here`)
  const sets = { ...settings, 'millrace.acks.all.fsync': String(kind.fsync) }
  const starting = launchBroker([
    ...[...command, 'main.ts', 'serve', ...serveFlags(data), '--kafka', `127.0.0.1:${port}`],
    ...Object.entries(sets).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ])
  const [broker, startMs] = await answered(starting, port, begin)
  return {
    bootstrap: `127.0.0.1:${port}`,
    pid: broker.pid,
    data,
    url: broker.url,
    startMs,
    stop: () => stopOr(broker.terminate(), () => broker.kill()),
  }
}

/** A broker that has started, and how long its first answer took; one that does not answer is killed. */
async function answered<B extends { kill(): Promise<unknown> }>(
  starting: Promise<B>,
  port: number,
  begin: number,
): Promise<[B, number]> {
  const first = firstMetadata(port, PATIENCE_MS).then(() => performance.now() - begin)
  const [broker, startMs] = await Promise.allSettled([starting, first])
  if (broker.status === 'rejected') throw broker.reason
  if (startMs.status === 'fulfilled') return [broker.value, startMs.value]
  await broker.value.kill()
  throw startMs.reason
}

/** A broker that does not stop is killed. */
async function stopOr(stopping: Promise<unknown>, kill: () => Promise<unknown>): Promise<void> {
  try {
    await within(30_000, 'A clean stop', stopping)
  } catch {
    await kill()
  }
}

/** Starts the bare server on a segment. */
export async function startBareServer(segment: string): Promise<Broker> {
  const [program = '', ...flags] = runtimeCommand('bun') ?? []
  const child = spawn(
    program,
    [...flags, fileURLToPath(new URL('peers.ts', import.meta.url)), '--serve', segment],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const gone = once(child, 'close')
  const stop = async () => {
    child.kill('SIGKILL')
    await gone
  }
  const begin = performance.now()
  const said = once(child.stdout, 'data')
  try {
    const [text] = await within(30_000, 'The start of the bare server', Promise.race([said, gone]))
    const startMs = performance.now() - begin
    const bootstrap = `127.0.0.1:${Number(String(text))}`
    return { bootstrap, pid: child.pid ?? 0, data: dirname(segment), startMs, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The brokers that are running, by kind. All of them run all the time, so that all are warm; only one is asked at a time. */
export class Fleet {
  readonly #folder: string
  readonly #brokers = new Map<string, Broker>()
  #number = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The broker of a kind; a new one on fresh files when there is none, or when it has died. `isNew` when it was started now. */
  async get(kind: BrokerKind): Promise<{ broker: Broker; isNew: boolean }> {
    const name = nameOf(kind)
    const running = this.#brokers.get(name)
    if (running !== undefined && isAlive(running.pid)) return { broker: running, isNew: false }
    const broker = await startBroker(kind, this.newFolder(name))
    this.#brokers.set(name, broker)
    return { broker, isNew: true }
  }

  /** A folder that nobody has used. */
  newFolder(name: string): string {
    this.#number += 1
    return join(this.#folder, `${name}-${this.#number}`)
  }

  /** Stops them all. */
  async stop(): Promise<void> {
    await Promise.allSettled([...this.#brokers.values()].map((broker) => broker.stop()))
    this.#brokers.clear()
  }
}

const nameOf = (kind: BrokerKind): string =>
  kind.broker === 'kafka' ? 'kafka' : `millrace-${kind.runtime}${kind.fsync ? '-fsync' : ''}`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The log files of a topic. */
export function logFiles(broker: Broker, topic: string): string[] {
  return readdirSync(broker.data)
    .filter((name) => name.startsWith(`${topic}-`))
    .map((name) => join(broker.data, name))
    .filter((path) => statSync(path).isDirectory())
    .flatMap((path) => readdirSync(path).map((name) => join(path, name)))
    .filter((path) => path.endsWith('.log'))
}
