// Micro benches of the functions that every record passes: `npm run bench:micro`.
// Prints each beside what bench/results/micro.json recorded; `--record` writes that file anew. `--only TEXT` takes those
// whose name holds it. Where `perf stat` can count, instructions stand beside the times: they hardly depend on other work.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type MicroCase, microCases } from './micro-cases.ts'
import { withFolder } from './workspace.ts'

/** What is recorded of one function. */
interface Measured {
  readonly name: string
  readonly nanoseconds: number
  /** Of one call, in user mode; null where this machine can't count them. */
  readonly instructions: number | null
}

interface Recorded {
  readonly machine: string
  readonly runtime: string
  readonly cases: readonly Measured[]
}

const { values } = parseArgs({
  options: {
    record: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    /** For the process that is counted: this many calls of the one case, and nothing else. */
    calls: { type: 'string' },
  },
})
const file = fileURLToPath(new URL('results/micro.json', import.meta.url))
const WARM_UP_MS = 60
const SAMPLES = 150
/** Short ones: among many, some meet nothing else that runs. */
const SAMPLE_MS = 1
const COUNTED_CALLS = 20_000

/** The least of several samples: what other work on the machine adds is never negative. */
function nanosecondsOf({ call }: MicroCase): number {
  // Long enough for the best compiler that the runtime has.
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) repeat(call, 50)
  let calls = 1
  for (let tookMs = 0; tookMs < SAMPLE_MS; calls *= 2) tookMs = repeat(call, calls)
  let least = Number.POSITIVE_INFINITY
  for (let sample = 0; sample < SAMPLES; sample++) {
    least = Math.min(least, repeat(call, calls) / calls)
  }
  return least * 1e6
}

let sink = 0
function repeat(call: () => number, calls: number): number {
  const start = performance.now()
  for (let number = 0; number < calls; number++) sink += call()
  return performance.now() - start
}

/** Counts this program with few and with many calls of one case; undefined where nothing can be counted. */
function instructionsOf(name: string): number | undefined {
  const count = (calls: number) => {
    const self = [process.execPath, fileURLToPath(import.meta.url)]
    const argv = [...self, '--only', name, '--calls', String(calls)]
    const perf = spawnSync('perf', ['stat', '-x,', '-e', 'instructions:u', ...argv], {
      encoding: 'utf8',
    })
    const line = perf.stderr.split('\n').find((one) => one.includes('instructions'))
    return perf.status === 0 ? Number.parseInt(line ?? '', 10) : Number.NaN
  }
  const [few, many] = [count(COUNTED_CALLS), count(2 * COUNTED_CALLS)]
  return Number.isNaN(few + many) ? undefined : (many - few) / COUNTED_CALLS
}

function canCount(): boolean {
  const perf = spawnSync('perf', ['stat', '-x,', '-e', 'instructions:u', 'true'], {
    encoding: 'utf8',
  })
  return perf.status === 0 && /^\d/m.test(perf.stderr)
}

function print(measured: Measured, known: Measured | undefined, scale: number): void {
  const time = `${measured.nanoseconds.toFixed(0)} ns`.padStart(12)
  const count = measured.instructions
  const instructions = count === null ? '' : `${count.toFixed(0)} instructions`.padStart(22)
  const ratio = known && (measured.nanoseconds / known.nanoseconds) * scale
  const beside = ratio === undefined ? 'not recorded' : `${ratio.toFixed(2)} × recorded`
  console.log(`${measured.name.padEnd(46)}${time}${instructions}${beside.padStart(20)}`)
}

const runtime = process.versions['bun']
  ? `bun ${process.versions['bun']}`
  : `node ${process.version}`
await withFolder(async (folder) => {
  const { cases, end } = await microCases(folder)
  const wanted = cases.filter(({ name }) => name.includes(values.only))
  if (values.calls !== undefined) {
    for (const { call } of wanted) repeat(call, Number(values.calls))
    await end()
    return
  }
  const recorded: Recorded | undefined = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : undefined
  const isCounting = canCount()
  console.log(
    `${cpus()[0]?.model}, ${runtime}${recorded ? `; recorded on ${recorded.machine}, ${recorded.runtime}` : ''}`,
  )
  if (!isCounting) console.log('This machine counts no instructions (perf stat): times only')
  const measured: Measured[] = []
  let scale = 1
  for (const one of wanted) {
    const nanoseconds = nanosecondsOf(one)
    const instructions = (isCounting ? instructionsOf(one.name) : undefined) ?? null
    const known = recorded?.cases.find(({ name }) => name === one.name)
    const result = { name: one.name, nanoseconds, instructions }
    measured.push(result)
    print(result, known, scale)
    // The first is the same work everywhere: what it takes longer, the machine is slower.
    if (one === cases[0] && known) scale = known.nanoseconds / nanoseconds
  }
  await end()
  if (!values.record) return
  const machine = `${cpus().length} × ${cpus()[0]?.model}`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ machine, runtime, cases: measured }, null, 2)}\n`)
  console.log(`Recorded in bench/results/micro.json`)
})
if (sink === Number.POSITIVE_INFINITY) console.log(sink)
process.exit(0)
