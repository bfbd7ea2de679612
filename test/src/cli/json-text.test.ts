// JSON taken apart without parsing.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrayItems, objectMembers } from '#src/cli/json-text.ts'

test('objectMembers() agrees with JSON.parse', () => {
  const text = fc.json()
  fc.assert(
    fc.property(fc.dictionary(fc.string(), text), (members) => {
      const pairs = Object.entries(members)
      const object = `{${pairs.map(([name, value]) => `${JSON.stringify(name)} : ${value}`).join(',\n')}}`
      expect([...objectMembers(object)]).toEqual(pairs)
    }),
  )
})

test('objectMembers() keeps every digit', () => {
  expect(objectMembers('{"a":12345678901234567890.10}').get('a')).toBe('12345678901234567890.10')
})

test.each([
  { text: '[]', items: [] },
  { text: ' [ ] ', items: [] },
  {
    text: '[1,"a,]",{"b":[1,2]},[3,[4]],null]',
    items: ['1', '"a,]"', '{"b":[1,2]}', '[3,[4]]', 'null'],
  },
  { text: '[12345678901234567890, 1.0 ]', items: ['12345678901234567890', '1.0'] },
])('arrayItems($text) gives the items as they are written', ({ text, items }) => {
  expect(arrayItems(text)).toEqual(items)
})
