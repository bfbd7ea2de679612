// JSON taken apart without parsing.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrayElements, objectMembers } from '#src/cli/json-text.ts'

test('arrayElements() and objectMembers() agree with JSON.parse', () => {
  const text = fc.json()
  fc.assert(
    fc.property(fc.array(text), fc.dictionary(fc.string(), text), (elements, members) => {
      expect(arrayElements(`[ ${elements.join(' , ')} ]`)).toEqual(
        elements.map((one) => one.trim()),
      )
      const pairs = Object.entries(members)
      const object = `{${pairs.map(([name, value]) => `${JSON.stringify(name)} : ${value}`).join(',\n')}}`
      expect([...objectMembers(object)]).toEqual(pairs)
    }),
  )
})

test('objectMembers() keeps every digit', () => {
  expect(objectMembers('{"a":12345678901234567890.10}').get('a')).toBe('12345678901234567890.10')
})
