// One life of a data directory, always the same: everything that a partition's log goes through, so that each of its file
// operations can be the one at which the machine stops, or the one that fails.
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import { SeededRandom } from './seeded-random.ts'
import type { DiskOperation } from './simulated-faults.ts'
import { StorageMachine, type Topic } from './storage-machine.ts'

const LIFE_SEED = 7

function configOf(topic: Topic): LogConfig {
  return {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes: 330,
    indexIntervalBytes: 100,
    fileDeleteDelayMs: 20,
    cleanupPolicy: { delete: topic === 'a', compact: topic === 'b' },
    retentionBytes: topic === 'a' ? 1_000 : Number.POSITIVE_INFINITY,
    deleteRetentionMs: 20,
    minCleanableDirtyRatio: 0,
  }
}

type Step = (machine: StorageMachine) => unknown
const append =
  (topic: Topic, count: number): Step =>
  (machine) => {
    for (let number = 0; number < count; number++) machine.append(topic)
  }
const flushed =
  (topic: Topic): Step =>
  (machine) => {
    const flush = machine.log(topic)?.flush()
    return flush && machine.drive(flush)
  }
const pass =
  (ms: number): Step =>
  (machine) =>
    machine.clock.run(ms)

/** Appends and rolls, flushes, checkpoints, a cut, transactions, compaction, deleted records, retention, a stop, a new topic. */
const LIFE: readonly Step[] = [
  append('a', 8),
  append('b', 6),
  flushed('a'),
  (machine) => machine.endTransaction('a'),
  (machine) => machine.endTransaction('b'),
  append('b', 6),
  flushed('b'),
  (machine) => machine.truncate('a', 1),
  append('a', 3),
  pass(5),
  (machine) => machine.drive(machine.manager.checkpoint('recoveryPoints')),
  (machine) => machine.clean(),
  pass(30),
  (machine) => machine.deleteRecords('a'),
  pass(10),
  (machine) => machine.drive(machine.manager.retain()),
  pass(30),
  (machine) => machine.retry('a'),
  (machine) => machine.check(),
  append('b', 5),
  (machine) => machine.restart(),
  append('a', 2),
  (machine) => machine.restartAt('a'),
  append('a', 2),
  (machine) => machine.clean(),
  (machine) => machine.drive(machine.recreate('b')),
  append('b', 3),
  flushed('b'),
  pass(30),
  (machine) => machine.check(),
]

/** How a life was. */
export interface Lived {
  /** False when the order was for an operation that it does not have. */
  readonly wasMet: boolean
}

/** Lives once; at the `at`-th change of its files the machine stops, and what that loss takes is drawn from `losses`. */
export async function liveAndStop(at: number, losses: number): Promise<Lived> {
  const machine = new StorageMachine(LIFE_SEED, { configOf, losses: new SeededRandom(losses) })
  await machine.boot()
  machine.disk.faults.stopAtChange(at)
  return { wasMet: await live(machine) }
}

/** Lives once; the `at`-th of the operations fails. What else is expected then is that nothing is lost or invented. */
export async function liveAndFail(fault: {
  readonly on: readonly DiskOperation[]
  readonly code: string
  readonly at: number
}): Promise<Lived> {
  const losses = new SeededRandom(fault.at)
  const machine = new StorageMachine(LIFE_SEED, { configOf, losses, mayFail: true })
  await machine.boot()
  machine.disk.fail(fault)
  return { wasMet: await live(machine) }
}

/** Whether what was ordered came. */
async function live(machine: StorageMachine): Promise<boolean> {
  for (const step of LIFE) await machine.step(() => step(machine))
  const { hasMet } = machine.disk.faults
  machine.disk.faults.heal()
  await machine.crash()
  return hasMet || machine.stops > 0
}

/** Lives with the order for n = `from`, `from + step`, … until one is not met. What went wrong, each with its n. */
export async function sweepLives(
  lifeOf: (at: number) => Promise<Lived>,
  { from, step }: { readonly from: number; readonly step: number },
): Promise<{ readonly wrong: readonly string[]; readonly lives: number }> {
  const wrong: string[] = []
  let lives = 0
  for (let at = from, wasMet = true; wasMet && wrong.length < 6; at += step) {
    try {
      wasMet = (await lifeOf(at)).wasMet
      lives++
    } catch (error) {
      wrong.push(`at ${at}: ${error instanceof Error ? error.stack : error}`)
    }
  }
  return { wrong, lives }
}
