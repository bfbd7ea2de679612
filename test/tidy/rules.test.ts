// The text rules of the tidy test, on made-up sources.
import { expect, test } from 'vitest'
import * as rules from './rules.ts'

test.each([
  { code: 'const t = Date.now()', use: 'Clock.now()' },
  { code: 'const t = new Date()', use: 'Clock.now()' },
  { code: 'performance.now()', use: 'Clock.monotonic()' },
  { code: 'setTimeout(f, 1)', use: 'Clock.after()' },
  { code: 'Math.random()', use: 'Random' },
  { code: 'crypto.randomUUID()', use: 'Random' },
  { code: 'function f(b: Buffer) {}', use: 'Uint8Array' },
  { code: 'Buffer.from(x)', use: 'Uint8Array' },
  { code: 'Bun.mmap(x)', use: 'adapter' },
  { code: 'process.exit(1)', use: 'src/platform/process' },
  { code: 'console.log(1)', use: 'src/platform/process' },
])('banned() refuses $code and names what to use instead', ({ code, use }) => {
  const [found] = rules.banned('src/broker/broker.ts', `// Made up.\n${code}`)
  expect(found).toMatch(/^line 2: /)
  expect(found).toContain(use)
  expect(rules.banned('src/platform/serve.ts', code)).toEqual([])
})

test.each([
  'const t = new Date(timestamp)',
  '// setTimeout is for the clock',
  "const text = 'Date.now'",
  'let clock: ClockProcess; clock.process',
  'const isBuffered = true',
])('banned() lets pass %s', (code) => {
  expect(rules.banned('src/broker/broker.ts', code)).toEqual([])
})

test.each([
  { path: 'src/broker/broker.ts', specifier: 'node:fs', isAllowed: false },
  { path: 'storage/fs/node-files.ts', specifier: 'node:fs', isAllowed: true },
  { path: 'storage/batch/compression/gzip.ts', specifier: 'node:zlib', isAllowed: true },
  { path: 'storage/batch/compression/gzip.ts', specifier: 'node:fs', isAllowed: false },
  { path: 'src/broker/broker.ts', specifier: 'bun:ffi', isAllowed: false },
])('bannedModule() says $isAllowed of $specifier in $path', ({ path, specifier, isAllowed }) => {
  expect(rules.bannedModule(path, specifier) === undefined).toBe(isAllowed)
})

test('undocumented() wants a doc comment on each export, not on overloads nor on the type of a value', () => {
  const text = `
/** Known. */
export function f(a: string): void
export function f(a: number): void
export class Bare {}
export const Thing = 1
export type Thing = number
/** Known. */
export abstract class Known {}
export async function* late() {}
`
  expect(rules.undocumented(text)).toEqual([
    'line 5: Bare has no doc comment',
    'line 6: Thing has no doc comment',
    'line 10: late has no doc comment',
  ])
})

test('exportsOfOthers() refuses defaults and barrels, except in mod.ts', () => {
  const text =
    "export default 1\nexport * from './a.ts'\nexport { b } from './b.ts'\nexport type { c }"
  expect(rules.exportsOfOthers('src/a.ts', text)).toHaveLength(4)
  expect(rules.exportsOfOthers('mod.ts', text)).toEqual(['line 1: default export'])
  expect(rules.exportsOfOthers('src/a.ts', 'export const a = 1')).toEqual([])
})

test('opening() wants a first line of comment', () => {
  expect(rules.opening('// What it holds.\ncode')).toEqual([])
  expect(rules.opening('#!/usr/bin/env node\n// What it holds.')).toEqual([])
  expect(rules.opening('import a')).toHaveLength(1)
})

test('length() wants at most 500 lines', () => {
  expect(rules.length('a\n'.repeat(500))).toEqual([])
  expect(rules.length('a\n'.repeat(501))).toHaveLength(1)
})

test('promises() wants an issue number', () => {
  expect(rules.promises('// TODO later\n// TODO #12: later')).toEqual(['line 1: // TODO later'])
})

test('machineTraces() finds home folders and registries', () => {
  expect(rules.machineTraces("'/home/ada/x'")).toEqual(['line 1: /home/ada'])
  expect(rules.machineTraces('https://registry.example.org/a')).toHaveLength(1)
  expect(rules.machineTraces('see src/work/a and https://example.org/home/a')).toEqual([])
})

test('relativeLinks() finds files and headings, and leaves the web alone', () => {
  const text = '[a](docs/http.md#read) [b](#top), [c](https://example.org/#x) and [d](LICENSE)'
  expect(rules.relativeLinks(text)).toEqual([
    { file: 'docs/http.md', heading: 'read' },
    { file: '', heading: 'top' },
    { file: 'LICENSE', heading: '' },
  ])
})

test('headings() writes them as links do', () => {
  expect(rules.headings('# A, b\ntext # no\n## `GET /topics` of REST v2')).toEqual([
    'a-b',
    'get-topics-of-rest-v2',
  ])
})
