// Runs cases: warm-up, rounds in turns, what each cost the broker. A case that fails is told, and the run goes on.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  type Broker,
  type BrokerKind,
  type Fleet,
  logFiles,
  startBareServer,
  startBroker,
} from './brokers.ts'
import type { BenchCase } from './case.ts'
import { bareSync } from './disk.ts'
import type { Load, SideSpec } from './load.ts'
import { cpuSeconds, memoryOf, peakMemory } from './proc.ts'
import type { CaseResult, Metrics, SideResult } from './result.ts'
import type { Clients, Place } from './run-load.ts'
import { type Delays, loopDelays, stalls } from './tool-output.ts'

/** How a run is done. */
export interface RunOptions {
  readonly rounds: number
  readonly scale: number
  /** Where the bare writes go. */
  readonly folder: string
  /** Called before each run of a load, see page-cache.ts. */
  fillCache(): void
  say(line: string): void
}

/** Sides that were prepared for a case. */
interface Prepared {
  readonly spec: SideSpec
  readonly rounds: (Metrics | null)[]
  readonly failures: string[]
  /** A topic of old records. */
  oldTopic: string
  /** The topic of all runs of a case with many partitions; empty before the first. */
  manyTopic: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const CLIENT_DEADLINE_MS = 60_000
/** A broker that was just started takes so many records before it counts as warm. */
const WARM_RECORDS = 2_000_000
/** How much of a case's load goes before its first round, and directly before each run that counts, and is not counted. */
const WARM_SHARE = 0.5
const AGAIN_SHARE = 0.25
/** From here on, creating and deleting the partitions costs a broker more than their load does. */
const MANY_PARTITIONS = 100

/** Runs the cases with one fleet of brokers. */
export class Runner {
  readonly #fleet: Fleet
  readonly #clients: Clients
  readonly #options: RunOptions
  #topics = 0

  constructor(fleet: Fleet, clients: Clients, options: RunOptions) {
    this.#fleet = fleet
    this.#clients = clients
    this.#options = options
  }

