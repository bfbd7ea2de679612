// A real broker on two log directories, of which one fails in some way: what it answers, and what is there afterwards.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type BrokerProcess, startBrokerProcess } from './broker-process.ts'
import { FaultClient, STORAGE_ERROR } from './fault-client.ts'
import { type Attempt, contradictions } from './history.ts'

const TOPIC = 'faults'
/** Nobody but the test reads sealed segments. */
const SETTINGS = { 'millrace.scrub.max.bytes.per.second': '0' }

/** A system call that fails. */
export interface Injection {
  /** As strace names them. */
  readonly calls: string
  readonly error: 'ENOSPC' | 'EIO' | 'EROFS'
  /** As strace counts them, for each thread: `3`, `3..5`, `3+`. */
  readonly when: string
}

/** Two log directories, a topic with a partition in each, and what was written. */
export class FaultyBroker {
  readonly attempts: Attempt[] = []
  readonly #directories: readonly [good: string, bad: string]
  readonly #running: Set<BrokerProcess>
  #broker: BrokerProcess | undefined
  #client: FaultClient | undefined
  /** The partition in the directory that fails. */
  bad = -1

  /** The first directory holds the metadata, and is sound. `running` is for the end of a test that failed. */
  constructor(good: string, bad: string, running: Set<BrokerProcess>) {
    this.#directories = [good, bad]
    this.#running = running
  }

  get good(): number {
    return 1 - this.bad
  }

  get output(): string {
    return this.#broker?.output ?? ''
  }

  /** The first segment of the partition in the directory that fails. */
  get segment(): string {
    return join(this.#directories[1], `${TOPIC}-${this.bad}`, '00000000000000000000.log')
  }

  /** Makes the topic: as many segments as fit are 1 MiB. */
  async create(): Promise<void> {
    for (const directory of this.#directories) mkdirSync(directory, { recursive: true })
    await this.start()
    const [place] = (await this.#broker?.produce(TOPIC, ['first'])) ?? []
    this.attempts.push({ writer: 'first', value: 'first', ...(place && { acknowledged: place }) })
    this.bad = existsSync(join(this.#directories[1], `${TOPIC}-0`)) ? 0 : 1
    expect(existsSync(this.segment)).toBe(true)
  }

  async start(injection?: Injection): Promise<void> {
    const broker = await startBrokerProcess({
      data: this.#directories.join(','),
      settings: { 'num.partitions': '2', 'log.segment.bytes': '1048576', ...SETTINGS },
      wrapper: injection ? strace(injection, this.segment) : [],
    })
    this.#running.add(broker)
    this.#broker = broker
    this.#client = await FaultClient.open(broker, TOPIC, this.attempts)
  }

  async produce(partition: number, value: string): Promise<number> {
    return (await this.#client?.produce(partition, value)) ?? -1
  }

  async read(partition: number, from?: number) {
    return (await this.#client?.read(partition, from)) ?? -1
  }

  /** Produces to both partitions in turn; the error codes of the one in the directory that fails. */
  async produceRounds(name: string, count: number, size = 100): Promise<number[]> {
    const codes: number[] = []
    for (let round = 0; round < count; round++) {
      const value = `${name} ${round} ${'x'.repeat(size)}`
      expect(await this.produce(this.good, `good ${value}`)).toBe(0)
      codes.push(await this.produce(this.bad, `bad ${value}`))
    }
    return codes
  }

  /** The process lives, and serves the directory that is sound. */
  async expectAlive(): Promise<void> {
    expect((await this.#broker?.get('/health/live'))?.status).toBe(200)
    const records = await this.read(this.good)
    expect(this.#contradictions([[this.good, records]])).toEqual([])
  }

  /** The directory that fails is offline: reads and writes get Kafka's error. */
  async expectOffline(): Promise<void> {
    expect(await this.read(this.bad)).toBe(STORAGE_ERROR)
    expect(await this.produce(this.bad, `refused ${this.attempts.length}`)).toBe(STORAGE_ERROR)
    await this.expectSaid(`The data directory ${this.#directories[1]} is offline`)
    await this.expectAlive()
  }

  /** Its output comes some time after its answers. */
  async expectSaid(text: string): Promise<void> {
    const end = performance.now() + 20_000
    while (!this.output.includes(text) && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(this.output).toContain(text)
  }

  /** Everything that was acknowledged is in both. */
  async expectAll(): Promise<void> {
    const good = await this.read(this.good)
    const bad = await this.read(this.bad)
    const read = [[this.good, good] as const, [this.bad, bad] as const]
    expect(this.#contradictions(read)).toEqual([])
  }

  kill(): Promise<void> {
    return this.#end((broker) => broker.kill())
  }

  stop(): Promise<void> {
    return this.#end((broker) => broker.terminate())
  }

  async #end(how: (broker: BrokerProcess) => Promise<unknown>): Promise<void> {
    this.#client?.close()
    if (!this.#broker) return
    await how(this.#broker)
    this.#running.delete(this.#broker)
    this.#broker = undefined
  }

  /** kill -9, start without faults: all acknowledged records are there, and both partitions go on. */
  async expectRestart(): Promise<void> {
    await this.kill()
    await this.start()
    await this.expectAll()
    expect(await this.produceRounds('after', 2)).toEqual([0, 0])
    await this.expectAll()
    await this.kill()
  }

  /** Only of the partitions that were read. */
  #contradictions(
    read: readonly (readonly [number, Awaited<ReturnType<FaultyBroker['read']>>])[],
  ): string[] {
    const records = new Map(
      read.map(([partition, found]) => {
        if (typeof found === 'number') throw new Error(`Partition ${partition}: error ${found}`)
        return [partition, found.map((one) => ({ ...one, value: textOf(one.value) }))]
      }),
    )
    const known = this.attempts.map((attempt) => {
      const { acknowledged, ...unknown } = attempt
      return acknowledged && records.has(acknowledged.partition) ? attempt : unknown
    })
    return contradictions(known, records)
  }
}

/** What came over HTTP was JSON. */
const textOf = (value: string) => (value.startsWith('"') ? String(JSON.parse(value)) : value)

/** Every thread's calls on one file, of which some fail. */
function strace({ calls, error, when }: Injection, path: string): string[] {
  const inject = `inject=${calls}:error=${error}:when=${when}`
  return [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-P',
    path,
    '-e',
    `trace=${calls}`,
    '-e',
    inject,
  ]
}
