// kill -9 in the middle of writes, again and again on one data directory: everything acknowledged stays, in order, once.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SeededRandom } from '../simulation/seeded-random.ts'
import {
  BrokerDidNotStart,
  type BrokerProcess,
  type RuntimeName,
  runtimeCommand,
  runtimes,
  startBrokerProcess,
} from './broker-process.ts'
import { type Attempt, contradictions } from './history.ts'

const rounds = 4
const partitionCount = 2
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000)
const scratch = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
const running = new Set<BrokerProcess>()
afterAll(async () => {
  for (const broker of running) await broker.kill()
  rmSync(scratch, { recursive: true, force: true })
})

async function start(runtime: RuntimeName, data: string): Promise<BrokerProcess> {
  const settings = {
    'num.partitions': String(partitionCount),
    'log.segment.bytes': '1048576',
    'log.index.interval.bytes': '4096',
  }
  const broker = await startBrokerProcess({ runtime, data, settings })
  running.add(broker)
  return broker
}

async function kill(broker: BrokerProcess): Promise<void> {
  await broker.kill()
  running.delete(broker)
}

/** One client that writes until its broker is gone. Every second one asks for acks=1. */
async function write(broker: BrokerProcess, writer: string, attempts: Attempt[]): Promise<void> {
  const acks = Number(writer.slice(-1)) % 2 === 0 ? 'all' : '1'
  for (let number = 0; ; number++) {
    const batch = Array.from({ length: 1 + (number % 4) }, (_, index): Attempt => {
      const value = `${writer} ${number}.${index} ${'x'.repeat((number * 37) % 3000)}`
      return { writer, value }
    })
    attempts.push(...batch)
    try {
      const places = await broker.produce(
        'kill',
        batch.map(({ value }) => value),
        acks,
      )
      for (const [index, place] of places.entries()) {
        const attempt = batch[index]
        if (attempt) attempt.acknowledged = place
      }
    } catch {
      return
    }
  }
}

async function readEverything(broker: BrokerProcess) {
  const partitions = new Map<number, Awaited<ReturnType<BrokerProcess['readAll']>>>()
  for (let partition = 0; partition < partitionCount; partition++)
    partitions.set(partition, await broker.readAll('kill', partition))
  return partitions
}

for (const runtime of runtimes) {
  const isHere = runtimeCommand(runtime) !== undefined
  const suffix = isHere ? '' : ` (skipped: no ${runtime} here)`

  test.skipIf(!isHere)(
    `Broker on ${runtime} keeps what it acknowledged through ${rounds} rounds of kill -9 (seed ${seed})${suffix}`,
    async () => {
      const random = new SeededRandom(seed)
      const data = join(scratch, runtime)
      const attempts: Attempt[] = []
      for (let round = 0; round < rounds; round++) {
        const broker = await start(runtime, data)
        if (round > 0) {
          const recovery = await (await broker.get('/recovery')).json()
          expect(recovery.had_clean_shutdown).toBe(false)
          const found = contradictions(attempts, await readEverything(broker))
          expect(found, `seed ${seed}, round ${round}`).toEqual([])
        }
        const writers = Array.from({ length: 4 }, (_, index) =>
          write(broker, `round ${round} writer ${index}`, attempts),
        )
        await new Promise((resolve) => setTimeout(resolve, 150 + random.float() * 450))
        await kill(broker)
        await Promise.all(writers)
      }
      const broker = await start(runtime, data)
      const found = contradictions(attempts, await readEverything(broker))
      expect(found, `seed ${seed}, last round`).toEqual([])
      const acknowledged = attempts.filter((attempt) => attempt.acknowledged !== undefined)
      expect(acknowledged.length).toBeGreaterThan(rounds * 10)
      await kill(broker)
    },
    120_000,
  )

  test.skipIf(!isHere)(
    `Broker on ${runtime} refuses a second process, and stops cleanly on SIGTERM${suffix}`,
    async () => {
      const data = join(scratch, `${runtime}-stop`)
      const broker = await start(runtime, data)
      await broker.produce('stop', ['before'])
      const second = await start(runtime, data).catch((error: unknown) => error)
      if (!(second instanceof BrokerDidNotStart)) throw new Error('The second broker started')
      expect(second.exitCode).not.toBe(0)
      expect(second.output).toContain(data)
      expect(second.output).toContain(`process ${broker.pid}`)
      await broker.produce('stop', ['after'])
      expect(await broker.terminate()).toBe(0)
      running.delete(broker)
      expect(existsSync(join(data, '.kafka_cleanshutdown'))).toBe(true)

      const again = await start(runtime, data)
      const recovery = await (await again.get('/recovery')).json()
      expect(recovery.had_clean_shutdown).toBe(true)
      expect(recovery.findings).toEqual([])
      const values = (await readStop(again)).map(({ value }) => value)
      expect(values.toSorted()).toEqual(['after', 'before'])
      await kill(again)
    },
    60_000,
  )
}

async function readStop(broker: BrokerProcess) {
  const pages = [await broker.readAll('stop', 0), await broker.readAll('stop', 1)]
  return pages.flat()
}
