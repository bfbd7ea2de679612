// Fifty rounds of kill -9 under load, on one data directory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type BrokerProcess, runtimeCommand } from './broker-process.ts'
import { surviveKills } from './kill-rounds.ts'

const rounds = 50
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000)
const scratch = mkdtempSync(join(tmpdir(), 'millrace-kills-'))
const running = new Set<BrokerProcess>()
afterAll(async () => {
  for (const broker of running) await broker.kill()
  rmSync(scratch, { recursive: true, force: true })
})

test.skipIf(runtimeCommand('bun') === undefined)(
  `Broker keeps what it acknowledged through ${rounds} rounds of kill -9 (seed ${seed})`,
  async () => {
    const plan = { runtime: 'bun', data: join(scratch, 'data'), rounds, seed, running } as const
    const acknowledged = await surviveKills({ ...plan, checkEvery: 10 })
    expect(acknowledged).toBeGreaterThan(rounds * 10)
  },
  600_000,
)
