// The schema language: forms on the wire, versions, tags, refusals, inferred types.
import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import {
  array,
  nullableArray,
  nullableStruct,
  struct,
} from '../../../../src/protocol/codec/composites.ts'
import { ignorable, range, since, tagged, until } from '../../../../src/protocol/codec/fields.ts'
import { type Infer, type InferInput, message } from '../../../../src/protocol/codec/message.ts'
import {
  bool,
  bytes,
  classic,
  float64,
  int8,
  int16,
  int32,
  int64,
  int64Exact,
  nullableBytes,
  nullableRecords,
  nullableString,
  records,
  string,
  uint16,
  uint32,
  uuid,
} from '../../../../src/protocol/codec/primitives.ts'
import type { KafkaError } from '../../../../storage/base/errors.ts'
import type { Int64 } from '../../../../storage/bytes/int64.ts'

const Heartbeat = message(
  { key: 12, versions: [0, 4], flexible: 4 },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: since(3, nullableString(), null),
  },
)

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
const unhex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as KafkaError).code ?? String(error)
  }
  return 'no error'
}

// Bytes by org.apache.kafka.common.message.HeartbeatRequestData 4.3.1 (MessageUtil.toByteBufferAccessor).
test.each([
  { version: 0, form: '0001 67 00000007 0001 6d' },
  { version: 3, form: '0001 67 00000007 0001 6d ffff' },
  { version: 4, form: '02 67 00000007 02 6d 00 00' },
])('message() has version $version in the form of that version', ({ version, form }) => {
  const value = { groupId: 'g', generationId: 7, memberId: 'm', groupInstanceId: null }
  expect(hex(Heartbeat.encode(value, version))).toBe(form.replaceAll(' ', ''))
  expect(Heartbeat.decode(unhex(form), version)).toEqual(value)
})

test('message() gives a field its default in a version that lacks it', () => {
  const bytes = Heartbeat.encode({ groupId: 'g', generationId: 7, memberId: 'm' }, 1)
  expect(Heartbeat.decode(bytes, 1).groupInstanceId).toBeNull()
})

test('message() refuses a value that the version cannot hold, unless the field is ignorable', () => {
  const value = { groupId: 'g', generationId: 7, memberId: 'm', groupInstanceId: 'i' }
  expect(codeOf(() => Heartbeat.encode(value, 2))).toBe('UNSUPPORTED_VERSION')
  const Lenient = message({ versions: [0, 1] }, { rack: ignorable(since(1, string())) })
  expect(Lenient.encode({ rack: 'r' }, 0)).toHaveLength(0)
  expect(hex(Lenient.encode({ rack: 'r' }, 1))).toBe('000172')
})

test.each([-1, 5, 1.5, Number.NaN])('message() refuses version %s', (version) => {
  expect(codeOf(() => Heartbeat.decode(new Uint8Array(9), version))).toBe('UNSUPPORTED_VERSION')
})

test('until() and range() end a field where they say', () => {
  const Ends = message(
    { versions: [0, 3] },
    { old: until(1, int8(), -1), middle: range([1, 2], int8(), 5) },
  )
  const value = { old: 1, middle: 2 }
  expect(hex(Ends.encode(value, 1))).toBe('0102')
  expect(hex(Ends.encode({ middle: 2 }, 2))).toBe('02')
  expect(codeOf(() => Ends.encode(value, 2))).toBe('UNSUPPORTED_VERSION')
  expect(Ends.decode(new Uint8Array(0), 3)).toEqual({ old: -1, middle: 5 })
})

const Tags = message(
  { versions: [0, 1], flexible: 1 },
  {
    id: int32(),
    late: tagged(3, 1, string()),
    early: tagged(0, 1, nullableArray(int32()), null),
  },
)

test('tagged() fields stand in ascending order and only when they differ from their default', () => {
  expect(hex(Tags.encode({ id: 1 }, 1))).toBe('0000000100')
  expect(hex(Tags.encode({ id: 1, early: null, late: '' }, 1))).toBe('0000000100')
  const form = '00000001 02 00 05 02 00000009 03 02 02 78'.replaceAll(' ', '')
  expect(hex(Tags.encode({ id: 1, late: 'x', early: [9] }, 1))).toBe(form)
  expect(Tags.decode(unhex(form), 1)).toEqual({ id: 1, late: 'x', early: [9] })
})

test('tagged() tells an empty array from the default null', () => {
  const bytes = Tags.encode({ id: 1, early: [] }, 1)
  expect(hex(bytes)).toBe('0000000101000101')
  expect(Tags.decode(bytes, 1).early).toEqual([])
})

