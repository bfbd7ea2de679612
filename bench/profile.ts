// Where a broker's time goes under a named load: `npm run profile -- CASE [--runtime bun|deno|node] [--seconds N]`.
// Writes a .cpuprofile (for the performance panel of a browser's tools) below `--out`, prints the functions that took most,
// and, where `perf` is installed, how the process's time divides into kernel, native code and compiled JavaScript.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaPort } from '../test/clients/peers.ts'
import {
  launchBroker,
  type RuntimeName,
  runtimeCommand,
  runtimes,
  serveFlags,
} from '../test/process/broker-process.ts'
import { LOAD_CASES } from './load-cases.ts'
import { cpuTimes } from './peers/proc.ts'
import { type CpuProfile, selfTimes } from './self-times.ts'
import { withFolder } from './workspace.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: 'string', default: 'bun' },
    seconds: { type: 'string', default: '6' },
    out: { type: 'string', default: '.work/profiles' },
    top: { type: 'string', default: '30' },
  },
})
const [name = ''] = positionals
const load = LOAD_CASES[name]
const command = runtimeCommand(values.runtime as RuntimeName)
if (!load || !command) {
  console.error(`npm run profile -- CASE [--runtime ${runtimes.join('|')}] [--seconds N]`)
  console.error(`CASE is one of ${Object.keys(LOAD_CASES).join(', ')}`)
  process.exit(2)
}
const seconds = Number(values.seconds)
/** Before the profile's part that counts: compilers and pools have settled. */
const warmUpSeconds = 2

/** Samples the process for the time of the load, where there is `perf`. */
function startPerf(pid: number, file: string): (() => Promise<void>) | undefined {
  if (spawnSync('perf', ['--version']).status !== 0) return undefined
  const argv = ['record', '-e', 'cpu-clock', '-F', '997', '-p', String(pid), '-o', file]
  const perf = spawn('perf', argv, { stdio: 'ignore' })
  return async () => {
    perf.kill('SIGINT')
    await once(perf, 'close')
  }
}

/** Shares of the process's samples by the object that they lie in. */
function printShares(file: string): void {
  const argv = ['report', '-i', file, '--sort', 'dso', '--stdio', '-g', 'none', '-q']
  const { stdout } = spawnSync('perf', argv, { encoding: 'utf8' })
  const lines = stdout.split('\n').filter((line) => /^\s+\d/.test(line))
  console.log('\nKernel, native code, compiled JavaScript (perf, whole process):')
  for (const line of lines.slice(0, 8)) console.log(`  ${line.trim()}`)
  const kernel = ['report', '-i', file, '--sort', 'symbol', '--stdio', '-g', 'none', '-q']
  const symbols = spawnSync('perf', kernel, { encoding: 'utf8' }).stdout.split('\n')
  console.log('\nSymbols (perf):')
  for (const line of symbols.filter((one) => /^\s+\d/.test(one)).slice(0, 16))
    console.log(`  ${line.trim()}`)
}

function printProfile(folder: string): void {
  const file = readdirSync(folder).find((one) => one.endsWith('.cpuprofile'))
  if (file === undefined) {
    console.log('\nThe runtime wrote no profile')
    return
  }
  const path = join(folder, file)
  const profile: CpuProfile = JSON.parse(readFileSync(path, 'utf8'))
  console.log(`\nSelf time of the JavaScript thread, idle left out (${relative('.', path)}):`)
  for (const { share, where, functionName } of selfTimes(profile).slice(0, Number(values.top)))
    console.log(`  ${(100 * share).toFixed(1).padStart(5)} %  ${functionName.padEnd(34)} ${where}`)
}

const stamp = new Date().toISOString().replace(/[:.]/g, '-')
const out = resolve(values.out, `${name}-${values.runtime}-${stamp}`)
mkdirSync(out, { recursive: true })
await withFolder(async (folder) => {
  const [program = '', ...flags] = command
  const profiling = ['--cpu-prof', `--cpu-prof-dir=${out}`]
  const serve = ['main.ts', 'serve', ...serveFlags(folder)]
  const broker = await launchBroker([program, ...flags, ...profiling, ...serve])
  try {
    const run = await load({ kafkaPort: kafkaPort(broker), url: broker.url })
    await run(warmUpSeconds)
    const stopPerf = startPerf(broker.pid, join(out, 'perf.data'))
    const before = cpuTimes(broker.pid)
    const done = await run(seconds)
    const after = cpuTimes(broker.pid)
    await stopPerf?.()
    const user = after.userSeconds - before.userSeconds
    const system = after.systemSeconds - before.systemSeconds
    const million = done.records / 1e6
    console.log(`${name} on ${values.runtime}, ${done.seconds.toFixed(1)} s:`)
    console.log(
      `  ${(done.records / done.seconds).toFixed(0)} records/s, ${(done.requests / done.seconds).toFixed(0)} requests/s`,
    )
    console.log(
      `  CPU s per million records ${((user + system) / million).toFixed(3)}: user ${(user / million).toFixed(3)}, system ${(system / million).toFixed(3)}; ${((1e6 * (user + system)) / done.requests).toFixed(1)} µs a request`,
    )
    if (stopPerf) printShares(join(out, 'perf.data'))
    else console.log('\nThere is no perf here: no shares of kernel and native code')
  } finally {
    await broker.terminate()
  }
  printProfile(out)
  console.log(`\nWritten to ${basename(out)} in ${values.out}`)
  process.exit(0)
})
