// Any sequence of appends, transactions, cleanings and restarts against a model that keeps the newest value of every key.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRecords } from '#storage/batch/record.ts'
import { COMPRESSIONS } from '#storage/batch/record-batch.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { lastSequenceOf } from '#storage/state/producer-entry.ts'
import { SLOT_BYTES } from '#storage/upkeep/offset-map.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { environmentOn, openLog } from '../log/log-fixture.ts'
import { batchesOf, COMPACTED, clean, endTransaction, put } from './cleaner-fixture.ts'

const PRODUCERS = 3
const RETENTION_MS = 1_000

type Step =
  | { kind: 'append'; keys: readonly number[]; producer: number; codec: number }
  | { kind: 'end'; producer: number; isCommit: boolean }
  | { kind: 'clean'; slots: number }
  | { kind: 'wait' | 'restart' | 'kill' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      // Key k, a tombstone when it is negative.
      keys: fc.array(fc.integer({ min: -6, max: 12 }), { minLength: 1, maxLength: 5 }),
      // 0: none, 1: idempotent, 2 and 3: transactional.
      producer: fc.nat(PRODUCERS),
      codec: fc.nat(COMPRESSIONS.length - 1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producer: fc.integer({ min: 2, max: PRODUCERS }),
      isCommit: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('clean' as const), slots: fc.nat(40) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('wait', 'restart', 'kill') }) },
)

interface Written {
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
  readonly producer: number
  /** Undefined while its transaction is open. */
  isAborted: boolean | undefined
}

/** A log, and everything that was ever written to it. */
class Model {
  readonly disk = new SimulatedDisk()
  readonly clock = new VirtualClock()
  readonly environment = environmentOn(this.disk, this.clock)
  readonly written: Written[] = []
  readonly #sequences = Array.from({ length: PRODUCERS + 1 }, () => 0)
  readonly #config
  log!: PartitionLog
  #checkpoint = 0
  #count = 0

  constructor(segmentBytes: number) {
    this.#config = { ...COMPACTED, segmentBytes, deleteRetentionMs: RETENTION_MS }
  }

  async open(hadCleanShutdown: boolean, recoveryPoint: number): Promise<void> {
    const { environment } = this
    const settings = { environment, config: this.#config, hadCleanShutdown, recoveryPoint }
    this.log = (await openLog(this.disk, settings)).log
  }

  async apply(step: Step): Promise<void> {
    if (step.kind === 'append') this.#append(step)
    else if (step.kind === 'end') this.#end(step)
    else if (step.kind === 'clean') await this.#clean(step.slots)
    else if (step.kind === 'wait') await this.clock.run(RETENTION_MS)
    else await this.#reopen(step.kind)
  }

  #append({ keys, producer, codec }: Step & { kind: 'append' }): void {
    const texts = keys.map((key) => (key < 0 ? `k${-key}` : `k${key}=${this.#count++}`))
    const timestamp = this.clock.now()
    const isTransactional = producer > 1
    const compression = COMPRESSIONS[codec] ?? 'none'
    const options = { producerId: producer, producerEpoch: 0, isTransactional, compression }
    const baseSequence = this.#sequences[producer] ?? 0
    put(this, texts, producer === 0 ? { compression } : { ...options, baseSequence })
    this.#sequences[producer] = baseSequence + texts.length
    for (const text of texts) {
      const [key = '', value = null] = text.split('=')
      const isAborted = isTransactional ? undefined : false
      this.written.push({ key, value, timestamp, producer, isAborted })
    }
  }

