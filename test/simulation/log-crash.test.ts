// Seeded crashes of one log: what was acknowledged stays, nothing is invented or reordered, duplicates stay recognised.
// More: MILLRACE_SEEDS=1000 (how many; `npm run test:simulation -- --seeds 1000`), MILLRACE_SEED=42 (only this one).
import { expect, test } from 'vitest'
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import type { LogRecovery } from '#storage/log/log-recovery.ts'
import type { OpenedLog } from '#storage/log/open-log.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { UnflushedBytes } from '#storage/log/unflushed-bytes.ts'
import { batchOf, DIRECTORY, openLog } from '../storage/log/log-fixture.ts'
import { SeededRandom } from './seeded-random.ts'
import { seedsToRun } from './seeds.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { settle, VirtualClock } from './virtual-clock.ts'

const STEPS = 80
const PRODUCERS = 3

/** One batch as a producer tried to append it. */
interface Attempt {
  readonly values: readonly string[]
  readonly producer: number
  readonly sequence: number
  offset: number
  /** It was answered with its offsets. */
  isAppended: boolean
  /** It was acknowledged as being on disk. */
  isOnDisk: boolean
}

/** A log, its disk, and what the test knows of both. */
class Machine {
  readonly random: SeededRandom
  readonly clock = new VirtualClock()
  readonly attempts: Attempt[] = []
  readonly last: (Attempt | undefined)[] = Array.from({ length: PRODUCERS })
  disk: SimulatedDisk
  log!: PartitionLog
  recovery!: LogRecovery
  savedRecoveryPoint = 0
  hadFault = false
  #values = 0
  readonly #config: Partial<LogConfig>
  readonly #unflushedMaxBytes: number

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.disk = new SimulatedDisk({ seed, schedule: (work) => this.#later(work) })
    this.disk.makeDirectory('/data')
    this.disk.syncDirectoryNow('/')
    this.#config = {
      segmentBytes: 300 + this.random.below(1500),
      indexIntervalBytes: this.random.below(200),
      ...(this.random.chance(0.3) && { flushMessages: 1 + this.random.below(8) }),
      ...(this.random.chance(0.3) && { flushMs: 50 }),
    }
    this.#unflushedMaxBytes = this.random.chance(0.3) ? 500 : 1_000_000
  }

  async open(hadCleanShutdown: boolean): Promise<void> {
    const opened: OpenedLog = await this.#drive(
      openLog(this.disk, {
        clock: this.clock,
        config: this.#config,
        hadCleanShutdown,
        recoveryPoint: this.savedRecoveryPoint,
        unflushed: new UnflushedBytes(this.#unflushedMaxBytes),
        onFault: () => {
          this.hadFault = true
        },
      }),
    )
    this.log = opened.log
    this.recovery = opened.recovery
    this.hadFault = false
  }

  append(): void {
    const producer = this.random.below(PRODUCERS)
    const sequence = this.#nextSequence(producer)
    const values = Array.from({ length: 1 + this.random.below(3) }, () => `v${this.#values++}`)
    this.send({
      values,
      producer,
      sequence,
      offset: this.log.logEndOffset,
      isAppended: false,
      isOnDisk: false,
    })
  }

  /** Appends a batch, or the same again. */
  send(attempt: Attempt): { isDuplicate: boolean } | undefined {
    const needsDisk = this.random.chance(0.5)
    const isIdempotent = attempt.producer > 0
    const bytes = batchOf(attempt.values, {
      timestamp: this.clock.now() - this.random.below(1_000),
      ...(isIdempotent && {
        producerId: attempt.producer,
        producerEpoch: 0,
        baseSequence: attempt.sequence,
      }),
    })
    if (!this.attempts.includes(attempt)) this.attempts.push(attempt)
    try {
      const result = this.log.append(bytes, { leaderEpoch: 0, origin: 'client', needsDisk })
      attempt.offset = result.baseOffset
      attempt.isAppended = true
      this.last[attempt.producer] = attempt
      if (needsDisk) this.#awaitDisk(attempt, result.lastOffset)
      return result
    } catch (error) {
      if (!(error instanceof KafkaError) && !(error instanceof StorageFault)) throw error
      return undefined
    }
  }

