// Sequences, epochs, duplicates and transactions of producers.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ProducerBatch } from '#storage/state/producer-append.ts'
import {
  parseProducerSnapshot,
  serializeProducerSnapshot,
} from '#storage/state/producer-snapshot.ts'
import { type CompletedTransaction, ProducerState } from '#storage/state/producer-state.ts'

const DAY_MS = 86_400_000
const MAX_SEQUENCE = 2_147_483_647

/** A partition that only counts offsets, and the producer state beside it. */
class Partition {
  readonly state: ProducerState
  end = 0

  constructor(options: { maxProducers?: number } = {}) {
    this.state = new ProducerState({ expirationMs: DAY_MS, ...options })
  }

  batch(fields: Partial<ProducerBatch> & { count?: number }): ProducerBatch {
    const { count = 1, baseSequence = 0 } = fields
    const lastSequence = (baseSequence + count - 1) % (MAX_SEQUENCE + 1)
    return {
      producerId: 7,
      producerEpoch: 0,
      baseSequence,
      lastSequence,
      baseOffset: this.end,
      lastOffset: this.end + count - 1,
      maxTimestamp: 1000,
      isTransactional: false,
      isControl: false,
      ...fields,
    }
  }

  /** Appends one batch as a client does; the offset it got, or the original's. */
  send(fields: Partial<ProducerBatch> & { count?: number }): number {
    const batch = this.batch(fields)
    const append = this.state.prepare('client')
    const duplicate = append.add(batch)
    if (duplicate) return duplicate.baseOffset
    this.end = batch.lastOffset + 1
    this.state.apply(append, this.end)
    return batch.baseOffset
  }

  /** Appends a transaction marker as the coordinator does. */
  finish(
    producerId: number,
    isAbort: boolean,
    fields: { epoch?: number; coordinatorEpoch?: number } = {},
  ): CompletedTransaction | undefined {
    const { epoch: producerEpoch = 0, coordinatorEpoch = 0 } = fields
    const batch = this.batch({
      producerId,
      producerEpoch,
      isControl: true,
      isTransactional: true,
      baseSequence: -1,
    })
    const append = this.state.prepare('coordinator')
    append.add(batch, { isAbort, coordinatorEpoch })
    this.end++
    return this.state.apply(append, this.end)[0]
  }
}

test('ProducerState takes consecutive sequences and answers a retry with the original offset', () => {
  const partition = new Partition()
  expect(partition.send({ count: 3 })).toBe(0)
  expect(partition.send({ baseSequence: 3, count: 2 })).toBe(3)
  expect(partition.send({ baseSequence: 3, count: 2 })).toBe(3)
  expect(partition.send({ baseSequence: 0, count: 3 })).toBe(0)
  expect(partition.end).toBe(5)
})

test('ProducerState recognises exactly the last five batches', () => {
  const partition = new Partition()
  for (let sequence = 0; sequence < 6; sequence++) partition.send({ baseSequence: sequence })
  expect(partition.send({ baseSequence: 1 })).toBe(1)
  expect(() => partition.send({ baseSequence: 0 })).toThrow('sequence 0 after 5')
})

test('ProducerState wraps sequences from 2147483647 to 0', () => {
  const partition = new Partition()
  partition.send({ baseSequence: MAX_SEQUENCE - 4, count: 3 })
  expect(partition.send({ baseSequence: MAX_SEQUENCE - 1, count: 4 })).toBe(3)
  expect(partition.send({ baseSequence: MAX_SEQUENCE - 1, count: 4 })).toBe(3)
  expect(partition.send({ baseSequence: 2 })).toBe(7)
  const exact = new Partition()
  exact.send({ baseSequence: MAX_SEQUENCE })
  expect(exact.send({ baseSequence: 0 })).toBe(1)
})

