// kill -9 in the middle of writes: everything acknowledged stays. A second process is refused, and SIGTERM stops cleanly.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  BrokerDidNotStart,
  type BrokerProcess,
  runtimeCommand,
  runtimes,
} from './broker-process.ts'
import { kill, startKillable, surviveKills } from './kill-rounds.ts'

const rounds = 4
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000)
const scratch = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
const running = new Set<BrokerProcess>()
afterAll(async () => {
  for (const broker of running) await broker.kill()
  rmSync(scratch, { recursive: true, force: true })
})

for (const runtime of runtimes) {
  const isHere = runtimeCommand(runtime) !== undefined
  const suffix = isHere ? '' : ` (skipped: no ${runtime} here)`

  test.skipIf(!isHere)(
    `Broker on ${runtime} keeps what it acknowledged through ${rounds} rounds of kill -9 (seed ${seed})${suffix}`,
    async () => {
      const data = join(scratch, runtime)
      const plan = { runtime, data, rounds, checkEvery: 1, seed, running }
      expect(await surviveKills(plan)).toBeGreaterThan(rounds * 10)
    },
    300_000,
  )

  test.skipIf(!isHere)(
    `Broker on ${runtime} refuses a second process, and stops cleanly on SIGTERM${suffix}`,
    async () => {
      const data = join(scratch, `${runtime}-stop`)
      const broker = await startKillable(running, runtime, data)
      await broker.produce('stop', ['before'])
      const second = await startKillable(running, runtime, data).catch((error: unknown) => error)
      if (!(second instanceof BrokerDidNotStart)) throw new Error('The second broker started')
      expect(second.exitCode).not.toBe(0)
      expect(second.output).toContain(data)
      expect(second.output).toContain(`process ${broker.pid}`)
      await broker.produce('stop', ['after'])
      expect(await broker.terminate()).toBe(0)
      running.delete(broker)
      expect(existsSync(join(data, '.kafka_cleanshutdown'))).toBe(true)

      const again = await startKillable(running, runtime, data)
      const recovery = await (await again.get('/recovery')).json()
      expect(recovery.had_clean_shutdown).toBe(true)
      expect(recovery.findings).toEqual([])
      const values = (await readStop(again)).map(({ value }) => value)
      expect(values.toSorted()).toEqual(['after', 'before'])
      await kill(running, again)
    },
    300_000,
  )
}

async function readStop(broker: BrokerProcess) {
  const pages = [await broker.readAll('stop', 0), await broker.readAll('stop', 1)]
  return pages.flat()
}