  /** Loses power, or only the process. */
  async crash(): Promise<void> {
    const isPowerLoss = this.random.chance(0.6)
    this.disk = isPowerLoss ? this.disk.afterCrash(this.random.uint32()) : this.disk.afterKill()
    const before = this.log
    await this.open(false)
    if (!isPowerLoss && !before.fault) {
      for (const attempt of this.attempts) {
        if (attempt.isAppended) this.expectPresent(attempt, 'after a kill')
      }
    }
    this.check()
    this.#forgetLost()
  }

  async restart(): Promise<void> {
    if (this.log.fault) return this.crash()
    try {
      await this.#drive(this.log.close())
    } catch (error) {
      if (error instanceof KafkaError || error instanceof StorageFault) return this.crash()
      throw error
    }
    this.savedRecoveryPoint = this.log.recoveryPoint
    this.disk = this.disk.afterCrash(this.random.uint32())
    await this.open(true)
    expect(this.recovery.scannedBytes).toBe(0)
    for (const attempt of this.attempts) {
      if (attempt.isAppended) this.expectPresent(attempt, 'after a clean stop')
    }
    this.check()
  }

  /** The records of the log: every one was attempted at that offset, without a gap, and the durable ones are there. */
  check(): void {
    const found = records(this.log)
    const allowed = new Map<number, Set<string>>()
    for (const { values, offset } of this.attempts) {
      for (const [index, value] of values.entries()) {
        const at = allowed.get(offset + index) ?? new Set()
        allowed.set(offset + index, at.add(value))
      }
    }
    expect(found.length).toBe(this.log.logEndOffset)
    for (const [offset, value] of found.entries()) {
      if (!allowed.get(offset)?.has(value)) throw new Error(`${value} was invented at ${offset}`)
    }
    for (const attempt of this.attempts) {
      if (attempt.isOnDisk) this.expectPresent(attempt, 'acknowledged')
    }
  }

  expectPresent({ values, offset }: Attempt, why: string): void {
    const found = records(this.log).slice(offset, offset + values.length)
    if (found.join() !== values.join()) {
      throw new Error(`Offset ${offset} holds ${found}, not ${values}: ${why}`)
    }
  }

  /** Retries of acknowledged batches are recognised, up to five per producer. */
  checkDuplicates(): void {
    for (const producer of [1, 2]) {
      const known = this.attempts.filter((one) => one.isAppended && one.producer === producer)
      for (const attempt of known.slice(-1)) {
        const { offset } = attempt
        const end = this.log.logEndOffset
        const result = this.send(attempt)
        if (!result) continue
        expect({ ...result, offset: attempt.offset }).toMatchObject({ isDuplicate: true, offset })
        expect(this.log.logEndOffset).toBe(end)
      }
    }
  }

  async wait(): Promise<void> {
    await this.clock.run(this.random.below(20))
  }

  /** What is gone may be overwritten; producers go on behind what is left. */
  #forgetLost(): void {
    const found = records(this.log)
    const isThere = ({ values, offset }: Attempt) => {
      return found.slice(offset, offset + values.length).join() === values.join()
    }
    const kept = this.attempts.filter(isThere)
    for (const attempt of kept) attempt.isAppended = true
    this.attempts.splice(0, this.attempts.length, ...kept)
    for (let producer = 0; producer < PRODUCERS; producer++) {
      this.last[producer] = kept.findLast((attempt) => attempt.producer === producer)
    }
  }

  #nextSequence(producer: number): number {
    const last = this.last[producer]
    return last ? last.sequence + last.values.length : 0
  }

  #awaitDisk(attempt: Attempt, lastOffset: number): void {
    const { disk } = this
    this.log.whenCommitted(lastOffset).then(
      () => {
        // What an earlier life acknowledges after the crash reaches nobody.
        if (disk === this.disk) attempt.isOnDisk = true
      },
      () => undefined,
    )
  }

  #later(work: () => void): void {
    const delay = this.random.below(8)
    if (delay === 0) queueMicrotask(work)
    else this.clock.after(delay, work)
  }

  /** Time must pass for syncs to end. */
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

