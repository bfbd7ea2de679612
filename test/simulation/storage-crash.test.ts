// Seeded crashes of whole data directories, at any file operation: everything that a log can be asked for, held to a model.
// More: MILLRACE_SEEDS=1000 (how many; `npm run test:simulation -- --seeds 1000`), MILLRACE_SEED=42 (only this one).
import { expect, test } from 'vitest'
import { seedsToRun } from './seeds.ts'
import { StorageMachine, type Topic } from './storage-machine.ts'

const STEPS = 70

/** What is asked for, and how often. */
const WORK: readonly [number, (machine: StorageMachine, topic: Topic) => unknown][] = [
  [46, (machine, topic) => machine.append(topic)],
  [10, (machine, topic) => machine.endTransaction(topic)],
  [12, (machine) => machine.clock.run(machine.random.below(20))],
  [2, (machine) => machine.clock.run(80)],
  [2, (machine, topic) => machine.log(topic)?.flushSoon()],
  [3, (machine, topic) => machine.retry(topic)],
  [2, (machine, topic) => machine.restartAt(topic)],
  [3, (machine, topic) => machine.deleteRecords(topic)],
  [4, (machine) => machine.drive(machine.manager.retain())],
  [7, (machine) => machine.clean()],
  [2, (machine, topic) => machine.changeConfig(topic)],
  [2, (machine) => machine.drive(machine.manager.checkpoint('recoveryPoints'))],
  [1, (machine) => machine.drive(machine.manager.checkpoint('logStartOffsets'))],
  [2, (machine, topic) => machine.drive(machine.recreate(topic))],
  [3, (machine) => machine.restart()],
  [3, (machine) => machine.crash()],
  // Nothing at once: at one of the next changes.
  [6, (machine) => machine.disk.faults.stopAtChange(1 + machine.random.below(60))],
]
const URN = WORK.flatMap(([weight, work]) => Array.from({ length: weight }, () => work))

async function simulate(seed: number): Promise<StorageMachine> {
  const machine = new StorageMachine(seed)
  const { random } = machine
  await machine.boot()
  for (let step = 0; step < STEPS; step++) {
    const topic = random.pick(machine.busy)
    const work = random.pick(URN)
    await machine.step(() => work(machine, topic))
    if (step % 10 === 0) await machine.step(() => machine.check())
  }
  await machine.crash()
  return machine
}

const seeds = seedsToRun(200)

test(
  `A data directory keeps its word, wherever it stops (${seeds.length} seeds)`,
  async () => {
    let stops = 0
    let cleanings = 0
    const failures: Error[] = []
    for (const seed of seeds) {
      try {
        const machine = await simulate(seed)
        stops += machine.stops
        cleanings += machine.cleanings
      } catch (error) {
        failures.push(new Error(`MILLRACE_SEED=${seed}: ${error}`, { cause: error }))
        if (failures.length === 10) break
      }
    }
    // One tells more of itself than a list.
    if (failures.length === 1) throw failures[0]
    expect(failures.map(({ message }) => message)).toEqual([])
    if (seeds.length === 1) return
    expect(stops).toBeGreaterThan(seeds.length)
    expect(cleanings).toBeGreaterThan(seeds.length / 4)
  },
  Math.max(600_000, seeds.length * 2_000),
)
