// The import graph of the tidy test, on made-up sources.
import { expect, test } from 'vitest'
import { cycle, dangling, graphOf, unreached } from './graph.ts'

const aliases = { '#storage/*': './storage/*', '#serve': { bun: './b.ts', default: './n.ts' } }
const graph = (files: Record<string, string>) => graphOf(new Map(Object.entries(files)), aliases)

test('graphOf() resolves relative paths, aliases and conditions', () => {
  const text = "import './c.ts'\nimport '#storage/d/e.ts'\nimport '#serve'\nimport 'hono'"
  expect(
    graph({ 'src/a/b.ts': text })
      .get('src/a/b.ts')
      ?.map(({ to }) => to),
  ).toEqual(['src/a/c.ts', 'storage/d/e.ts', 'b.ts', 'n.ts', undefined])
})

test('unreached() names files that nothing imports', () => {
  const files = { 'main.ts': "import './a.ts'", 'a.ts': '', 'b.ts': "import './a.ts'" }
  expect(unreached(graph(files), ['main.ts'])).toEqual(['b.ts'])
})

test('dangling() names imports of files that do not exist', () => {
  expect(dangling(graph({ 'a.ts': "import './gone.ts'" }))).toEqual(['a.ts → gone.ts'])
})

test('cycle() finds one, also of types, and passes over diamonds', () => {
  const diamond = {
    'a.ts': "import './b.ts'\nimport './c.ts'",
    'b.ts': "import './d.ts'",
    'c.ts': "import './d.ts'",
    'd.ts': '',
  }
  expect(cycle(graph(diamond))).toBeUndefined()
  const loop = { ...diamond, 'd.ts': "import type { b } from './b.ts'" }
  expect(cycle(graph(loop))).toEqual(['b.ts', 'd.ts', 'b.ts'])
})
