// A log against a naive model of it: an array of records.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { append, batchOf, openLog, readAll } from './log-fixture.ts'

type Step =
  | { kind: 'append'; count: number; timestamp: number; size: number }
  | { kind: 'truncate' | 'deleteBefore' | 'startAt'; share: number }
  | { kind: 'retain' | 'reopen' | 'recover' }

interface ModelRecord {
  readonly value: string
  readonly timestamp: number
  /** The batch's first and last offset. */
  readonly first: number
  readonly last: number
}

const NOW = 1_704_067_200_000
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 4 }),
      timestamp: fc.integer({ min: NOW - 10_000, max: NOW }),
      size: fc.nat(60),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('truncate' as const, 'deleteBefore' as const, 'startAt' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('retain', 'reopen', 'recover') }),
  },
)

class Model {
  readonly disk = new SimulatedDisk()
  readonly clock = new VirtualClock(NOW)
  readonly config: Partial<LogConfig>
  /** By offset; holes where a truncation cut a batch in two. */
  readonly records = new Map<number, ModelRecord>()
  start = 0
  end = 0
  log!: PartitionLog
  #count = 0

  constructor(config: Partial<LogConfig>) {
    this.config = config
  }

  async open(hadCleanShutdown: boolean, recoveryPoint: number): Promise<void> {
    const { clock, config } = this
    const settings = { clock, config, hadCleanShutdown, recoveryPoint, logStartOffset: this.start }
    const { log } = await openLog(this.disk, settings)
    this.log = log
  }

  async apply(step: Step): Promise<void> {
    if (step.kind === 'append') this.#append(step)
    else if (step.kind === 'reopen' || step.kind === 'recover') await this.#reopen(step.kind)
    else if (step.kind === 'retain') {
      this.log.deleteOldSegments(NOW)
      this.start = Math.max(this.start, this.log.logStartOffset)
    } else if ('share' in step) this.#move(step)
    await this.clock.run(1)
  }

  #append({ count, timestamp, size }: Step & { kind: 'append' }): void {
    const values = Array.from({ length: count }, () => `${this.#count++}${'x'.repeat(size)}`)
    append(this.log, batchOf(values, { timestamp }), count % 2 === 0)
    const first = this.end
    this.end += count
    for (const [index, value] of values.entries()) {
      const record = { value, timestamp: timestamp + index, first, last: this.end - 1 }
      this.records.set(first + index, record)
    }
  }

  #move({ kind, share }: Step & { share: number }): void {
    if (kind === 'deleteBefore') {
      const offset = Math.floor(share * this.log.highWatermark)
      this.log.deleteRecordsBefore(offset)
      this.start = Math.max(this.start, offset)
      return
    }
    const offset = Math.floor(share * this.end)
    if (kind === 'startAt') this.log.truncateFullyAndStartAt(offset)
    else this.log.truncateTo(offset)
    for (const [at, { last }] of [...this.records]) {
      if (kind === 'startAt' || last >= offset) this.records.delete(at)
    }
    // Below the first segment nothing can be kept: the log goes on, empty, at the offset.
    this.start = kind === 'startAt' ? offset : Math.min(this.start, offset)
    this.end = offset
  }

  async #reopen(kind: 'reopen' | 'recover'): Promise<void> {
    const recoveryPoint = this.log.recoveryPoint
    if (kind === 'reopen') await this.log.close()
    else this.log.closeNow()
    await this.open(kind === 'reopen', kind === 'reopen' ? this.end : recoveryPoint)
    // A hole at the end, left by a truncation inside a batch, is known to a running log only.
    this.end = this.log.logEndOffset
  }

  check(): void {
    const { log } = this
    expect({ start: log.logStartOffset, end: log.logEndOffset }).toEqual({
      start: this.start,
      end: this.end,
    })
    const expected = [...this.records]
      .filter(([offset]) => offset >= this.start)
      .map(([offset, { value }]) => `${offset}:${value}`)
    expect(readAll(log, this.start, 'log_end')).toEqual(expected)
    for (let offset = this.start; offset < this.end; offset++) this.#checkReadAt(offset)
    for (let timestamp = NOW - 10_100; timestamp < NOW + 10; timestamp += 997) {
      this.#checkTimestamp(timestamp)
    }
    this.#checkLargest()
  }

  #checkReadAt(offset: number): void {
    const slice = this.log.read(offset, { maxBytes: 1, isolation: 'log_end', minOneBatch: true })
    const next = [...this.records].find(([at]) => at >= offset)
    const [batch] = readBatches(slice.bytes())
    expect(batch && [batch.baseOffset, batch.lastOffset]).toEqual(
      next && [next[1].first, next[1].last],
    )
    const lease = slice.lease()
    expect(Buffer.compare(lease.bytes, slice.bytes())).toBe(0)
    lease.release()
  }

  #checkTimestamp(timestamp: number): void {
    const found = [...this.records].find(([offset, record]) => {
      return offset >= this.start && record.timestamp >= timestamp
    })
    const expected = found && { offset: found[0], timestamp: found[1].timestamp }
    expect(this.log.offsetForTimestamp(timestamp)).toEqual(expected)
  }

  #checkLargest(): void {
    const largest = this.log.maxTimestamp()
    const newest = Math.max(...[...this.records.values()].map(({ timestamp }) => timestamp))
    if (this.start === 0) expect(largest?.timestamp ?? -Infinity).toBe(newest)
  }
}

test('PartitionLog agrees with an array of records', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 600, max: 1500 }),
      fc.nat(300),
      async (steps, segmentBytes, indexIntervalBytes) => {
        const model = new Model({ segmentBytes, indexIntervalBytes, retentionBytes: 2000 })
        await model.open(false, 0)
        for (const one of steps) await model.apply(one)
        model.check()
      },
    ),
    {
      numRuns: 150,
      examples: [
        // A cut inside a batch takes all of it: recovery must not miss what lies below the cut.
        [
          [
            { kind: 'append', count: 4, timestamp: 1_704_067_190_000, size: 0 },
            { kind: 'truncate', share: 0.25 },
            { kind: 'recover' },
          ],
          600,
          0,
        ],
      ],
    },
  )
}, 120_000)
