// Properties files as java.util.Properties reads and writes them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseProperties, readProperties, serializeProperties } from '#storage/bytes/properties.ts'

test.each([
  { why: 'equals signs and spaces around', text: 'a = b', entries: [['a', 'b']] },
  { why: 'a colon', text: 'a:b', entries: [['a', 'b']] },
  { why: 'white space alone', text: '  a   b c ', entries: [['a', 'b c ']] },
  { why: 'no value', text: 'a', entries: [['a', '']] },
  { why: 'a separator in the value', text: 'a==b:c', entries: [['a', '=b:c']] },
  { why: 'comments and empty lines', text: '# x=1\n\n  ! y=2\r\na=b', entries: [['a', 'b']] },
  { why: 'a continued line', text: 'a=b\\\n   c\\\n  d', entries: [['a', 'bcd']] },
  {
    why: 'an escaped backslash at the end',
    text: 'a=b\\\\\nc=d',
    entries: [
      ['a', 'b\\'],
      ['c', 'd'],
    ],
  },
  { why: 'a comment sign in a continued line', text: 'a=b\\\n#c', entries: [['a', 'b#c']] },
  { why: 'escapes', text: 'a\\ b\\=c=\\t\\u0041\\q', entries: [['a b=c', '\tAq']] },
  {
    why: 'Windows line ends and a byte order mark',
    text: '\uFEFFa=b\r\nc=d\r\n',
    entries: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  },
  { why: 'a backslash at the end of the file', text: 'a=b\\', entries: [['a', 'b']] },
  { why: 'the last of two', text: 'a=1\na=2', entries: [['a', '2']] },
  { why: 'an empty key', text: '=x', entries: [['', 'x']] },
])('parseProperties() understands $why', ({ text, entries }) => {
  expect([...parseProperties(text)]).toEqual(entries)
})

test('serializeProperties() escapes so that parseProperties() reads the same', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab=:#! \\\t\n\r\f_é漢') })
  fc.assert(
    fc.property(fc.dictionary(text, text), (dictionary) => {
      const properties = new Map(Object.entries(dictionary))
      expect(parseProperties(serializeProperties(properties))).toEqual(properties)
    }),
  )
})

test('serializeProperties() writes a line for each', () => {
  expect(serializeProperties(new Map([['a b', ' c d=e']]))).toBe('a\\ b=\\ c d\\=e\n')
})

test('readProperties() counts lines, also after continued ones', () => {
  const text = '# comment\na=1\\\n  2\n\nb=3'
  expect([...readProperties(text)].map(({ key, line }) => [key, line])).toEqual([
    ['a', 2],
    ['b', 5],
  ])
})
