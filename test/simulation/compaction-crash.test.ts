// Seeded crashes of a log that is compacted while it is written to: the newest of every key stays, and nothing comes back.
// More: MILLRACE_SEEDS=1000 (how many), MILLRACE_SEED=42 (only this one).
import { expect, test } from 'vitest'
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { CleaningAborted } from '#storage/log/log-cleaning.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { environmentOn, openLog } from '../storage/log/log-fixture.ts'
import { batchesOf, COMPACTED, clean, keyed } from '../storage/upkeep/cleaner-fixture.ts'
import { SeededRandom } from './seeded-random.ts'
import { seedsToRun } from './seeds.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { VirtualClock } from './virtual-clock.ts'

const STEPS = 80
const DAY_MS = 86_400_000

interface Written {
  readonly key: string
  readonly value: string | null
  readonly offset: number
  isOnDisk: boolean
}

/** A log, its disk, and every record that was ever given an offset. */
class Machine {
  readonly random: SeededRandom
  readonly clock = new VirtualClock()
  readonly #config
  readonly #written: Written[] = []
  #checkpoint = 0
  #savedRecoveryPoint = 0
  #values = 0
  cleanings = 0
  disk: SimulatedDisk
  log!: PartitionLog

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.disk = new SimulatedDisk({ seed, schedule: (work) => this.#later(work) })
    this.disk.makeDirectory('/data')
    this.disk.syncDirectoryNow('/')
    this.#config = {
      ...COMPACTED,
      segmentBytes: 150 + this.random.below(900),
      // Nothing that was deleted is forgotten: then the newest of every key must be there.
      deleteRetentionMs: DAY_MS,
      fileDeleteDelayMs: this.random.pick([0, 20, 60_000]),
    }
  }

  async open(hadCleanShutdown: boolean): Promise<void> {
    const environment = environmentOn(this.disk, this.clock)
    const recoveryPoint = this.#savedRecoveryPoint
    const settings = { environment, config: this.#config, hadCleanShutdown, recoveryPoint }
    const { log, recovery } = await this.#drive(openLog(this.disk, settings))
    expect(recovery.damages).toEqual([])
    this.log = log
    this.#environment = environment
  }
  #environment = environmentOn(new SimulatedDisk())

  append(): void {
    const { log, random } = this
    const texts = Array.from({ length: 1 + random.below(3) }, () => {
      const key = `k${random.below(8)}`
      return random.chance(0.2) ? key : `${key}=${this.#values++}`
    })
    const needsDisk = random.chance(0.5)
    const request = { leaderEpoch: 0, origin: 'client', needsDisk } as const
    const written = texts.map((text, index) => {
      const [key = '', value = null] = text.split('=')
      return { key, value, offset: log.logEndOffset + index, isOnDisk: false }
    })
    // What was refused may be there after a crash all the same.
    this.#written.push(...written)
    try {
      const { lastOffset } = log.append(keyed(texts, this.clock.now()), request)
      if (needsDisk) this.#awaitDisk(written, lastOffset)
    } catch (error) {
      this.#expectKnown(error)
    }
  }

  /** Begins a cleaning, and may leave it running. */
  async clean(): Promise<void> {
    const { disk, log, clock } = this
    const means = { mapBytes: 24 * (3 + this.random.below(12)) }
    const environment = this.#environment
    const cleaning = clean({ log, environment, clock }, this.#checkpoint, means).then(
      ({ firstDirtyOffset }) => {
        if (disk !== this.disk || log !== this.log) return
        this.#checkpoint = firstDirtyOffset
        this.cleanings++
      },
      (error: unknown) => this.#expectKnown(error),
    )
    if (this.random.chance(0.4)) await this.#drive(cleaning)
  }

  async crash(): Promise<void> {
    const isPowerLoss = this.random.chance(0.7)
    this.disk = isPowerLoss ? this.disk.afterCrash(this.random.uint32()) : this.disk.afterKill()
    await this.open(false)
    this.check()
    this.#checkpoint = Math.min(this.#checkpoint, this.log.logEndOffset)
  }

  async restart(): Promise<void> {
    try {
      await this.#drive(this.log.close())
    } catch (error) {
      this.#expectKnown(error)
      return this.crash()
    }
    this.#savedRecoveryPoint = this.log.recoveryPoint
    this.disk = this.disk.afterCrash(this.random.uint32())
    await this.open(true)
    this.check()
  }

  cut(): void {
    // Not below what somebody relies on; and a log ends where a batch does, or a start would miss what is between.
    const active = this.log.segments.at(-1)?.baseOffset ?? 0
    const durable = Math.max(-1, ...this.#written.map((one) => (one.isOnDisk ? one.offset : -1)))
    const ends = batchesOf(this.log)
      .map(({ baseOffset }) => baseOffset)
      .filter((offset) => offset > durable && offset >= active)
    if (ends.length === 0) return
    const offset = this.random.pick(ends)
    // As the checkpoint has it, before anything is cut.
    this.#savedRecoveryPoint = Math.min(this.#savedRecoveryPoint, offset)
    try {
      this.log.truncateTo(offset)
    } catch (error) {
      this.#expectKnown(error)
      return
    }
    this.#checkpoint = Math.min(this.#checkpoint, this.log.logEndOffset)
  }

  saveRecoveryPoint(): void {
    this.#savedRecoveryPoint = this.log.recoveryPoint
  }

  async wait(): Promise<void> {
    await this.clock.run(this.random.below(30))
  }

  /** Every record was written there, and of every key there is the last one that was acknowledged, or a newer one. */
  check(): void {
    const known = new Map<number, Written[]>()
    for (const one of this.#written) known.set(one.offset, [...(known.get(one.offset) ?? []), one])
    const newest = new Map<string, number>()
    for (const { offset, key, value } of records(this.log)) {
      const isKnown = known.get(offset)?.some((one) => one.key === key && one.value === value)
      if (!isKnown) throw new Error(`${key}=${value} was invented at ${offset}`)
      newest.set(key, offset)
    }
    for (const { key, offset, isOnDisk } of this.#written) {
      if (isOnDisk && (newest.get(key) ?? -1) < offset)
        throw new Error(`${key} at ${offset} is gone`)
    }
  }

  /** The same while the disk may refuse to be read. */
  tryToCheck(): void {
    try {
      this.check()
    } catch (error) {
      this.#expectKnown(error)
    }
  }

  #awaitDisk(written: readonly Written[], lastOffset: number): void {
    const { disk } = this
    this.log.whenCommitted(lastOffset).then(
      () => {
        if (disk === this.disk) for (const one of written) one.isOnDisk = true
      },
      () => undefined,
    )
  }

  #expectKnown(error: unknown): void {
    const isKnown =
      error instanceof KafkaError ||
      error instanceof StorageFault ||
      error instanceof CleaningAborted ||
      /ENOSPC|EIO|EMFILE|is being cleaned/.test(String(error))
    if (!isKnown) throw error
  }

  #later(work: () => void): void {
    const delay = this.random.below(8)
    if (delay === 0) queueMicrotask(work)
    else this.clock.after(delay, work)
  }

