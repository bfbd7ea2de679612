// Checkpoints of offsets by partition.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { partitionName } from '#storage/base/topic-partition.ts'
import {
  parseOffsetCheckpoint,
  serializeOffsetCheckpoint,
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

test('An offset checkpoint reads back what was written', () => {
  const line = fc.record({
    topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/),
    partition: fc.nat(2 ** 31 - 1),
    offset: fc.nat(Number.MAX_SAFE_INTEGER),
  })
  fc.assert(
    fc.property(fc.uniqueArray(line, { selector: partitionName }), (lines) => {
      const parsed = parseOffsetCheckpoint(serializeOffsetCheckpoint(lines), 'x')
      expect(parsed).toEqual(new Map(lines.map((entry) => [partitionName(entry), entry.offset])))
    }),
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
