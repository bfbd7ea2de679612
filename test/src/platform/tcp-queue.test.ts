// Outgoing bytes: pieces of any cut add up to what was written.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TcpQueue } from '#src/platform/tcp-queue.ts'

const size = fc.oneof(
  fc.nat(200),
  fc.integer({ min: 16_380, max: 16_390 }),
  fc.integer({ min: 262_140, max: 600_000 }),
)

test('TcpQueue gives every byte once, in order, in pieces of at most 256 KiB', () => {
  fc.assert(
    fc.property(fc.array(fc.array(size, { maxLength: 4 }), { maxLength: 6 }), (writes) => {
      const queue = new TcpQueue()
      const taken: number[] = []
      let byte = 0
      const written = writes.map((sizes) => sizes.map((bytes) => Buffer.alloc(bytes, ++byte)))
      for (const [write, chunks] of written.entries()) queue.push(chunks, () => taken.push(write))
      const pieces: Uint8Array[] = []
      for (let piece = queue.next(); piece; piece = queue.next()) {
        pieces.push(piece.bytes)
        expect(piece.bytes.length).toBeLessThanOrEqual(262_144)
        piece.onTaken?.()
      }
      expect(Buffer.compare(Buffer.concat(pieces), Buffer.concat(written.flat()))).toBe(0)
      expect(taken.sort((left, right) => left - right)).toEqual(writes.map((_, write) => write))
      expect(queue.isEmpty).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('TcpQueue copies small chunks together and hands out large ones as they are', () => {
  const queue = new TcpQueue()
  const large = new Uint8Array(20_000)
  const small = new Uint8Array(10)
  queue.push([small, small, large, small])
  const pieces = [queue.next(), queue.next(), queue.next()].map((piece) => piece?.bytes)
  expect(pieces.map((bytes) => bytes?.length)).toEqual([20, 20_000, 10])
  expect(pieces[1]?.buffer).toBe(large.buffer)
  expect(pieces[2]?.buffer).toBe(small.buffer)
})

test('TcpQueue.clear() gives back what was not handed out', () => {
  const queue = new TcpQueue()
  let given = 0
  queue.push([new Uint8Array(400_000)], () => given++)
  queue.push([new Uint8Array(1)], () => given++)
  queue.next()
  queue.clear()
  expect([given, queue.isEmpty, queue.next()]).toEqual([2, true, undefined])
})
