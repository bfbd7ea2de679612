// Lines and JSON objects found in a body that comes in pieces.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HttpError } from '../../../routes/http/errors.ts'
import { type Item, JsonSplitter, LineSplitter, type Splitter } from '../../../routes/http/split.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** The items of a body cut into pieces of the given sizes, in turn. */
function itemsOf(splitter: Splitter, body: Uint8Array, sizes: readonly number[]): string[] {
  const items: Item[] = []
  for (let at = 0, turn = 0; at < body.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    items.push(...splitter.push(body.subarray(at, at + size)))
    at += size
  }
  items.push(...splitter.end())
  return items.map((item) =>
    item instanceof HttpError ? `error ${item.errorCode}` : new TextDecoder().decode(item),
  )
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })

test('LineSplitter finds the same lines however the body is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), sizes, (lines, cuts) => {
      const body = lines.join('\n')
      const expected = body.split('\n').filter((line) => /[^ \t\r]/.test(line))
      expect(itemsOf(new LineSplitter(1_000), bytes(body), cuts)).toEqual(expected)
    }),
  )
})

test('LineSplitter reports a line that is too long, and goes on behind it', () => {
  const body = bytes('ab\nabcdefgh\ncd\nabcdefghi')
  for (const size of [1, 3, 100]) {
    expect(itemsOf(new LineSplitter(4), body, [size])).toEqual([
      'ab',
      'error 41301',
      'cd',
      'error 41301',
    ])
  }
})

test('JsonSplitter finds the same objects however the body is cut', () => {
  const objects = fc.array(fc.record({ a: fc.json(), b: fc.string({ unit: 'grapheme' }) }))
  fc.assert(
    fc.property(objects, sizes, fc.constantFrom('', ' \n'), (list, cuts, space) => {
      const texts = list.map((object) => JSON.stringify(object))
      expect(itemsOf(new JsonSplitter(10_000), bytes(texts.join(space)), cuts)).toEqual(texts)
    }),
  )
})

test.each([
  { why: 'what is no object', body: '{} 7', code: 400 },
  { why: 'an object that is too long', body: '{"a":"0123456789"}', code: 41301 },
])('JsonSplitter refuses $why', ({ body, code }) => {
  expect(() => itemsOf(new JsonSplitter(9), bytes(body), [2])).toThrow(
    expect.objectContaining({ errorCode: code }),
  )
})

test('JsonSplitter reports a body that ends too early', () => {
  expect(itemsOf(new JsonSplitter(100), bytes('{"a":1}{"a":'), [5])).toEqual([
    '{"a":1}',
    'error 400',
  ])
})
