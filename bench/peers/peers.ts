// Millrace beside a real Kafka on this machine: `npm run bench:peers`. Prints as it goes, keeps bench/results/, writes docs/benchmarks.md.
// `--set core|rest|all`, or `--only NAME,NAME`; `--rounds N` (3); `--quick` for a trial at a twentieth of the size in one round, or `--scale X`;
// `--runtime bun,deno,node` compares those runtimes with each other; `--out NAME` keeps the result as bench/results/NAME.json;
// `--free-gib N` holds all of the machine's memory but so much meanwhile, and keeps the rest in use (ballast.ts, page-cache.ts).
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaAbsence } from '../../test/kafka/kafka.ts'
import { runtimes as allRuntimes } from '../../test/process/broker-process.ts'
import { withFolder } from '../workspace.ts'
import { acrossRuntimes } from './across-runtimes.ts'
import { holdMemory } from './ballast.ts'
import { serveBare } from './bare-server.ts'
import { Fleet } from './brokers.ts'
import { chosenCases } from './cases.ts'
import { bareSync, bareTouch, bareWrite, bareWriteSynced } from './disk.ts'
import { JavaLoad } from './java-load.ts'
import { judge } from './judge.ts'
import { describeMachine } from './machine.ts'
import { number, resultFile, writePage } from './page.ts'
import { PageCache } from './page-cache.ts'
import { type BenchResult, type CaseResult, type Limit, saveResult } from './result.ts'
import { Clients } from './run-load.ts'
import { Runner } from './runner.ts'

const { values } = parseArgs({
  options: {
    set: { type: 'string', default: 'core' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
    scale: { type: 'string' },
    quick: { type: 'boolean', default: false },
    runtime: { type: 'string', default: 'bun' },
    out: { type: 'string' },
    'free-gib': { type: 'string' },
    // How it starts itself once more, as the limit of a fetch.
    serve: { type: 'string' },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const scale = Number(values.scale ?? (values.quick ? 0.05 : 1))
const only = values.only.split(',').filter(Boolean)
const runtimes = allRuntimes.filter((name) => values.runtime.split(',').includes(name))
if (runtimes.length === 0) throw new Error(`No runtime ${values.runtime}: there are ${allRuntimes}`)
const cases = acrossRuntimes(chosenCases(values.set, only), runtimes)
const isKept = only.length === 0 && !values.quick
const known = runtimes.length > 1 ? 'runtimes' : values.set === 'rest' ? 'peers-rest' : 'peers'
const out = values.out ?? (isKept || runtimes.length > 1 ? known : undefined)
/** What the page calls a result that it shows. */
const titles: Readonly<Record<string, string>> = {
  runtimes: 'The runtimes beside each other',
  'peers-rest': 'Beside Apache Kafka, further cases',
}

/** Once for each round, so that the page can tell how much the disk itself swings. */
async function limitsOf(folder: string, fillCache: () => void): Promise<Limit[]> {
  const mib = Math.max(16, Math.round(256 * Math.min(1, scale)))
  const count = Math.max(50, Math.round(1000 * scale))
  const names: readonly (readonly [string, string])[] = [
    ['write(2) of 16 KiB, not synced', 'MiB/s'],
    ['write(2) of 16 KiB, one fdatasync at the end', 'MiB/s'],
    ['fdatasync of 170 bytes, off the loop, p50', 'µs'],
    ['fdatasync of 170 bytes, off the loop, p99', 'µs'],
    ['a new page of 4 KiB of memory', 'µs'],
  ]
  const all: number[][] = names.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const sync = await bareSync(folder, 170, count)
    fillCache()
    const writes = [bareWrite(folder, mib), bareWriteSynced(folder, mib)]
    const row = [...writes, sync['p50Us'], sync['p99Us'], bareTouch(mib * 4)]
    for (const [index, value] of row.entries()) all[index]?.push(value ?? Number.NaN)
  }
  return names.map(([name, unit], index) => ({ name, unit, values: all[index] ?? [] }))
}

function printed(one: CaseResult): void {
  for (const { target, found, verdict } of judge(one)) {
    const { metric, of, over, comparison, limit } = target
    const what = `${metric} ${over === undefined ? of : `${of} ÷ ${over}`}`
    const range =
      found && `${number(found.median)} (${number(found.lowest)} to ${number(found.highest)})`
    console.log(`  ${verdict.padEnd(12)} ${what}: ${range ?? '–'}, ${comparison} ${number(limit)}`)
  }
}

async function run(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const began = new Date()
  const start = performance.now()
  const machine = describeMachine(folder)
  console.log(
    `${machine.cores} × ${machine.processor}, load ${machine.loadBefore}; ${cases.length} cases, ${rounds} rounds`,
  )
  const free = values['free-gib']
  const ballast = free === undefined ? undefined : await holdMemory(Number(free))
  const fleet = new Fleet(folder)
  const java = new JavaLoad()
  const stop = async () => {
    await Promise.allSettled([fleet.stop(), java.stop()])
    ballast?.letGo()
  }
  const abandon = async (code: number) => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
    process.exit(code)
  }
  process.once('SIGINT', () => void abandon(130))
  process.once('SIGTERM', () => void abandon(143))
  const cache = ballast && new PageCache(join(folder, 'page-cache'), Number(free) * 1024)
  const fillCache = () => void cache?.fill()
  const limits = await limitsOf(folder, fillCache)
  const say = (line: string) => console.log(line)
  const runner = new Runner(fleet, new Clients(java), { rounds, scale, folder, fillCache, say })
  const done: CaseResult[] = []
  try {
    for (const [index, one] of cases.entries()) {
      const minutes = (performance.now() - start) / 60_000
      console.log(
        `\n${index + 1}/${cases.length} ${one.name}: ${one.title} (after ${minutes.toFixed(1)} min)`,
      )
      const result = await runner.run(one)
      ballast?.check()
      printed(result)
      done.push(result)
      keep(done)
    }
  } finally {
    await stop()
    cache?.close()
  }
  function keep(results: readonly CaseResult[]): void {
    if (out === undefined) return
    const result: BenchResult = {
      schema: 1,
      bench: out,
      title: titles[out] ?? 'Beside Apache Kafka',
      command: `npm run bench:peers${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`,
      startedAt: began.toISOString(),
      minutes: (performance.now() - start) / 60_000,
      rounds,
      scale,
      machine,
      limits,
      cases: results,
    }
    saveResult(resultFile(out), result)
    writePage()
  }
  if (out === undefined)
    console.log('\nA part of the table, or a trial: nothing is kept (--out NAME does)')
}

// Kafka's clients are loads even where only Millrace's runtimes are compared.
const absence = kafkaAbsence()
if (values.serve !== undefined) console.log(serveBare(values.serve))
else if (absence !== undefined) {
  console.error(`A real Kafka and its clients are needed: ${absence}`)
  process.exit(1)
} else {
  await withFolder(run)
  process.exit(0)
}