test('tagged() fields longer than 127 bytes get a size of two bytes', () => {
  const late = 'y'.repeat(300)
  expect(Tags.decode(Tags.encode({ id: 1, late }, 1), 1).late).toBe(late)
})

test('message() skips tags that it does not know', () => {
  const form = '00000001 02 03 02 02 78 09 03 aabbcc'
  expect(Tags.decode(unhex(form), 1)).toEqual({ id: 1, late: 'x', early: null })
})

test('classic() keeps its form in flexible versions', () => {
  const Header = message(
    { versions: [1, 2], flexible: 2 },
    { correlationId: int32(), clientId: classic(nullableString()) },
  )
  expect(hex(Header.encode({ correlationId: 5, clientId: 'c' }, 2))).toBe('0000000500016300')
})

test('nullableString(since) has no null before that version', () => {
  const Late = message({ versions: [0, 1] }, { name: nullableString(1) })
  expect(codeOf(() => Late.encode({ name: null }, 0))).toBe('UNSUPPORTED_VERSION')
  expect(codeOf(() => Late.decode(unhex('ffff'), 0))).toBe('CORRUPT_MESSAGE')
  expect(Late.decode(unhex('ffff'), 1).name).toBeNull()
})

test.each([
  { why: 'a string longer than the rest', form: '0005 61' },
  { why: 'a negative string length', form: 'fffe' },
  { why: 'a null where none is allowed', form: 'ffff' },
  { why: 'nothing at all', form: '' },
])('string() refuses $why', ({ form }) => {
  const Text = message({ versions: [0, 0] }, { text: string() })
  expect(codeOf(() => Text.decode(unhex(form), 0))).toBe('CORRUPT_MESSAGE')
})

test.each([
  { why: 'a count of 2^31 - 1', version: 0, form: '7fffffff 00' },
  { why: 'a count below -1', version: 0, form: 'fffffffe' },
  { why: 'null', version: 0, form: 'ffffffff' },
  { why: 'a compact count of 2^32 - 1', version: 1, form: 'ffffffff0f 00' },
  { why: 'a count beyond the rest', version: 1, form: '05 00000001' },
  { why: 'a count whose elements do not fit', version: 1, form: '05 00000001 00' },
  { why: 'an endless varint', version: 1, form: 'ffffffffffffffff' },
  { why: 'a tag section beyond the end', version: 1, form: '01 01 00 7f' },
  { why: 'a tag count beyond the end', version: 1, form: '01 ffffffff0f' },
  { why: 'bytes behind the message', version: 1, form: '01 00 00' },
])('array() refuses $why', ({ version, form }) => {
  const List = message({ versions: [0, 1], flexible: 1 }, { values: array(int32()) })
  expect(codeOf(() => List.decode(unhex(form), version))).toBe('CORRUPT_MESSAGE')
})

test('array() refuses a count beyond the rest even of elements without bytes', () => {
  const Empty = message(
    { versions: [0, 1] },
    { values: array(struct({ later: since(1, int8()) })) },
  )
  expect(codeOf(() => Empty.decode(unhex('00000005'), 0))).toBe('CORRUPT_MESSAGE')
})

test('message() refuses more than a million elements in all its arrays together', () => {
  const Names = message({ versions: [0, 0] }, { lists: array(array(bool())) })
  const lists = (sizes: number[]) =>
    Names.encode({ lists: sizes.map((n) => Array(n).fill(true)) }, 0)
  expect(codeOf(() => Names.decode(lists([500_000, 499_998]), 0))).toBe('no error')
  expect(codeOf(() => Names.decode(lists([500_000, 499_999]), 0))).toBe('CORRUPT_MESSAGE')
})

test('a tagged field that does not fill its size is refused', () => {
  expect(codeOf(() => Tags.decode(unhex('00000001 01 03 03 02 78 00'), 1))).toBe('CORRUPT_MESSAGE')
})

test.each([
  { type: int8(), value: 128 },
  { type: int16(), value: -32_769 },
  { type: uint16(), value: 65_536 },
  { type: int32(), value: 2 ** 31 },
  { type: uint32(), value: -1 },
  { type: int64(), value: Number.NaN },
])('integers refuse $value when it has no form', ({ type, value }) => {
  const One = message({ versions: [0, 0] }, { value: type })
  expect(codeOf(() => One.encode({ value }, 0))).toBe('INVALID_REQUEST')
})

