// The rules of the house that no linter knows, checked on every file. The checks themselves are tested in test/tidy/.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cycle, dangling, graphOf, unreached } from './tidy/graph.ts'
import {
  forbiddenImport,
  forbiddenPackage,
  isHoused,
  unknownRooms,
  wrongSpelling,
} from './tidy/rooms.ts'
import * as rules from './tidy/rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const list = (...patterns: string[]) =>
  patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted()

const sources = new Map(
  list('*.ts', '{routes,src,storage,test,bench}/**/*.ts').map(
    (path) => [path, read(path)] as const,
  ),
)
const manifest: { imports: Record<string, string | Record<string, string>> } = JSON.parse(
  read('package.json'),
)
const graph = graphOf(sources, manifest.imports)
const housed = [...sources].filter(([path]) => isHoused(path))
const isTest = (path: string) => path.endsWith('.test.ts')

test('Rooms: every source lies in a room of the table', () => {
  expect(unknownRooms([...sources.keys()])).toEqual([])
})

test('Imports go down, as the table of rooms says', () => {
  const found = housed.flatMap(([path]) =>
    (graph.get(path) ?? []).flatMap(({ specifier, to }) => {
      const why =
        to === undefined
          ? (forbiddenPackage(path, specifier) ?? rules.bannedModule(path, specifier))
          : (forbiddenImport(path, to) ?? wrongSpelling(path, specifier, to))
      return why === undefined ? [] : [`${path} → ${to ?? specifier}: ${why}`]
    }),
  )
  expect(found).toEqual([])
})

test('Imports name files that exist', () => {
  expect(dangling(graph)).toEqual([])
})

test('Imports have no cycle, not even of types', () => {
  expect(cycle(graph)).toBeUndefined()
})

test('Sources are all reached from main.ts, mod.ts, a test or a task', () => {
  const tasks = read('scripts/run.mjs')
  const isTask = (path: string) => tasks.includes(`'${path}'`)
  const roots = ['main.ts', 'mod.ts', 'vitest.config.ts']
  // Messages are declared, and held to Kafka's bytes, before a handler serves them.
  const isAhead = (path: string) => path.startsWith('src/protocol/messages/')
  const dead = unreached(graph, roots).filter((path) => isHoused(path) && !isAhead(path))
  const others = [...sources.keys()].filter((path) => isTest(path) || isTask(path))
  const unused = unreached(graph, [...roots, ...others])
  expect([...new Set([...dead, ...unused])]).toEqual([])
})

const textRules = [
  { why: 'use nothing from the ban list', check: rules.banned },
  { why: 'have no default export and no barrel', check: rules.exportsOfOthers },
  { why: 'open with a line of comment', check: lines(rules.opening) },
  { why: 'have at most 500 lines', check: lines(rules.length) },
  { why: 'promise nothing without an issue number', check: lines(rules.promises) },
]
test.each(textRules)('Sources $why', ({ check }) => {
  const found = [...sources].flatMap(([path, text]) =>
    path.startsWith('test/tidy') ? [] : check(path, text).map((what) => `${path} ${what}`),
  )
  expect(found).toEqual([])
})

test('Sources have a doc comment on every export', () => {
  const found = [...sources]
    .filter(([path]) => !isTest(path))
    .flatMap(([path, text]) => rules.undocumented(text).map((what) => `${path} ${what}`))
  expect(found).toEqual([])
})

test('Documents link to files and headings that exist', () => {
  const documents = list('*.md', 'docs/**/*.md')
  const found = documents.flatMap((path) =>
    rules.relativeLinks(read(path)).flatMap(({ file, heading }) => {
      const target = file === '' ? path : join(path, '..', file)
      if (!existsSync(join(root, target))) return [`${path} → ${file}`]
      const isThere = heading === '' || rules.headings(read(target)).includes(heading)
      return isThere ? [] : [`${path} → ${file}#${heading}`]
    }),
  )
  expect(found).toEqual([])
})

test('Files name no path of one machine and no registry', () => {
  const texts = list(
    '*.{ts,json,md,mjs}',
    '.npmrc',
    '.ci/*',
    'tools/*/{package.json,.npmrc,deno.json}',
    '{routes,src,storage,test,bench,scripts,docs}/**/*.{ts,mjs,md,json,java,xml,properties,sh}',
  ).filter((path) => !path.startsWith('test/tidy'))
  const found = texts.flatMap((path) =>
    rules.machineTraces(read(path)).map((what) => `${path} ${what}`),
  )
  expect(found).toEqual([])
})

function lines(check: (text: string) => string[]) {
  return (_path: string, text: string) => check(text)
}
