// The load generator in Go: built when it is needed, asked for one case at a time.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isInstalled, runProgram } from '../peers/child.ts'
import { cpuSeconds, memoryOf, peakMemory } from '../peers/proc.ts'
import type { Metrics } from '../peers/result.ts'
import type { RequestCase, TailCase } from './cases.ts'
import type { Server } from './servers.ts'

const folder = fileURLToPath(new URL('raw', import.meta.url))
const work = fileURLToPath(new URL('../../.work/bench', import.meta.url))
const program = join(work, 'http-load')
const WARM_TAILS = 200
const WARM_EVENTS = 100

/** Builds the generator. Throws a sentence when Go is missing, or does not like it. */
export function buildLoad(): void {
  if (!isInstalled('go', 'version'))
    throw new Error('The load generator is in Go, which is missing')
  mkdirSync(work, { recursive: true })
  const { status, stderr } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`go build failed: ${stderr}`)
}

/** Repeats a request for a while. */
export async function runRequests(
  server: Server,
  load: RequestCase,
  seconds: number,
): Promise<Metrics> {
  if (load.before !== undefined) {
    const before = { ...load, method: 'POST' as const, path: '/topics/bench?acks=1' }
    await post(server, { ...before, body: load.before, expect: ['"error_code":null', 1] }, 0.2)
  }
  const cpu = cpuSeconds(server.pid)
  const [found, memory] = await peakMemory(server.pid, () => post(server, load, seconds))
  const { requests = 0, seconds: took = 0, requestBytes = 0, answerBytes = 0, ...times } = found
  const records = requests * load.records
  const bytesPerRequest = load.method === 'GET' ? answerBytes : requestBytes
  return {
    recordsPerSecond: records / took,
    mibPerSecond: (requests * bytesPerRequest) / took / 2 ** 20,
    cpuPerMillion: ((cpuSeconds(server.pid) - cpu) / records) * 1e6,
    requests,
    bytesPerRequest,
    ...times,
    ...memory,
  }
}

async function post(server: Server, load: RequestCase, seconds: number): Promise<Metrics> {
  const argv = ['post', '-addr', server.address, '-method', load.method, '-path', load.path]
  argv.push('-type', load.media ?? 'application/json', '-seconds', String(seconds))
  argv.push('-connections', String(load.connections))
  argv.push('-expect', load.expect[0], '-count', String(load.expect[1]))
  if (load.body !== undefined) {
    const file = join(work, `http-${load.name}.body`)
    writeFileSync(file, load.body)
    argv.push('-body', file)
  }
  return JSON.parse(await runProgram(program, argv, { deadlineMs: (seconds + 60) * 1000 }))
}

/** Records to many tails, behind a warm-up with fewer; the memory of a tail is what the many cost then. */
export async function runTails(server: Server, load: TailCase, events: number): Promise<Metrics> {
  await tails(server, WARM_TAILS, WARM_EVENTS)
  return await tails(server, load.tails, events)
}

async function tails(server: Server, count: number, events: number): Promise<Metrics> {
  const { address, pid } = server
  const before = memoryOf(pid)
  const child = spawn(
    program,
    [
      ...['sse', '-addr', address, '-tail', '/topics/bench/records'],
      ...['-produce', '/topics/bench?acks=1', '-tails', String(count), '-events', String(events)],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const gone = once(child, 'close')
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000 + events * 200)
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await expectLine(lines, child, 'connected')
    await expectLine(lines, child, 'warm')
    const cpu = cpuSeconds(pid)
    child.stdin.write('\n')
    const { value } = await lines.next()
    if (value === undefined) throw new Error(`The tails ended with ${child.exitCode}`)
    const found: Metrics = JSON.parse(value)
    const received = found['events'] ?? 0
    const after = memoryOf(pid)
    const kibPerTail = ((after.rssMib - before.rssMib) * 1024) / count
    return {
      recordsPerSecond: received / (found['seconds'] ?? 1),
      cpuPerMillion: ((cpuSeconds(pid) - cpu) / received) * 1e6,
      requests: found['requests'] ?? 0,
      bytesPerRequest: found['bytesPerEvent'] ?? 0,
      ...pick(found, 'p50Us', 'p99Us', 'p999Us'),
      ...{ ...after, kibPerTail },
    }
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
    await gone
  }
}

async function expectLine(
  lines: AsyncIterator<string>,
  child: ChildProcess,
  line: string,
): Promise<void> {
  const { value } = await lines.next()
  if (value !== line) throw new Error(`The tails said ${value} instead of ${line}`)
  // It waits for a word between opening, warming up and measuring.
  if (line === 'connected') child.stdin?.write('\n')
}

function pick(from: Metrics, ...names: readonly string[]): Metrics {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? Number.NaN]))
}
