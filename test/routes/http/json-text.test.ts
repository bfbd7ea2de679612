// The text of JSON members, taken out as it was sent.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrayElements, objectMembers } from '../../../routes/http/json-text.ts'

test('objectMembers() keeps the text of each member as it is', () => {
  const members = objectMembers(
    ' { "a" : 12345678901234567890 , "b":"x\\"}]," ,"\\u0063" : [1 , {"d":"]"}] , "e":-0.10e+5,"f":{} , "g":null }\n',
  )
  expect([...members]).toEqual([
    ['a', '12345678901234567890'],
    ['b', '"x\\"}],"'],
    ['c', '[1 , {"d":"]"}]'],
    ['e', '-0.10e+5'],
    ['f', '{}'],
    ['g', 'null'],
  ])
})

test('objectMembers() lets the last of equal names win, as JSON.parse does', () => {
  expect(objectMembers('{"a":1,"a":2}').get('a')).toBe('2')
})

test('arrayElements() finds nothing in an empty list', () => {
  expect(arrayElements(' [ \n ] ')).toEqual([])
})

test('objectMembers() and arrayElements() agree with JSON.parse on any JSON, however it is spaced', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (json, space) => {
      const value = JSON.parse(json)
      const text = JSON.stringify(value, null, space)
      const list = JSON.stringify([value, [value]], null, space)
      expect(arrayElements(list).map((element) => JSON.parse(element))).toEqual([value, [value]])
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return
      const members = [...objectMembers(text)].map(([name, raw]) => [name, JSON.parse(raw)])
      expect(members).toEqual(Object.entries(value))
    }),
  )
})