function records(log: PartitionLog): string[] {
  const decoder = new TextDecoder()
  const found: string[] = []
  for (let next = 0; next < log.logEndOffset; ) {
    const slice = log.read(next, { maxBytes: 1_000, isolation: 'log_end', minOneBatch: true })
    const start = next
    for (const batch of readBatches(slice.bytes())) {
      if (batch.baseOffset !== next) throw new Error(`Offset ${next} is missing`)
      if (!batch.isCrcValid()) throw new Error(`The batch at ${next} is damaged`)
      for (const record of readRecords(batch)) found.push(decoder.decode(record.value ?? undefined))
      next = batch.nextOffset
    }
    if (next === start) throw new Error(`Nothing at ${next}, below ${log.logEndOffset}`)
  }
  return found
}

async function simulate(seed: number): Promise<Machine> {
  const machine = new Machine(seed)
  const { random } = machine
  await machine.open(false)
  for (let step = 0; step < STEPS; step++) {
    const roll = random.float()
    if (roll < 0.6) machine.append()
    else if (roll < 0.75) await machine.wait()
    else if (roll < 0.78) void machine.log.flush().catch(() => undefined)
    else if (roll < 0.81) machine.savedRecoveryPoint = machine.log.recoveryPoint
    else if (roll < 0.85 && !machine.log.fault) machine.checkDuplicates()
    else if (roll < 0.89) orderFault(machine)
    else if (roll < 0.93) await machine.restart()
    else if (roll < 0.97) await machine.crash()
    if (machine.log.fault) await machine.crash()
  }
  machine.disk.faults.heal()
  await machine.crash()
  return machine
}

function orderFault({ disk, random }: Machine): void {
  const on = random.pick(['write', 'sync', 'open', 'truncate', 'rename'] as const)
  const codes = on === 'sync' ? ['EIO', 'EMFILE'] : ['ENOSPC', 'ENOSPC', 'EIO']
  const code = random.pick(codes)
  disk.fail({ on, code, at: 1 + random.below(6) })
}

const seeds = seedsToRun(50)

test(`PartitionLog survives crashes, full and failing disks (${seeds.length} seeds)`, async () => {
  for (const seed of seeds) {
    try {
      await simulate(seed)
    } catch (error) {
      throw new Error(`MILLRACE_SEED=${seed}: ${error}`, { cause: error })
    }
  }
}, 600_000)

test(`PartitionLog reports what a flipped bit took (${seeds.length} seeds)`, async () => {
  let flipped = 0
  for (const seed of seeds) {
    try {
      flipped += (await simulateFlip(seed)) ? 1 : 0
    } catch (error) {
      throw new Error(`MILLRACE_SEED=${seed}: ${error}`, { cause: error })
    }
  }
  if (seeds.length > 1) expect(flipped).toBeGreaterThan(0)
}, 600_000)

/** A run, a flipped bit in a log, an unclean start. True when acknowledged records are gone: then a report says so. */
async function simulateFlip(seed: number): Promise<boolean> {
  const machine = await simulate(seed)
  const { random, disk } = machine
  await settle()
  const logs = disk.list(DIRECTORY).filter(({ name }) => name.endsWith('.log'))
  const path = `${DIRECTORY}/${random.pick(logs).name}`
  const size = disk.status(path)?.size ?? 0
  if (size === 0) return false
  const before = records(machine.log)
  disk.flipBit(path, random.below(size), random.below(8))
  machine.disk = disk.afterKill()
  await machine.open(false)
  const { cuts, damages } = machine.recovery
  try {
    const left = records(machine.log)
    // Offset and leader epoch are outside the checksum: a flipped epoch changes no record.
    expect(before.slice(0, left.length)).toEqual(left)
    if (left.length < before.length) expect(cuts.length + damages.length).toBeGreaterThan(0)
    return left.length < before.length
  } catch (error) {
    const isReported = cuts.length + damages.length > 0
    // In a segment below the recovery point, which nobody scanned, the reader finds it.
    const isCorrupt = error instanceof KafkaError && error.code === 'CORRUPT_MESSAGE'
    const isSeen = isCorrupt || /is damaged|is missing|Nothing at/.test(String(error))
    if (!isReported && !isSeen) throw error
    return true
  }
}