  /** Runs one case to its end. Never rejects: what failed stands in the result. */
  async run(one: BenchCase): Promise<CaseResult> {
    const { rounds, scale, say } = this.#options
    const prepared: Prepared[] = one.sides.map((spec) => {
      return { spec, rounds: [], failures: [], oldTopic: '', manyTopic: '' }
    })
    const absence = this.#clients.absence(one.load)
    if (absence !== undefined) {
      say(`${one.name}: left out: ${absence}`)
      for (const side of prepared) side.failures.push(absence)
      return resultOf(one, prepared)
    }
    // Thousands of partitions, and what they leave behind when they are deleted, are for fresh brokers only.
    if (one.partitions >= MANY_PARTITIONS) await this.#fleet.stop()
    for (const side of prepared)
      await this.#attempt(side, async () => {
        await this.#prepare(one, side)
        await this.#measure(one, side, { all: prepared, scale: scale * WARM_SHARE })
      })
    for (let round = 0; round < rounds; round++) {
      for (const side of inTurn(prepared, round)) {
        const metrics = await this.#attempt(side, async () => {
          // A runtime throws away compiled code that has rested while the other sides had their turn.
          if (one.load.tool !== 'start')
            await this.#measure(one, side, { all: prepared, scale: scale * AGAIN_SHARE })
          return await this.#measure(one, side, { all: prepared, scale, counts: true })
        })
        side.rounds[round] = metrics ?? null
      }
      derive(prepared, round)
    }
    for (const side of prepared)
      if (side.oldTopic !== '')
        await this.#attempt(side, () => this.#delete(side.spec, side.oldTopic))
    if (one.partitions >= MANY_PARTITIONS) await this.#fleet.stop()
    return resultOf(one, prepared)
  }

  async #attempt<T>(side: Prepared, work: () => Promise<T>): Promise<T | undefined> {
    const { folder } = this.#options
    try {
      return await work()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      // What is kept names no path of this machine.
      const reason = message.replaceAll(root, '').replaceAll(folder, 'FOLDER').slice(0, 300)
      this.#options.say(`  ${side.spec.name} failed: ${reason}`)
      side.failures.push(reason)
      return undefined
    }
  }

  /** The running broker of a side, warm. */
  async #broker(spec: SideSpec): Promise<Broker> {
    const { broker, isNew } = await this.#fleet.get(kindOf(spec))
    if (!isNew) return broker
    this.#options.say(`  ${spec.name}: started, warming up`)
    const records = Math.round(WARM_RECORDS * Math.min(1, this.#options.scale))
    const topic = await this.#create(broker, 1, {})
    const place = { bootstrap: broker.bootstrap, topic, partitions: 1, oldTopic: topic }
    const props = ['acks=all']
    await this.#clients.run({ tool: 'java-produce', records, bytes: 100, props }, place, 1)
    await this.#clients.run({ tool: 'java-consume', records }, place, 1)
    const flags = { connections: 3 }
    const native: Load[] = [
      { tool: 'raw', mode: 'produce', records: records * 2, flags },
      {
        tool: 'raw',
        mode: 'fetch',
        records: records * 2,
        flags: { ...flags, 'max-bytes': 65_536 },
      },
    ]
    for (const load of native)
      if (this.#clients.absence(load) === undefined) await this.#clients.run(load, place, 1)
    await this.#deleteOn(broker, topic)
    return broker
  }

  async #prepare(one: BenchCase, side: Prepared): Promise<void> {
    if (one.old === undefined || isNoBroker(side.spec)) return
    const broker = await this.#broker(side.spec)
    const topic = await this.#create(broker, 1, side.spec.topicConfig ?? {})
    side.oldTopic = topic
    const { bytes } = one.old
    const records = Math.round(one.old.records * this.#options.scale) + 1000
    const place = { bootstrap: broker.bootstrap, topic, partitions: 1, oldTopic: topic }
    const raw: Load = {
      tool: 'raw',
      mode: 'produce',
      records,
      flags: { record: bytes, batch: 65_536 },
    }
    const isRaw = this.#clients.absence(raw) === undefined
    const props = ['batch.size=65536', 'linger.ms=20']
    const fill: Load = isRaw ? raw : { tool: 'java-produce', records, bytes, props }
    await this.#clients.run(fill, place, 1)
  }

  /** One run of a case's load against one side. */
  async #measure(
    one: BenchCase,
    side: Prepared,
    { all, scale, counts = false }: { all: readonly Prepared[]; scale: number; counts?: boolean },
  ): Promise<Metrics> {
    const { spec } = side
    if (spec.broker === 'disk')
      return await bareSync(this.#options.folder, 170, Math.max(50, Math.round(1000 * scale)))
    if (spec.broker === 'bare') return counts ? await this.#bare(one, all, scale) : {}
    if (one.load.tool === 'start') return await this.#start(spec, one.load.idleSeconds, scale)
    const broker = await this.#broker(spec)
    const isReading = one.load.tool.endsWith('-consume') || isFetch(one.load)
    const isMany = one.partitions >= MANY_PARTITIONS
    const create = () => this.#create(broker, one.partitions, spec.topicConfig ?? {})
    if (isMany && side.manyTopic === '') side.manyTopic = await create()
    const topic = isReading ? side.oldTopic : side.manyTopic || (await create())
    // What earlier runs have left to write must not slow this one.
    spawnSync('sync', ['-f', broker.data])
    this.#options.fillCache()
    if (one.old?.isCold) for (const file of logFiles(broker, side.oldTopic)) dropFromCache(file)
    const place: Place = {
      bootstrap: broker.bootstrap,
      topic,
      partitions: one.partitions,
      oldTopic: side.oldTopic,
    }
    const metrics = await this.#load(one.load, broker, place, scale)
    if (!isReading && !isMany) await this.#deleteOn(broker, topic)
    if (counts) this.#tell(one, spec, metrics)
    return metrics
  }

  async #load(load: Load, broker: Broker, place: Place, scale: number): Promise<Metrics> {
    const before = await delaysOf(broker)
    const cpuBefore = cpuSeconds(broker.pid)
    const [metrics, memory] = await peakMemory(broker.pid, () =>
      this.#clients.run(load, place, scale),
    )
    const cpu = cpuSeconds(broker.pid) - cpuBefore
    const delays = stalls(before, await delaysOf(broker))
    const { records = 0, seconds = 0, catchupRecordsPerSecond = 0 } = metrics
    const all = records + catchupRecordsPerSecond * seconds
    return { ...metrics, cpuSeconds: cpu, cpuPerMillion: (cpu / all) * 1e6, ...memory, ...delays }
  }

  /** The same load on a server that only sends, from the segment that Millrace holds. */
  async #bare(one: BenchCase, all: readonly Prepared[], scale: number): Promise<Metrics> {
    const owner = all.find(({ spec }) => spec.broker === 'millrace')
    if (owner === undefined) throw new Error('There is no Millrace whose segment it could send')
    const [segment = ''] = logFiles(await this.#broker(owner.spec), owner.oldTopic)
    const server = await startBareServer(segment)
    try {
      const { bootstrap } = server
      const place = { bootstrap, topic: owner.oldTopic, partitions: 1, oldTopic: owner.oldTopic }
      // It is a new process each time.
      await this.#clients.run(one.load, place, scale * AGAIN_SHARE)
      this.#options.fillCache()
      const metrics = await this.#load(one.load, server, place, scale)
      this.#tell(one, { ...owner.spec, name: 'bare' }, metrics)
      return metrics
    } finally {
      await server.stop()
    }
  }

  async #start(spec: SideSpec, idleSeconds: number, scale: number): Promise<Metrics> {
    const data = this.#fleet.newFolder('start')
    // The first start makes the files; the one that counts finds them, as nearly every start does.
    await (await startBroker(kindOf(spec), data)).stop()
    this.#options.fillCache()
    const broker = await startBroker(kindOf(spec), data)
    try {
      const share = Math.min(1, Math.max(0.1, scale))
      await pause(3000 * share)
      const before = cpuSeconds(broker.pid)
      await pause(idleSeconds * 1000 * share)
      const cpu = cpuSeconds(broker.pid) - before
      const { anonMib, rssMib } = memoryOf(broker.pid)
      const idleCpuPercent = (cpu / (idleSeconds * share)) * 100
      const metrics = {
        startMs: broker.startMs,
        idleCpuPercent,
        idleAnonMib: anonMib,
        idleRssMib: rssMib,
      }
      this.#options.say(`  ${spec.name}: ${broker.startMs.toFixed(0)} ms, ${rssMib.toFixed(0)} MiB`)
      return metrics
    } finally {
      await broker.stop()
    }
  }

  async #create(
    broker: Broker,
    partitions: number,
    config: Readonly<Record<string, string>>,
  ): Promise<string> {
    this.#topics += 1
    const topic = `bench${this.#topics}`
    const configs = Object.entries(config).map((pair) => pair.join('='))
    const words = ['create', broker.bootstrap, topic, String(partitions), ...configs]
    await this.#clients.java.run(words, CLIENT_DEADLINE_MS)
    return topic
  }

  async #delete(spec: SideSpec, topic: string): Promise<void> {
    await this.#deleteOn(await this.#broker(spec), topic)
  }

  async #deleteOn(broker: Broker, topic: string): Promise<void> {
    await this.#clients.java.run(['delete', broker.bootstrap, topic], CLIENT_DEADLINE_MS)
  }

  #tell(one: BenchCase, spec: SideSpec, metrics: Metrics): void {
    const { recordsPerSecond, cpuPerMillion, p50Us, p99Us } = metrics
    const parts = [
      recordsPerSecond === undefined ? '' : `${(recordsPerSecond / 1e3).toFixed(0)} k records/s`,
      `${cpuPerMillion?.toFixed(3)} CPU s/M`,
      p50Us === undefined ? '' : `p50 ${p50Us.toFixed(0)} µs, p99 ${p99Us?.toFixed(0)} µs`,
    ]
    this.#options.say(`  ${one.name} ${spec.name}: ${parts.filter(Boolean).join(', ')}`)
  }
}

