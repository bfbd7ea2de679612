// One data directory, two brokers by turns, and clients that stay: what the tests of moving have in common.
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type BrokerProcess, launchBroker, runtimeCommand } from '../process/broker-process.ts'
import { freePort, type JavaProgram, type RealKafka, startJava, startKafka } from './kafka.ts'

/** How a broker ends. */
export type Ending = 'stopped' | 'killed'
type Who = 'us' | 'kafka'

/** Compaction at once, and what a short test can't wait for. */
const SETTINGS = {
  'log.cleaner.backoff.ms': '200',
  'offsets.topic.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
}

/** A directory on the move, with a client at the one address that both brokers have. */
export class Moving {
  readonly data: string
  readonly #port: number
  readonly #client: JavaProgram
  #broker: BrokerProcess | undefined
  #kafka: RealKafka | undefined
  #states = 0

  private constructor(data: string, port: number, client: JavaProgram) {
    this.data = data
    this.#port = port
    this.#client = client
  }

  static async begin(data: string): Promise<Moving> {
    const port = await freePort()
    return new Moving(data, port, startJava('MoveClient.java', `127.0.0.1:${port}`))
  }

  async start(who: Who): Promise<void> {
    if (who === 'kafka') {
      this.#kafka = await startKafka(this.data, {
        port: this.#port,
        config: {
          'log.cleaner.backoff.ms': '200',
          // Else a kill within a minute makes it forget which records were deleted.
          'log.flush.start.offset.checkpoint.interval.ms': '500',
          'log.initial.task.delay.ms': '500',
        },
      })
      return
    }
    const sets = Object.entries(SETTINGS).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const address = `127.0.0.1:${this.#port}`
    const where = ['--data', this.data, '--http', '127.0.0.1:0', '--kafka', address]
    this.#broker = await launchBroker([
      ...(runtimeCommand('bun') ?? []),
      'main.ts',
      'serve',
      ...where,
      ...sets,
    ])
  }

  /** Ends whichever broker runs. No directory is a stray then. */
  async end(how: Ending): Promise<void> {
    if (this.#kafka) await (how === 'killed' ? this.#kafka.kill() : this.#kafka.stop())
    if (this.#broker) await (how === 'killed' ? this.#broker.kill() : this.#broker.terminate())
    this.#kafka = undefined
    this.#broker = undefined
    expect(readdirSync(this.data).filter((name) => name.endsWith('-stray'))).toEqual([])
  }

  /** `create`, `fill`, `transact`, `leave-open`, `go-on N`. */
  tell(command: string): Promise<void> {
    return this.#client.tell(command)
  }

  /** Every topic, record, offset, config and group position, a line each; fails where a partition has no leader. */
  async state(): Promise<string[]> {
    const file = `${this.data}.state-${this.#states++}`
    await this.#client.tell(`state ${file}`)
    return readFileSync(file, 'utf8').trimEnd().split('\n')
  }

  /** What our broker found at its start. */
  async recovery(): Promise<{ had_clean_shutdown: boolean; findings: { cut_bytes: number }[] }> {
    return await (await this.#broker?.get('/recovery'))?.json()
  }

  /** Moves to the next broker: what was there is there, and who was connected goes on. */
  async move(how: Ending, to: Who): Promise<void> {
    const before = await this.state()
    await this.end(how)
    await this.start(to)
    expectSame(await this.state(), before, `${how}, then ${to}`)
    await this.tell('go-on 30')
  }

  async close(): Promise<void> {
    await this.#client.kill()
    await this.#kafka?.kill()
    await this.#broker?.kill()
  }
}

/** The first lines that differ, rather than thousands. */
export function expectSame(
  found: readonly string[],
  wanted: readonly string[],
  when: string,
): void {
  const has = new Set(found)
  const had = new Set(wanted)
  const lost = wanted.filter((line) => !has.has(line)).slice(0, 5)
  const added = found.filter((line) => !had.has(line)).slice(0, 5)
  expect({ when, lost, added }).toEqual({ when, lost: [], added: [] })
  expect(found.length, when).toBe(wanted.length)
}

/** Appends the beginning of a batch to the newest segment of a partition, as a write that was torn leaves it. */
export function tearLastWrite(data: string, partition: string): void {
  const folder = join(data, partition)
  const name = readdirSync(folder)
    .filter((each) => each.endsWith('.log'))
    .toSorted()
    .at(-1)
  const path = join(folder, name ?? '')
  const bytes = readFileSync(path)
  const file = openSync(path, 'a')
  writeSync(file, bytes.subarray(0, 100))
  closeSync(file)
}
