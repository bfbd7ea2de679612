// The HTTP door beside the limit of its runtime: `npm run bench:http`. Keeps bench/results/http.json, writes docs/benchmarks.md.
// `--rounds N` (3); `--quick` for a trial in one short round; `--only NAME,NAME`; `--runtime bun,deno,node` (bun) compares
// runtimes as well; `--out NAME` keeps the result as bench/results/NAME.json.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type RuntimeName, runtimeCommand, runtimes } from '../../test/process/broker-process.ts'
import { judge, metricOf } from '../peers/judge.ts'
import { describeMachine } from '../peers/machine.ts'
import { number, resultFile, writePage } from '../peers/page.ts'
import {
  type BenchResult,
  type CaseResult,
  type Metrics,
  type SideResult,
  saveResult,
  type Target,
} from '../peers/result.ts'
import { withFolder } from '../workspace.ts'
import { HTTP_CASES, type HttpCase, TARGETS } from './cases.ts'
import { buildLoad, runRequests, runTails } from './load.ts'
import { type Server, type ServerKind, startServer } from './servers.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    runtime: { type: 'string', default: 'bun' },
    out: { type: 'string' },
    // How it starts itself once more, as the limit.
    limit: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const scale = values.quick ? 0.2 : 1
const only = values.only.split(',').filter(Boolean)
const wanted = values.runtime.split(',')
const chosen = runtimes.filter((name) => wanted.includes(name) && runtimeCommand(name))
const isKept = only.length === 0 && !values.quick
const out = values.out ?? (isKept ? 'http' : undefined)
const SECONDS = 6
const WARM_SECONDS = 3
const EVENTS = 300

interface Side extends ServerKind {
  readonly name: string
  readonly title: string
}

const sides: readonly Side[] = chosen.flatMap((runtime) => [
  { side: 'limit', runtime, name: nameOf('limit', runtime), title: `Hono on ${runtime}` },
  { side: 'millrace', runtime, name: nameOf('millrace', runtime), title: `Millrace on ${runtime}` },
])

/** Bun's sides are the ones that targets name. */
function nameOf(side: ServerKind['side'], runtime: RuntimeName): string {
  return runtime === 'bun' ? side : `${side}-${runtime}`
}

function targetsOf(name: string): readonly Target[] {
  if (!chosen.includes('bun')) return []
  const others = chosen.filter((runtime) => runtime !== 'bun')
  const within2 = others.map((runtime) => ({
    ...{ metric: 'cpuPerMillion', of: nameOf('millrace', runtime), over: 'millrace' },
    ...{ comparison: '<=' as const, limit: 2 },
  }))
  return [...(TARGETS[name] ?? []), ...within2]
}

async function measure(one: HttpCase, server: Server): Promise<Metrics> {
  if (one.kind === 'tails') return await runTails(server, one, Math.round(EVENTS * scale))
  return await runRequests(server, one, SECONDS * scale)
}

async function runCase(one: HttpCase, folder: string): Promise<CaseResult> {
  const results: (SideResult & { rounds: (Metrics | null)[]; failures: string[] })[] = sides.map(
    ({ name, title }) => ({ name, title, rounds: [], failures: [] }),
  )
  const servers = new Map<string, Server>()
  try {
    for (let round = 0; round < rounds; round++) {
      const order = sides.map((_, index) => (index + round) % sides.length)
      for (const index of order) {
        const side = sides[index] as Side
        const result = results[index] as (typeof results)[number]
        try {
          const server = servers.get(side.name) ?? (await begin(one, side, folder))
          servers.set(side.name, server)
          result.rounds[round] = await measure(one, server)
        } catch (error) {
          result.rounds[round] = null
          result.failures.push(error instanceof Error ? error.message : String(error))
        }
        // What tails leave behind must not count as the next ones' memory.
        if (one.kind === 'tails' || result.rounds[round] === null) {
          await servers.get(side.name)?.stop()
          servers.delete(side.name)
        }
      }
    }
  } finally {
    await Promise.allSettled([...servers.values()].map((server) => server.stop()))
  }
  return {
    ...{ name: one.name, title: one.title, group: 'HTTP' },
    ...{ sides: results, targets: targetsOf(one.name) },
  }
}

let started = 0
async function begin(one: HttpCase, side: Side, folder: string): Promise<Server> {
  started += 1
  const server = await startServer(side, join(folder, `${side.name}-${started}`))
  if (one.kind === 'requests') await runRequests(server, one, WARM_SECONDS * scale)
  return server
}

function printed(one: CaseResult): void {
  for (const side of one.sides) {
    const shown = ['recordsPerSecond', 'cpuPerMillion', 'p50Us', 'p99Us', 'rssMib', 'kibPerTail']
    const texts = shown.flatMap((metric) => {
      const found = metricOf(side, metric)
      return found === undefined ? [] : [`${metric} ${number(found.median)}`]
    })
    console.log(
      `  ${side.title.padEnd(18)} ${texts.join(', ')}${side.failures.map((why) => `; ${why}`)}`,
    )
  }
  for (const { target, found, verdict } of judge(one)) {
    const { metric, of, over, comparison, limit } = target
    const what = `${metric} ${over === undefined ? of : `${of} ÷ ${over}`}`
    const median = found === undefined ? '–' : number(found.median)
    console.log(`  ${verdict.padEnd(12)} ${what}: ${median}, ${comparison} ${number(limit)}`)
  }
}

async function run(folder: string): Promise<void> {
  const began = new Date()
  const start = performance.now()
  const machine = describeMachine(folder)
  const cases: CaseResult[] = []
  console.log(`${machine.cores} × ${machine.processor}, load ${machine.loadBefore}`)
  for (const one of HTTP_CASES.filter(({ name }) => only.length === 0 || only.includes(name))) {
    console.log(`\n${one.name}: ${one.title}`)
    const result = await runCase(one, folder)
    printed(result)
    cases.push(result)
  }
  if (out === undefined) {
    console.log('\nA part of the table, or a trial: nothing is kept (--out NAME does)')
    return
  }
  const result: BenchResult = {
    schema: 1,
    bench: 'http',
    title: 'HTTP beside the limit of its runtime',
    command: `npm run bench:http${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`,
    startedAt: began.toISOString(),
    minutes: (performance.now() - start) / 60_000,
    ...{ rounds, scale, machine, limits: [], cases },
  }
  saveResult(resultFile(out), result)
  writePage()
}

if (values.limit) {
  const { serveLimit } = await import('./limit.ts')
  console.log(`pid ${process.pid} http://127.0.0.1:${await serveLimit()}`)
} else {
  buildLoad()
  await withFolder(run)
  process.exit(0)
}
