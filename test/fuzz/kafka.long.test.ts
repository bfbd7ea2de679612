// The Kafka door under attack for minutes: fresh seeds each time, named when one fails. MILLRACE_FUZZ_MINUTES=n for more than ten.
import { expect, test } from 'vitest'
import { attack } from './kafka-fuzz.ts'

const minutes = Number(process.env['MILLRACE_FUZZ_MINUTES'] ?? 10)
const only = process.env['MILLRACE_SEED']

test(
  'The Kafka door survives attack after attack',
  async () => {
    const deadline = performance.now() + minutes * 60_000
    let seed = only === undefined ? Date.now() : Number(only)
    do {
      const { answered, closed } = await attack({ seed, connections: 20_000 })
      expect(answered, `MILLRACE_SEED=${seed}`).toBeGreaterThan(0)
      expect(closed, `MILLRACE_SEED=${seed}`).toBeGreaterThan(0)
      seed++
    } while (only === undefined && performance.now() < deadline)
  },
  (minutes + 10) * 60_000,
)