test.each([
  { why: 'a gap', send: { baseSequence: 5 }, code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
  {
    why: 'a step back that is no duplicate',
    send: { baseSequence: 0, count: 2 },
    code: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  },
  {
    why: 'an older epoch',
    send: { producerEpoch: 3, baseSequence: 3 },
    code: 'INVALID_PRODUCER_EPOCH',
  },
  {
    why: 'a new epoch that does not begin at 0',
    send: { producerEpoch: 5, baseSequence: 3 },
    code: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  },
])('ProducerState refuses $why and stays as it was', ({ send, code }) => {
  const partition = new Partition()
  partition.send({ producerEpoch: 4, count: 3 })
  const before = partition.state.snapshot()
  expect(() => partition.send({ producerEpoch: 4, ...send })).toThrow(
    expect.objectContaining({ code }),
  )
  expect(partition.state.snapshot()).toEqual(before)
  expect(partition.send({ producerEpoch: 4, baseSequence: 3 })).toBe(3)
})

test('ProducerState forgets the batches of an older epoch', () => {
  const partition = new Partition()
  partition.send({ count: 3 })
  partition.send({ producerEpoch: 1, count: 3 })
  expect(partition.send({ producerEpoch: 1, count: 3 })).toBe(3)
  expect(partition.state.producer(7)?.batches.length).toBe(1)
})

test('ProducerState lets a producer it does not know begin at any sequence', () => {
  const partition = new Partition()
  expect(partition.send({ baseSequence: 41 })).toBe(0)
  expect(() => partition.send({ baseSequence: 43 })).toThrow('sequence 43 after 41')
})

test('ProducerState keeps ids beyond 2^53 apart', () => {
  const partition = new Partition()
  const [first, second] = [2n ** 53n + 1n, 2n ** 53n + 3n]
  partition.send({ producerId: first, baseSequence: 5 })
  partition.send({ producerId: second, baseSequence: 9 })
  expect(partition.send({ producerId: first, baseSequence: 6 })).toBe(2)
  const restored = parseProducerSnapshot(serializeProducerSnapshot(partition.state.snapshot()))
  expect(restored.map(({ producerId }) => producerId).toSorted()).toEqual([first, second])
})

test('ProducerAppend checks the batches of one append against each other', () => {
  const partition = new Partition()
  const append = partition.state.prepare('client')
  append.add(partition.batch({ count: 2 }))
  append.add(partition.batch({ baseSequence: 2, baseOffset: 2, lastOffset: 2 }))
  expect(() =>
    append.add(partition.batch({ baseSequence: 4, baseOffset: 3, lastOffset: 3 })),
  ).toThrow('sequence 4 after 2')
  expect(partition.state.isEmpty).toBe(true)
})

test.each([
  { origin: 'coordinator' as const, fields: { baseSequence: 9 }, isTaken: true },
  { origin: 'coordinator' as const, fields: { producerEpoch: 1 }, isTaken: false },
  { origin: 'replication' as const, fields: { producerEpoch: 1, baseSequence: 9 }, isTaken: true },
])('ProducerAppend of $origin takes $fields: $isTaken', ({ origin, fields, isTaken }) => {
  const partition = new Partition()
  partition.send({ producerEpoch: 2 })
  const add = () =>
    partition.state.prepare(origin).add(partition.batch({ producerEpoch: 2, ...fields }))
  if (isTaken) expect(add()).toBeUndefined()
  else expect(add).toThrow('older than 2')
})

test('ProducerState holds the stable offset back until the marker is below the high watermark', () => {
  const log = new Partition()
  log.send({})
  expect(log.state.firstUnstableOffset).toBeUndefined()
  log.send({ producerId: 8, isTransactional: true, count: 2 })
  expect(log.state.firstUnstableOffset).toBe(1)
  expect(log.finish(8, true)).toEqual({
    producerId: 8,
    firstOffset: 1,
    lastOffset: 3,
    isAborted: true,
    lastStableOffset: 4,
  })
  expect(log.state.firstUndecidedOffset).toBeUndefined()
  expect(log.state.firstUnstableOffset).toBe(1)
  expect(log.state.releaseBelow(3)).toBe(false)
  expect(log.state.releaseBelow(4)).toBe(true)
  expect(log.state.firstUnstableOffset).toBeUndefined()
})

test('ProducerState leaves the stable offset at the oldest other transaction', () => {
  const log = new Partition()
  log.send({ producerId: 1, isTransactional: true })
  log.send({ producerId: 2, isTransactional: true })
  log.send({ producerId: 3, isTransactional: true })
  expect(log.finish(2, false)?.lastStableOffset).toBe(0)
  expect(log.finish(1, true)).toMatchObject({ isAborted: true, lastStableOffset: 2 })
  expect(log.state.firstUndecidedOffset).toBe(2)
  log.state.releaseBelow(4)
  expect(log.state.firstUnstableOffset).toBe(0)
  log.state.releaseBelow(5)
  expect(log.state.firstUnstableOffset).toBe(2)
})

test('ProducerState answers a marker without a transaction with nothing, but takes its epochs', () => {
  const log = new Partition()
  log.send({ producerId: 1, baseSequence: 4 })
  expect(log.finish(1, true, { epoch: 1, coordinatorEpoch: 5 })).toBeUndefined()
  expect(log.state.producer(1)).toMatchObject({ epoch: 1, coordinatorEpoch: 5, batches: [] })
  expect(() => log.finish(1, true, { epoch: 1, coordinatorEpoch: 4 })).toThrow(
    expect.objectContaining({ code: 'TRANSACTION_COORDINATOR_FENCED' }),
  )
  expect(() => log.finish(1, true, { epoch: 0, coordinatorEpoch: 5 })).toThrow(
    expect.objectContaining({ code: 'INVALID_PRODUCER_EPOCH' }),
  )
  expect(() => log.send({ producerId: 1, producerEpoch: 1, baseSequence: 5 })).toThrow(
    'sequence 5 after -1',
  )
  expect(log.send({ producerId: 1, producerEpoch: 1, baseSequence: 0 })).toBe(2)
})

test('ProducerState keeps the sequences of an epoch over its markers', () => {
  const log = new Partition()
  log.send({ producerId: 1, isTransactional: true, count: 2 })
  log.finish(1, false)
  expect(log.send({ producerId: 1, isTransactional: true, baseSequence: 2 })).toBe(3)
})

test('ProducerState refuses a plain batch while the transaction of its producer is open', () => {
  const log = new Partition()
  log.send({ isTransactional: true })
  expect(() => log.send({ baseSequence: 1 })).toThrow(
    expect.objectContaining({ code: 'INVALID_TXN_STATE' }),
  )
})

test('ProducerState.removeExpired() goes by record time and spares open transactions', () => {
  const log = new Partition()
  log.send({ producerId: 1, maxTimestamp: 5000 })
  log.send({ producerId: 2, maxTimestamp: 5001 })
  log.send({ producerId: 3, maxTimestamp: 0, isTransactional: true })
  log.state.removeExpired(5000 + DAY_MS)
  expect([...log.state.producers()].map(({ producerId }) => producerId)).toEqual([2, 3])
})

test('ProducerState.restore() brings back the last batch, the transactions, and nothing expired', () => {
  const log = new Partition()
  log.send({ producerId: 1, maxTimestamp: 5 })
  log.send({ producerId: 2, maxTimestamp: 900, count: 3 })
  log.send({ producerId: 9, maxTimestamp: 900, isTransactional: true })
  log.send({ producerId: 4, maxTimestamp: 900, isTransactional: true, count: 2 })
  const bytes = serializeProducerSnapshot(log.state.snapshot())
  const restored = new Partition()
  restored.end = log.end
  restored.state.restore(parseProducerSnapshot(bytes), { endOffset: log.end, nowMs: DAY_MS + 5 })
  expect(restored.state.endOffset).toBe(7)
  expect(restored.state.producer(1)).toBeUndefined()
  expect(restored.send({ producerId: 2, maxTimestamp: 900, count: 3 })).toBe(1)
  expect(restored.state.firstUnstableOffset).toBe(4)
  expect(restored.finish(9, true)?.lastStableOffset).toBe(5)
})

test('ProducerState.clear() forgets everything and covers the log up to the offset', () => {
  const log = new Partition()
  log.send({ isTransactional: true })
  log.finish(7, true)
  log.state.clear(1)
  expect(log.state.isEmpty).toBe(true)
  expect(log.state.firstUnstableOffset).toBeUndefined()
  expect(log.state.endOffset).toBe(1)
})

test('ProducerState.advanceStartTo() drops what lies below the log start', () => {
  const log = new Partition()
  log.send({ isTransactional: true })
  log.finish(7, true)
  log.state.advanceStartTo(2)
  expect(log.state.firstUnstableOffset).toBeUndefined()
  log.state.advanceStartTo(9)
  expect(log.state.endOffset).toBe(9)
})

test('ProducerState drops its oldest idle producers beyond the limit', () => {
  const log = new Partition({ maxProducers: 20 })
  log.send({ producerId: 0, isTransactional: true })
  for (let producerId = 1; producerId <= 20; producerId++) log.send({ producerId })
  expect([...log.state.producers()].map(({ producerId }) => producerId)).toEqual([
    0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
  ])
})

test('ProducerState agrees with a model that keeps every batch', () => {
  const step = fc.record({
    producerId: fc.nat(2),
    // Relative to what comes next: 0 goes on, below is a retry or a repeat, above a gap.
    skip: fc.constantFrom(0, 0, 0, 0, -1, -2, -5, -6, 1),
    newEpoch: fc.constantFrom(false, false, false, true),
    count: fc.integer({ min: 1, max: 3 }),
  })
  const start = fc.constantFrom(0, MAX_SEQUENCE - 3)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), start, (steps, first) => {
      const partition = new Partition()
      const history = new Map<
        number,
        { epoch: number; base: number; count: number; offset: number }[]
      >()
      for (const { producerId, skip, newEpoch, count } of steps) {
        const known = history.get(producerId) ?? []
        history.set(producerId, known)
        const last = known.at(-1)
        const epoch = (last?.epoch ?? 0) + (newEpoch && last ? 1 : 0)
        const recent = known.filter((batch) => batch.epoch === epoch).slice(-5)
        const next = !last ? first : newEpoch ? 0 : (last.base + last.count) % (MAX_SEQUENCE + 1)
        const repeated = skip < 0 ? known.at(skip) : undefined
        const base = repeated?.base ?? (next + Math.max(0, skip)) % (MAX_SEQUENCE + 1)
        const size = repeated?.count ?? count
        const fields = { producerId, producerEpoch: epoch, baseSequence: base, count: size }
        const original = recent.find((batch) => batch.base === base && batch.count === size)
        if (original) {
          expect(partition.send(fields)).toBe(original.offset)
        } else if (!last || base === next) {
          known.push({ epoch, base, count: size, offset: partition.end })
          expect(partition.send(fields)).toBe(known.at(-1)?.offset)
        } else {
          expect(() => partition.send(fields)).toThrow(
            expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
          )
        }
      }
    }),
  )
})
