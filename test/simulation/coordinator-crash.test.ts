// Seeded plans, slow disks, failing appends and crashes: a coordinator keeps exactly a prefix of what was planned, and all
// that it has answered.
import { expect, test } from 'vitest'
import { type ToyRecord, ToyWorld } from '../src/coordinators/toy-coordinator.ts'
import { SeededRandom } from './seeded-random.ts'
import { seedsToRun } from './seeds.ts'
import { settle } from './virtual-clock.ts'

const STEPS = 60
const KEYS = ['a', 'b', 'c', 'd'] as const

/** What was planned, in order, and how much of it must be there. */
interface History {
  readonly plans: (readonly ToyRecord[])[]
  answered: number
}

/** The texts after the first `count` plans. */
function stateAfter(plans: History['plans'], count: number): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { key, value } of plans.slice(0, count).flat()) {
    if (value === null) texts.delete(key)
    else texts.set(key, value)
  }
  return texts
}

function planOf(random: SeededRandom, number: number): ToyRecord[] {
  return Array.from({ length: 1 + random.below(3) }, () => ({
    key: random.pick(KEYS),
    value: random.chance(0.2) ? null : `v${number}`,
  }))
}

/** Writes one plan; it counts as planned once it was appended. */
function write(world: ToyWorld, history: History, records: readonly ToyRecord[]): void {
  const before = world.partition().log.logEndOffset
  let number = 0
  const written = world.write('a', () => ({ records, answer: '' }))
  // The append has happened by now, or will never.
  if (world.partition().log.logEndOffset > before) number = history.plans.push(records)
  written.then(
    () => {
      history.answered = Math.max(history.answered, number)
    },
    () => undefined,
  )
}

test.each(seedsToRun(40))(
  'A coordinator keeps what it answered and never half a plan, seed %i',
  async (seed) => {
    const random = new SeededRandom(seed)
    const world = new ToyWorld(seed)
    await world.start()
    await world.create(1)
    const history: History = { plans: [], answered: 0 }
    for (let step = 0; step < STEPS; step++) {
      const what = random.below(20)
      if (what < 11) write(world, history, planOf(random, step))
      else if (what < 13) world.isSlow = true
      else if (what < 16) {
        world.isSlow = false
        await world.finishWorks()
      } else if (what < 17) {
        world.disk.fail({ on: 'write', path: '__toys-0', code: 'ENOSPC' })
        write(world, history, planOf(random, step))
        world.disk.faults.heal()
      } else if (what < 18) {
        world.isSlow = false
        await world.finishWorks()
        await world.restart()
      } else if (what < 19) {
        await settle()
        await crash(world, history, random.uint32(), seed)
      } else await settle()
    }
    await settle()
    await crash(world, history, random.uint32(), seed)
  },
)

async function crash(
  world: ToyWorld,
  history: History,
  crashSeed: number,
  seed: number,
): Promise<void> {
  const { answered } = history
  await world.crash(crashSeed)
  const found = await world.coordinators.read('a', ({ texts }) => new Map(texts))
  const counts = Array.from(
    { length: history.plans.length - answered + 1 },
    (_, at) => answered + at,
  )
  const kept = counts.find((count) => {
    const expected = stateAfter(history.plans, count)
    return (
      expected.size === found.size &&
      [...found].every(([key, value]) => expected.get(key) === value)
    )
  })
  expect(kept, `seed ${seed}: ${JSON.stringify([...found])} after ${answered}`).toBeDefined()
  // What was lost was never answered, and will not come back.
  history.plans.length = kept ?? 0
  history.answered = kept ?? 0
}
