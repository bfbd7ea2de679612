// Properties files as java.util.Properties reads them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readProperties } from '#src/config/server-properties.ts'

const read = (text: string) => [...readProperties(text)].map(({ key, value }) => [key, value])

test.each([
  { why: 'equals sign', text: 'a=b', read: [['a', 'b']] },
  { why: 'colon and spaces', text: '  a : b ', read: [['a', 'b ']] },
  { why: 'white space as separator', text: 'a b=c', read: [['a', 'b=c']] },
  {
    why: 'no value',
    text: 'a\nb=',
    read: [
      ['a', ''],
      ['b', ''],
    ],
  },
  { why: 'comments and blank lines', text: '# x=1\n! y=2\n\n \t\na=b', read: [['a', 'b']] },
  { why: 'a # inside a value', text: 'a=b # c', read: [['a', 'b # c']] },
  { why: 'a continued line', text: 'a=b,\\\n   c', read: [['a', 'b,c']] },
  {
    why: 'an escaped backslash at the end',
    text: 'a=b\\\\\nc=d',
    read: [
      ['a', 'b\\'],
      ['c', 'd'],
    ],
  },
  { why: 'a comment sign in a continuation', text: 'a=b\\\n#c', read: [['a', 'b#c']] },
  { why: 'escapes', text: 'a\\=b\\:c\\ d=\\t\\u0041\\q', read: [['a=b:c d', '\tAq']] },
  {
    why: 'Windows line ends and a byte order mark',
    text: '\uFEFFa=b\r\nc=d\r\n',
    read: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  },
  { why: 'a backslash at the end of the file', text: 'a=b\\', read: [['a', 'b']] },
])('readProperties() understands $why', ({ text, read: expected }) => {
  expect(read(text)).toEqual(expected)
})

test('readProperties() counts lines, also after continued ones', () => {
  const text = '# comment\na=1\\\n  2\n\nb=3'
  expect([...readProperties(text)].map(({ key, line }) => [key, line])).toEqual([
    ['a', 2],
    ['b', 5],
  ])
})

test('readProperties() reads back what was escaped', () => {
  const escapeText = (text: string) =>
    text.replace(
      /[^a-z]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  const texts = fc.string({ unit: 'grapheme' })
  fc.assert(
    fc.property(
      texts.filter((text) => text !== ''),
      texts,
      (key, value) => {
        expect(read(`${escapeText(key)}=${escapeText(value)}`)).toEqual([[key, value]])
      },
    ),
  )
})