  #end({ producer, isCommit }: Step & { kind: 'end' }): void {
    endTransaction(this, producer, isCommit)
    for (const record of this.written) {
      if (record.producer === producer) record.isAborted ??= !isCommit
    }
    // The marker takes an offset.
    this.written.push({ key: '', value: '', timestamp: 0, producer: 0, isAborted: true })
  }

  async #clean(slots: number): Promise<void> {
    const before = this.log.lastStableOffset
    const means = slots === 0 ? {} : { mapBytes: slots * SLOT_BYTES }
    const { firstDirtyOffset, range } = await clean(this, this.#checkpoint, means)
    expect(firstDirtyOffset).toBeGreaterThanOrEqual(this.#checkpoint)
    expect(firstDirtyOffset).toBeLessThanOrEqual(Math.max(before, this.#checkpoint))
    const isAny = range.firstUncleanableOffset > range.firstDirtyOffset
    if (isAny) expect(firstDirtyOffset).toBeGreaterThan(this.#checkpoint)
    this.#checkpoint = firstDirtyOffset
    if (firstDirtyOffset === range.firstUncleanableOffset) this.#checkClean(firstDirtyOffset)
  }

  /** Below a cleaning's end each key is there once, and nothing that was aborted. */
  #checkClean(end: number): void {
    const keys = new Set<string>()
    for (const { offset, key } of this.#found()) {
      if (offset >= end) continue
      expect(keys, `${key} at ${offset} is there twice`).not.toContain(key)
      expect(this.written[offset]?.isAborted, `Offset ${offset}`).not.toBe(true)
      keys.add(key)
    }
  }

  async #reopen(kind: 'restart' | 'kill'): Promise<void> {
    await this.log.flush()
    const { recoveryPoint } = this.log
    if (kind === 'restart') await this.log.close()
    else this.log.closeNow()
    await this.open(kind === 'restart', recoveryPoint)
  }

  /** Every record that is left is what was written there; the newest of every key is left; producers go on. */
  check(): void {
    expect(this.log.logEndOffset).toBe(this.written.length)
    const found = new Map(this.#found().map((record) => [record.offset, record]))
    for (const [offset, { key, value, timestamp }] of found) {
      expect({ key, value, timestamp }).toEqual({
        key: this.written[offset]?.key,
        value: this.written[offset]?.value,
        timestamp: this.written[offset]?.timestamp,
      })
    }
    const newest = new Map<string, number>()
    for (const [offset, record] of this.written.entries()) {
      if (record.isAborted !== true) newest.set(record.key, offset)
    }
    const now = this.clock.now()
    for (const [key, offset] of newest) {
      const { value, timestamp } = this.written[offset] as Written
      const mayBeGone = value === null && timestamp + RETENTION_MS <= now
      if (!mayBeGone) expect(found.has(offset), `${key} at ${offset}`).toBe(true)
      // What a deleted key was before must not come back.
      const isGone = !found.has(offset)
      const older = [...found.values()].filter((one) => one.key === key && one.offset < offset)
      if (isGone) expect(older.filter((one) => !this.written[one.offset]?.isAborted)).toEqual([])
    }
    for (let producer = 1; producer <= PRODUCERS; producer++) {
      const entry = this.log.producers.producer(producer)
      const next = this.#sequences[producer] ?? 0
      if (next > 0) expect(entry && lastSequenceOf(entry)).toBe(next - 1)
      const isOpen = this.written.some(
        (one) => one.producer === producer && one.isAborted === undefined,
      )
      if (entry) expect(entry.currentTxnFirstOffset >= 0).toBe(isOpen)
    }
  }

  #found() {
    const decoder = new TextDecoder()
    return batchesOf(this.log).flatMap((batch) => {
      if (batch.isControl) return []
      return Array.from(readRecords(batch), ({ offset, key, value, timestamp }) => ({
        offset,
        timestamp,
        key: decoder.decode(key ?? undefined),
        value: value && decoder.decode(value),
      }))
    })
  }
}

test('compaction keeps the newest value of every key, at its offset, whatever happens in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 150, max: 900 }),
      async (steps, segmentBytes) => {
        const model = new Model(segmentBytes)
        model.disk.makeDirectory('/data')
        await model.open(false, 0)
        for (const one of steps) {
          await model.apply(one)
          model.check()
        }
        await model.apply({ kind: 'clean', slots: 0 })
        model.check()
      },
    ),
    { numRuns: 60 },
  )
}, 60_000)
