// The `.txnindex` file.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AbortedTransaction, TransactionIndex } from '#storage/segment/transaction-index.ts'

function indexOf(transactions: readonly AbortedTransaction[], baseOffset = 0): TransactionIndex {
  const index = new TransactionIndex(baseOffset)
  for (const aborted of transactions) index.append(aborted)
  return index
}

const aborts: AbortedTransaction[] = [
  { producerId: 1, firstOffset: 0, lastOffset: 10, lastStableOffset: 2 },
  { producerId: 2, firstOffset: 2, lastOffset: 20, lastStableOffset: 21 },
  { producerId: 3, firstOffset: 22, lastOffset: 30, lastStableOffset: 31 },
]

test.each([
  {
    from: 0,
    upTo: 1,
    producers: [1],
    isComplete: true,
    why: 'stops at the first stable offset beyond the range',
  },
  {
    from: 0,
    upTo: 3,
    producers: [1, 2],
    isComplete: true,
    why: 'goes on while the range was undecided',
  },
  { from: 0, upTo: 22, producers: [1, 2], isComplete: true, why: 'leaves out what begins beyond' },
  { from: 11, upTo: 50, producers: [2, 3], isComplete: false, why: 'leaves out what ended before' },
  {
    from: 10,
    upTo: 12,
    producers: [1, 2],
    isComplete: true,
    why: 'counts the marker as part of it',
  },
  { from: 31, upTo: 40, producers: [], isComplete: false, why: 'finds none beyond the last' },
  {
    from: 0,
    upTo: 31,
    producers: [1, 2, 3],
    isComplete: true,
    why: 'is complete at the last stable offset itself',
  },
])('TransactionIndex.query() [$from, $upTo) $why', ({ from, upTo, producers, isComplete }) => {
  const found = indexOf(aborts).query({ from, upTo })
  expect(found.transactions.map(({ producerId }) => producerId)).toEqual(producers)
  expect(found.isComplete).toBe(isComplete)
})

const arbitraryAborts = fc
  .array(
    fc.tuple(
      fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(30),
    ),
    { maxLength: 50 },
  )
  .map((steps) => {
    let lastOffset = 0
    return steps.map(([id, gap, length]): AbortedTransaction => {
      lastOffset += gap
      const producerId = id > 2n ** 53n ? id : Number(id)
      const firstOffset = Math.max(0, lastOffset - length)
      return { producerId, firstOffset, lastOffset, lastStableOffset: firstOffset + 1 }
    })
  })

test('TransactionIndex finds every aborted transaction that overlaps the range', () => {
  fc.assert(
    fc.property(arbitraryAborts, fc.nat(500), fc.nat(500), (transactions, from, size) => {
      const upTo = from + size
      const found = new Set(
        indexOf(transactions)
          .query({ from, upTo })
          .transactions.map((aborted) => aborted.lastOffset),
      )
      for (const { firstOffset, lastOffset, lastStableOffset } of transactions) {
        const overlaps = lastOffset >= from && firstOffset < upTo
        // With a stable offset beyond the range, nothing later can overlap it.
        if (overlaps) expect(found).toContain(lastOffset)
        if (lastOffset >= from && lastStableOffset >= upTo) return
      }
    }),
  )
})

test('TransactionIndex.parse() reads back what toBytes() wrote, without a ragged end', () => {
  fc.assert(
    fc.property(arbitraryAborts, fc.nat(33), (transactions, ragged) => {
      const bytes = indexOf(transactions).toBytes()
      const parsed = TransactionIndex.parse(0, Uint8Array.of(...bytes, ...new Uint8Array(ragged)))
      expect(transactions.map((_, at) => parsed.entryAt(at))).toEqual(transactions)
      expect(parsed.entries).toBe(transactions.length)
      expect(parsed.validate()).toBeUndefined()
      expect(Buffer.compare(parsed.toBytes(), bytes)).toBe(0)
    }),
  )
})

test('TransactionIndex.truncateTo() drops the transactions whose marker is cut', () => {
  const index = indexOf(aborts)
  index.truncateTo(20)
  expect(index.entries).toBe(1)
  expect(index.lastEntry).toEqual(aborts[0])
  index.append({ producerId: 9, firstOffset: 11, lastOffset: 15, lastStableOffset: 16 })
  expect(index.lastOffset).toBe(15)
})

test('TransactionIndex.append() refuses a marker that is not beyond the last', () => {
  expect(() =>
    indexOf([...aborts, { producerId: 1, firstOffset: 1, lastOffset: 30, lastStableOffset: 1 }]),
  ).toThrow('must lie beyond 30')
})

test.each([
  { why: 'a strange version', position: 1, byte: 7 },
  { why: 'a marker below the one before', position: 34 + 25, byte: 10 },
  { why: 'a start beyond the marker', position: 17, byte: 99 },
  { why: 'a start below zero', position: 10, byte: 255 },
])('TransactionIndex.validate() finds $why', ({ position, byte }) => {
  const bytes = indexOf(aborts).toBytes().slice()
  bytes[position] = byte
  expect(TransactionIndex.parse(0, bytes).validate()).toContain('Entry')
})