test('int64() refuses what is no safe integer; int64Exact() keeps it', () => {
  const form = '7fffffffffffffff'
  const Offset = message({ versions: [0, 0] }, { value: int64() })
  const Time = message({ versions: [0, 0] }, { value: int64Exact() })
  expect(codeOf(() => Offset.decode(unhex(form), 0))).toBe('CORRUPT_MESSAGE')
  expect(Time.decode(unhex(form), 0).value).toBe(2n ** 63n - 1n)
  expect(hex(Time.encode({ value: 2n ** 63n - 1n }, 0))).toBe(form)
})

const Everything = message(
  { key: 1, versions: [0, 1], flexible: 1 },
  {
    a: int8(),
    b: int16(),
    c: int32(),
    d: int64(),
    e: int64Exact(),
    f: uint16(),
    g: uint32(),
    h: float64(),
    i: bool(),
    j: uuid(),
    k: string(),
    l: nullableString(),
    m: bytes(),
    n: nullableBytes(),
    o: records(),
    p: nullableRecords(),
    q: array(struct({ x: int32(), y: array(string()) })),
    r: nullableArray(int64()),
    s: struct({ z: bool() }),
    t: nullableStruct({ z: bool() }),
    u: tagged(0, 1, struct({ w: int32() })),
    v: tagged(1, 1, nullableStruct({ w: int32() }), null),
  },
)

const blob = fc.uint8Array({ maxLength: 200 })
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
const everything: fc.Arbitrary<InferInput<typeof Everything>> = fc.record({
  a: int(8),
  b: int(16),
  c: int(32),
  d: fc.maxSafeInteger(),
  e: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n })),
  f: fc.nat(65_535),
  g: fc.nat(2 ** 32 - 1),
  h: fc.double({ noNaN: true }),
  i: fc.boolean(),
  j: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((b) => Buffer.from(b).toString('base64url')),
  k: text,
  l: fc.option(text),
  m: blob,
  n: fc.option(blob),
  o: blob,
  p: fc.option(blob),
  q: fc.array(fc.record({ x: int(32), y: fc.array(text, { maxLength: 3 }) }), { maxLength: 4 }),
  r: fc.option(fc.array(fc.maxSafeInteger(), { maxLength: 3 })),
  s: fc.record({ z: fc.boolean() }),
  t: fc.option(fc.record({ z: fc.boolean() })),
})

test('message() reads back what it wrote, for every type', () => {
  const tags = fc.record({ u: fc.record({ w: int(32) }), v: fc.option(fc.record({ w: int(32) })) })
  fc.assert(
    fc.property(everything, tags, (value, tagged) => {
      const absent = { u: { w: 0 }, v: null }
      expect(Everything.decode(Everything.encode(value, 0), 0)).toEqual({ ...value, ...absent })
      const whole = { ...value, ...tagged }
      expect(Everything.decode(Everything.encode(whole, 1), 1)).toEqual(whole)
    }),
  )
})

test('message() answers any bytes with a value or a refusal', () => {
  fc.assert(
    fc.property(
      everything,
      fc.nat(1),
      fc.nat(),
      fc.nat(255),
      fc.nat(),
      (value, version, at, byte, cut) => {
        const bytes = Everything.encode(value, version)
        bytes[at % bytes.length] = byte
        const shorter = bytes.subarray(0, bytes.length - (cut % 3))
        expect(['no error', 'CORRUPT_MESSAGE']).toContain(
          codeOf(() => Everything.decode(shorter, version)),
        )
      },
    ),
  )
})

test('Infer gives every field, InferInput lets those with a default be left out', () => {
  expectTypeOf<Infer<typeof Heartbeat>>().toEqualTypeOf<{
    readonly groupId: string
    readonly generationId: number
    readonly memberId: string
    readonly groupInstanceId: string | null
  }>()
  expectTypeOf<{ groupId: string; generationId: number; memberId: string }>().toExtend<
    InferInput<typeof Heartbeat>
  >()
  expectTypeOf<{ groupId: string }>().not.toExtend<InferInput<typeof Heartbeat>>()
  type All = Infer<typeof Everything>
  expectTypeOf<All['e']>().toEqualTypeOf<Int64>()
  expectTypeOf<All['p']>().toEqualTypeOf<Uint8Array | null>()
  expectTypeOf<All['q']>().toEqualTypeOf<
    readonly { readonly x: number; readonly y: readonly string[] }[]
  >()
  expectTypeOf<All['r']>().toEqualTypeOf<readonly number[] | null>()
  expectTypeOf<All['t']>().toEqualTypeOf<{ readonly z: boolean } | null>()
  expectTypeOf<All['u']>().toEqualTypeOf<{ readonly w: number }>()
})
