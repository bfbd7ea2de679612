// The published package: packed, installed into an empty project, used as a library and as a command on every runtime.
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runtimeCommand, runtimes } from './broker-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const noNpm = spawnSync('npm', ['--version']).status === 0 ? undefined : 'no npm here'
const suffix = (why: string | undefined) => (why === undefined ? '' : ` (skipped: ${why})`)
const project = mkdtempSync(join(tmpdir(), 'millrace-package-'))
afterAll(() => rmSync(project, { recursive: true, force: true }))

/** What a user's own file looks like. */
const program = `
import { startBroker } from 'millrace'
const broker = await startBroker()
const answer = await broker.fetch(
  new Request('http://localhost/topics/greetings', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ records: [{ key: 'en', value: 'hello' }] }),
  }),
)
const { offsets } = await answer.json()
await broker.stop()
console.log(JSON.stringify(offsets.map(({ offset }) => offset)))
`

/** The same with types, to see that the declarations resolve. */
const typed = `
import { startBroker } from 'millrace'
const broker = await startBroker()
const answer: Response = await broker.fetch(new Request('http://localhost/topics'))
const text: string = await answer.text()
await broker.stop()
export { text }
`

beforeAll(() => {
  if (noNpm !== undefined) return
  run(root, ...(runtimeCommand('node') ?? ['node']), 'scripts/pack.mjs', '--tarball')
  const [tarball = ''] = globSync('dist/millrace-*.tgz', { cwd: root })
  const manifest = { name: 'a-project', private: true, type: 'module' }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(project, 'use.js'), program)
  writeFileSync(join(project, 'typed.ts'), typed)
  writeFileSync(join(project, 'deno.json'), JSON.stringify({ nodeModulesDir: 'manual' }))
  run(project, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', join(root, tarball))
}, 300_000)

for (const runtime of runtimes) {
  const command = runtimeCommand(runtime)
  const why = noNpm ?? (command === undefined ? `no ${runtime} here` : undefined)

  test.skipIf(why)(
    `Package, installed, starts a broker inside a program on ${runtime}${suffix(why)}`,
    () => {
      const output = run(project, ...(command ?? []), 'use.js')
      expect(output.trim().split('\n').at(-1)).toBe('[0]')
    },
    300_000,
  )

  test.skipIf(why)(
    `Package, installed, is a command on ${runtime}${suffix(why)}`,
    () => {
      const main = join(project, 'node_modules/millrace/main.js')
      expect(run(project, ...(command ?? []), main, '--version')).toMatch(/\d+\.\d+\.\d+/)
    },
    300_000,
  )
}

test.skipIf(noNpm)(`Package, installed, answers npx millrace${suffix(noNpm)}`, () => {
  const [node = 'node'] = runtimeCommand('node') ?? []
  const path = `${join(node, '..')}:${process.env['PATH']}`
  const { status, stdout, stderr } = spawnSync('npx', ['millrace', 'serve', '--help'], {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  })
  expect(status, stderr).toBe(0)
  expect(stdout).toContain('--data')
})

test.skipIf(noNpm)(
  `Package, installed, has types that a program can use${suffix(noNpm)}`,
  () => {
    mkdirSync(join(project, 'node_modules/@types'), { recursive: true })
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
    const module = ['--module', 'nodenext', '--target', 'esnext', '--strict', '--noEmit']
    const flags = [...module, '--skipLibCheck', ...types]
    run(project, ...(runtimeCommand('node') ?? ['node']), compiler, ...flags, 'typed.ts')
  },
  300_000,
)

test.skipIf(noNpm)(`Package holds JavaScript and declarations only${suffix(noNpm)}`, () => {
  const files = globSync('node_modules/millrace/**/*.ts', { cwd: project })
  expect(files.length).toBeGreaterThan(100)
  expect(files.filter((file) => !file.endsWith('.d.ts'))).toEqual([])
  const manifest = JSON.parse(
    readFileSync(join(project, 'node_modules/millrace/package.json'), 'utf8'),
  )
  expect(manifest.devDependencies).toBeUndefined()
  expect(manifest.private).toBeUndefined()
})

function run(cwd: string, command = '', ...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, argv, { cwd, encoding: 'utf8' })
  if (status === 0) return stdout
  throw new Error(`${command} ${argv.join(' ')} ended with ${status}: ${stdout}${stderr}`)
}
