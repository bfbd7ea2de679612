// The text scanner of the tidy test, on made-up sources.
import { expect, test } from 'vitest'
import { importsOf, scan } from './scan.ts'

test.each([
  { why: 'line comments', text: 'a // Date.now', code: 'a            ' },
  { why: 'block comments, lines kept', text: 'a /* b\nc */ d', code: 'a     \n     d' },
  { why: 'strings', text: "a('it\\'s', \"b\")", code: 'a(\'     \', " ")' },
  { why: 'templates, but not the code in them', text: '`x ${a(`y`)} z`', code: '`  ${a(` `)}  `' },
  { why: 'braces inside a template', text: '`${{ a: 1 }.a}b` + c', code: '`${{ a: 1 }.a} ` + c' },
  { why: 'regular expressions', text: 'f(/[/"]\\//g, a / b)', code: 'f(/      /g, a / b)' },
  { why: 'a comment mark inside a string', text: "a('//') + b", code: "a('  ') + b" },
])('scan() blanks $why', ({ text, code }) => {
  expect(scan(text).code).toBe(code)
})

test('importsOf() finds every form of import, and nothing in comments or strings', () => {
  const text = `
    import { a } from './static.ts'
    import type { b } from '#storage/type.ts'
    import './effect.ts'
    export { c } from './again.ts'
    const d = await import('./dynamic.ts')
    const e = new URL('./worker.ts', import.meta.url)
    const f = new URL('http://localhost')
    // import './comment.ts'
    const g = "import './string.ts'"
    import {
      h,
    } from 'package'
  `
  expect(importsOf(text)).toEqual([
    './static.ts',
    '#storage/type.ts',
    './effect.ts',
    './again.ts',
    './dynamic.ts',
    './worker.ts',
    'package',
  ])
})