  async #drive<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const done = promise.finally(() => {
      isDone = true
    })
    done.catch(() => undefined)
    while (!isDone) await this.clock.run(5)
    return done
  }
}

/** All records as a reader finds them, who goes on behind every batch. */
function records(log: PartitionLog) {
  const decoder = new TextDecoder()
  const found: { offset: number; key: string; value: string | null }[] = []
  for (let next = log.logStartOffset; next < log.logEndOffset; ) {
    const slice = log.read(next, { maxBytes: 1_000, isolation: 'log_end', minOneBatch: true })
    const start = next
    for (const batch of readBatches(slice.bytes())) {
      if (!batch.isCrcValid()) throw new Error(`The batch at ${batch.baseOffset} is damaged`)
      if (batch.nextOffset <= next) throw new Error(`Offset ${batch.baseOffset} is there twice`)
      for (const { offset, key, value } of readRecords(batch)) {
        const text = value === null ? null : decoder.decode(value)
        if (offset >= next)
          found.push({ offset, key: decoder.decode(key ?? undefined), value: text })
      }
      next = batch.nextOffset
    }
    if (next === start) return found
  }
  return found
}

async function simulate(seed: number): Promise<number> {
  const machine = new Machine(seed)
  const { random } = machine
  await machine.open(false)
  for (let step = 0; step < STEPS; step++) {
    const roll = random.float()
    if (roll < 0.55) machine.append()
    else if (roll < 0.68) await machine.wait()
    else if (roll < 0.8) await machine.clean()
    else if (roll < 0.84) machine.saveRecoveryPoint()
    else if (roll < 0.87) machine.cut()
    else if (roll < 0.91) orderFault(machine)
    else if (roll < 0.95) await machine.restart()
    else await machine.crash()
    if (machine.log.fault) await machine.crash()
    machine.tryToCheck()
  }
  machine.disk.faults.heal()
  await machine.crash()
  return machine.cleanings
}

function orderFault({ disk, random }: Machine): void {
  const on = random.pick(['write', 'sync', 'open', 'rename', 'remove', 'syncDirectory'] as const)
  const codes = on === 'sync' ? ['EIO', 'EMFILE'] : ['ENOSPC', 'EMFILE', 'EIO']
  disk.fail({ on, code: random.pick(codes), at: 1 + random.below(8) })
}

const seeds = seedsToRun(50)

test(`a compacted log survives crashes, full and failing disks (${seeds.length} seeds)`, async () => {
  let cleanings = 0
  for (const seed of seeds) {
    try {
      cleanings += await simulate(seed)
    } catch (error) {
      throw new Error(`MILLRACE_SEED=${seed}: ${error}`, { cause: error })
    }
  }
  if (seeds.length > 1) expect(cleanings).toBeGreaterThan(seeds.length)
}, 600_000)
