// The Kafka door under seeded attack. MILLRACE_SEED=n runs one seed, MILLRACE_SEEDS=n so many.
import { expect, test } from 'vitest'
import { attack } from './kafka-fuzz.ts'

const only = process.env['MILLRACE_SEED']
const count = Number(process.env['MILLRACE_SEEDS'] ?? 1)
const seeds = only === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [Number(only)]

test.each(seeds)(
  'The Kafka door survives the requests of seed %i while a healthy client goes on',
  async (seed) => {
    const report = await attack({ seed, connections: 3000 })
    // An attack that is always refused, or never, tests nothing.
    expect(report.answered).toBeGreaterThan(100)
    expect(report.closed).toBeGreaterThan(100)
    expect(report.acceptedBatches).toBeGreaterThan(10)
    expect(report.healthyRecords).toBeGreaterThan(10)
  },
  300_000,
)