/** Each round begins with another side, and every other one goes backwards. */
export function inTurn<T>(sides: readonly T[], round: number): T[] {
  const at = round % Math.max(1, sides.length)
  const turned = [...sides.slice(at), ...sides.slice(0, at)]
  return Math.floor(round / Math.max(1, sides.length)) % 2 === 0 ? turned : turned.toReversed()
}

/** What waiting for the disk adds to an acknowledgement, as a multiple of a bare fdatasync in the same round. */
function derive(prepared: readonly Prepared[], round: number): void {
  const side = (name: string) => prepared.find(({ spec }) => spec.name === name)
  const synced = side('millrace-fsync')
  const [own, without, bare] = [
    synced?.rounds[round]?.['ackP50Us'],
    side('millrace')?.rounds[round]?.['ackP50Us'],
    side('disk')?.rounds[round]?.['p50Us'],
  ]
  const metrics = synced?.rounds[round]
  if (!metrics || own === undefined || without === undefined || bare === undefined) return
  synced.rounds[round] = { ...metrics, syncOverBare: (own - without) / bare }
}

function resultOf(one: BenchCase, prepared: readonly Prepared[]): CaseResult {
  const sides = prepared.map(({ spec, rounds, failures }): SideResult => {
    return { name: spec.name, title: spec.title, rounds, failures: [...new Set(failures)] }
  })
  const { name, title, group, targets } = one
  return { name, title, group, sides, targets }
}

function kindOf({ broker, runtime = 'bun', fsync = false }: SideSpec): BrokerKind {
  if (broker === 'disk' || broker === 'bare') throw new Error(`${broker} is no broker`)
  return broker === 'kafka' ? { broker } : { broker, runtime, fsync }
}

const isNoBroker = ({ broker }: SideSpec): boolean => broker === 'disk' || broker === 'bare'

const isFetch = (load: Load): boolean => load.tool === 'raw' && load.mode === 'fetch'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** How often the event loop was late, until now; nothing of a broker that does not tell. */
async function delaysOf(broker: Broker): Promise<Delays> {
  if (broker.url === undefined) return new Map()
  const answer = await fetch(`${broker.url}/metrics`, { signal: AbortSignal.timeout(10_000) })
  return loopDelays(await answer.text())
}

/** Writes a file's pages back and has the kernel forget them. */
function dropFromCache(file: string): void {
  const argv = [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']
  spawnSync('dd', ['if=/dev/null', ...argv])
}
