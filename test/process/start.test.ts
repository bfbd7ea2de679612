// The README's first command and its twins: each starts the broker on its runtime, and takes it along when it ends.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { type BrokerProcess, launchBroker, runtimeCommand, serveFlags } from './broker-process.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-start-'))
const running = new Set<BrokerProcess>()
afterAll(async () => {
  for (const broker of running) await broker.kill()
  rmSync(scratch, { recursive: true, force: true })
})

const [bun = 'bun'] = runtimeCommand('bun') ?? []
const [deno = 'deno'] = runtimeCommand('deno') ?? []

test.each([
  { what: 'npm start', command: ['npm', 'start', '--silent', '--'], runtime: 'bun' },
  { what: 'bun start', command: [bun, 'run', '--silent', 'start'], runtime: 'bun' },
  { what: 'deno task start', command: [deno, 'task', '--quiet', 'start'], runtime: 'deno' },
])(
  '$what runs the broker on $runtime and ends it',
  async ({ what, command, runtime }) => {
    const data = join(scratch, what.replaceAll(' ', '-'))
    const broker = await launchBroker([...command, ...serveFlags(data)])
    running.add(broker)
    expect(broker.output).toMatch(new RegExp(`pid ${broker.pid}, ${runtime} \\d`))
    expect(broker.output).toContain(data)
    expect(broker.output.match(/^ {2}curl /gm)?.length).toBe(3)
    await broker.produce('greetings', ['hello'])
    await broker.terminateLauncher()
    running.delete(broker)
    expect(existsSync(join(data, '.kafka_cleanshutdown'))).toBe(true)
  },
  300_000,
)

test('npx millrace takes paths from where it is called, on the Node that npm has', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const cwd = join(root, 'test/golden/datadir')
  const script = join(root, 'scripts/millrace.mjs')
  const { status, stdout, stderr } = spawnSync('node', [script, 'inspect', 'plain-0'], {
    cwd,
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^plain-0 {2}partition\n/)
})
