// Checkpoints of offsets by partition.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageFault } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import {
  parseOffsetCheckpoint,
  serializeOffsetCheckpoint,
  serializeSummedCheckpoint,
} from '#storage/state/offset-checkpoint.ts'

const encode = (text: string) => new TextEncoder().encode(text)

test('An offset checkpoint is a version, a count and a line for each partition', () => {
  const bytes = serializeOffsetCheckpoint([
    { topic: 'a.b', partition: 0, offset: 12 },
    { topic: 'c-d', partition: 10, offset: 0 },
  ])
  expect(new TextDecoder().decode(bytes)).toBe('0\n2\na.b 0 12\nc-d 10 0\n')
  expect(new TextDecoder().decode(serializeOffsetCheckpoint([]))).toBe('0\n0\n')
})

const anyLines = () => {
  const line = fc.record({
    topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/),
    partition: fc.nat(2 ** 31 - 1),
    offset: fc.nat(Number.MAX_SAFE_INTEGER),
  })
  return fc.uniqueArray(line, { selector: partitionName })
}

test('An offset checkpoint reads back what was written, with a checksum and without', () => {
  fc.assert(
    fc.property(anyLines(), (lines) => {
      const expected = new Map(lines.map((entry) => [partitionName(entry), entry.offset]))
      expect(parseOffsetCheckpoint(serializeOffsetCheckpoint(lines), 'x')).toEqual(expected)
      expect(parseOffsetCheckpoint(serializeSummedCheckpoint(lines), 'x')).toEqual(expected)
    }),
  )
})

test('A summed checkpoint ends in a line that Kafka takes for a partition that it does not have', () => {
  const bytes = serializeSummedCheckpoint([{ topic: 'orders', partition: 0, offset: 912 }])
  expect(new TextDecoder().decode(bytes)).toMatch(/^0\n2\norders 0 912\nmillrace#crc32c 0 \d+\n$/)
})

test('A summed checkpoint with a flipped bit is refused, or says what it said', () => {
  const flip = fc.tuple(fc.nat(), fc.nat(7))
  fc.assert(
    fc.property(anyLines(), flip, (lines, [at, bit]) => {
      const bytes = serializeSummedCheckpoint(lines)
      const expected = parseOffsetCheckpoint(bytes, 'x')
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit)
      let found: ReadonlyMap<string, number>
      try {
        found = parseOffsetCheckpoint(bytes, 'x')
      } catch (error) {
        expect(error).toBeInstanceOf(StorageFault)
        return
      }
      for (const [name, offset] of expected) expect(found.get(name)).toBe(offset)
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  { why: 'a missing file', bytes: undefined },
  { why: 'an empty file', bytes: encode('') },
  { why: 'no entries', bytes: encode('0\n0\n') },
])('An offset checkpoint has no offsets for $why', ({ bytes }) => {
  expect(parseOffsetCheckpoint(bytes, 'x').size).toBe(0)
})

test('An offset checkpoint without its last newline is understood', () => {
  expect(parseOffsetCheckpoint(encode('0\n1\nt 0 5'), 'x').get('t-0')).toBe(5)
})

test.each([
  '1\n0\n',
  '0\n2\nt 0 5\n',
  '0\n0\nt 0 5\n',
  '0\nmany\n',
  '0\n1\nt 0\n',
  '0\n1\nt 0 5 6\n',
  '0\n1\nt zero 5\n',
  '0\n1\nt 0 5.5\n',
  '0\n1\nt 0 9007199254740993\n',
  '0\n2\nt 0 5\nt 0 6\n',
  '0',
  '\0\0\0\0',
])('An offset checkpoint with the content %j is refused', (text) => {
  expect(() => parseOffsetCheckpoint(encode(text), 'recovery-point-offset-checkpoint')).toThrow(
    'The file recovery-point-offset-checkpoint',
  )
})
