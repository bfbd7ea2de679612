// Cutting requests from bytes: any chunking gives the same frames.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Frame, FrameReader } from '#routes/kafka/frames.ts'

const MAX_BYTES = 300_000

function withLength(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeInt32BE(body.length)
  frame.set(body, 4)
  return frame
}

function readAll(reader: FrameReader): Frame[] {
  const frames: Frame[] = []
  for (let frame = reader.next(); frame; frame = reader.next()) frames.push(frame)
  return frames
}

const bodies = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(fc.integer({ min: 0, max: 200_000 }), fc.nat(255))
      .map(([size, byte]) => new Uint8Array(size).fill(byte)),
  ),
  { maxLength: 6 },
)

test('FrameReader gives the frames that were sent, however the bytes are cut', () => {
  const cuts = fc.array(fc.nat(500_000), { maxLength: 12 })
  fc.assert(
    fc.property(bodies, cuts, fc.boolean(), (sent, places, recycles) => {
      const stream = Buffer.concat(sent.map(withLength))
      const reader = new FrameReader(MAX_BYTES)
      const ends = [...places.map((place) => place % (stream.length + 1)), stream.length]
      const found: Buffer[] = []
      let start = 0
      for (const end of ends.sort((left, right) => left - right)) {
        reader.push(stream.subarray(start, end))
        start = end
        for (const frame of readAll(reader)) {
          found.push(Buffer.from(frame.bytes))
          if (recycles) reader.recycle(frame)
        }
      }
      expect(found.map(({ length }) => length)).toEqual(sent.map(({ length }) => length))
      expect(Buffer.compare(Buffer.concat(found), Buffer.concat(sent))).toBe(0)
      expect(reader.assemblingBytes).toBe(0)
    }),
    { numRuns: 200 },
  )
})

test('FrameReader gives a frame that came in one chunk as a view of it', () => {
  const reader = new FrameReader(MAX_BYTES)
  const chunk = Buffer.concat([withLength(Buffer.from('one')), withLength(Buffer.from('two'))])
  reader.push(chunk)
  const frames = readAll(reader)
  expect(frames.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(['one', 'two'])
  for (const { bytes, buffer } of frames) {
    expect(buffer).toBeUndefined()
    expect(bytes.buffer).toBe(chunk.buffer)
  }
})

test('FrameReader keeps frames apart whose bytes are still in use', () => {
  const reader = new FrameReader(MAX_BYTES)
  const send = (byte: number) => {
    const frame = withLength(new Uint8Array(100_000).fill(byte))
    reader.push(frame.subarray(0, 10))
    expect(reader.next()).toBeUndefined()
    expect(reader.assemblingBytes).toBe(100_000)
    reader.push(frame.subarray(10))
    const whole = reader.next()
    if (!whole) throw new Error('No frame')
    return whole
  }
  const [first, second] = [send(1), send(2)]
  expect([first.bytes[50_000], second.bytes[50_000]]).toEqual([1, 2])
  reader.recycle(first)
  expect(send(3).buffer).toBe(first.buffer)
  expect(second.bytes[50_000]).toBe(2)
  reader.recycle(second)
  reader.trim()
  expect(send(4).buffer).not.toBe(second.buffer)
})

test.each([-1, -2_147_483_648, MAX_BYTES + 1, 2_147_483_647])(
  'FrameReader refuses a length of %i at once',
  (length) => {
    const head = Buffer.alloc(4)
    head.writeInt32BE(length)
    const reader = new FrameReader(MAX_BYTES)
    reader.push(head.subarray(0, 3))
    expect(reader.next()).toBeUndefined()
    reader.push(head.subarray(3))
    expect(() => reader.next()).toThrow(`A request of ${length} bytes`)
  },
)

/** Frames of these sizes in one chunk of its own memory. */
function chunkOf(...sizes: readonly number[]): Uint8Array {
  const parts = sizes.map((size) => withLength(new Uint8Array(size).fill(size % 251)))
  return Uint8Array.from(Buffer.concat(parts))
}

test('FrameReader frees a large chunk when the last of its frames is given back, not before', () => {
  const reader = new FrameReader(MAX_BYTES)
  const chunk = chunkOf(30_000, 20_000)
  reader.push(chunk)
  const [first, second] = readAll(reader)
  if (!first || !second) throw new Error('There are two frames')
  reader.recycle(second)
  expect(first.bytes.every((byte) => byte === 30_000 % 251)).toBe(true)
  expect(chunk.length).toBe(50_008)
  reader.recycle(first)
  expect(chunk.length).toBe(0)
})

test('FrameReader keeps a chunk while a part of the next frame has still to be cut from it', () => {
  const reader = new FrameReader(MAX_BYTES)
  const chunk = chunkOf(30_000, 100_000).slice(0, 60_000)
  reader.push(chunk)
  const first = reader.next()
  if (!first) throw new Error('There is a whole frame')
  reader.recycle(first)
  expect(chunk.length).toBe(60_000)
  expect(reader.next()).toBeUndefined()
  expect(chunk.length).toBe(0)
  reader.push(new Uint8Array(70_008))
  const second = reader.next()
  expect(second?.bytes.slice(0, 29_992).every((byte) => byte === 100_000 % 251)).toBe(true)
})

test('FrameReader keeps a chunk whose frame is read while the next one is assembled from the rest', () => {
  const reader = new FrameReader(MAX_BYTES)
  reader.push(chunkOf(30_000, 100_000).slice(0, 60_000))
  const first = reader.next()
  expect(reader.next()).toBeUndefined()
  expect(first?.bytes.every((byte) => byte === 30_000 % 251)).toBe(true)
})

test('FrameReader leaves memory alone that is more than the chunk', () => {
  const reader = new FrameReader(MAX_BYTES)
  const pool = new Uint8Array(100_000)
  pool.set(chunkOf(30_000), 50_000)
  reader.push(pool.subarray(50_000, 80_004))
  const frame = reader.next()
  if (!frame) throw new Error('There is a whole frame')
  reader.recycle(frame)
  expect(pool.length).toBe(100_000)
})
