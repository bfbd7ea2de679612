#!/usr/bin/env node
// The executable: command line in, exit code out.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { plainServeRequest } from '#src/cli/serve-request.ts'
import type { CommandWorld, ServeRequest } from '#src/cli/world.ts'
import { recoveryLines } from '#src/partitions/recovery-findings.ts'
import {
  commandArguments,
  environmentVariables,
  exitProcess,
  hasColours,
  isTerminal,
  onTermination,
  processId,
  readInput,
  releaseMemory,
  runtimeName,
  writeError,
  writeOutput,
} from '#src/platform/process.ts'
import { holdSpareDescriptors } from '#storage/base/late-modules.ts'
import { systemClock, systemRandom } from '#storage/base/world.ts'
import { nodeFiles } from '#storage/fs/node-files.ts'
import { BrokerConfig, KafkaError, type RunningBroker, StorageFault, startBroker } from './mod.ts'

/** How long after a start memory is given back: whoever waits for the broker comes first. */
const SETTLED_MS = 1_000

const PACKAGE = fileURLToPath(new URL('package.json', import.meta.url))

/**
 * What `millrace serve` runs: a broker until SIGINT or SIGTERM, then a clean stop. A second signal ends it at once. A broker
 * that can't go on ends too, with exit code 1.
 */
async function serve({ configFile, flags }: ServeRequest): Promise<number> {
  const broker = await start(configFile, flags)
  if (!broker) return 1
  await writeOutput(startText(broker))
  systemClock.after(SETTLED_MS, releaseMemory)
  holdSpareDescriptors()
  const signal = new Promise<string>((resolve) => {
    // One listener for both signals: on Deno one that is added now would hear the signal that is being delivered.
    let isStopping = false
    onTermination((received) => {
      if (isStopping) exitProcess(130)
      isStopping = true
      resolve(received)
    })
    keepAlive()
  })
  const end = await Promise.race([signal, broker.failed])
  if (typeof end !== 'string') {
    await writeError(`error: The broker can't go on: ${describe(end)}\n`)
    await broker.stop()
    return 1
  }
  await writeError(`${end}: stopping\n`)
  await broker.stop()
  await writeError('Stopped cleanly\n')
  return 0
}

async function start(
  configFile: string | undefined,
  flags: Readonly<Record<string, string>>,
): Promise<RunningBroker | undefined> {
  try {
    const environment = environmentVariables()
    const file = configFile === undefined ? {} : { file: readConfig(configFile) }
    const config = BrokerConfig.load({ ...file, environment, flags })
    return await startBroker({ config, onEvent: (line) => void writeError(`${line}\n`) })
  } catch (error) {
    if (!isExpected(error)) throw error
    await writeError(`error: ${describe(error)}\n`)
    return undefined
  }
}

function readConfig(path: string): { path: string; text: string } {
  try {
    return { path, text: readFileSync(path, 'utf8') }
  } catch (cause) {
    throw new KafkaError('INVALID_CONFIG', `The configuration ${path} can't be read`, { cause })
  }
}

/** Whether it is the user's or the machine's doing: a sentence is enough then, without a stack. */
function isExpected(error: unknown): error is Error {
  if (error instanceof KafkaError || error instanceof StorageFault) return true
  return error instanceof Error && error.cause !== undefined
}

function describe(error: Error): string {
  const isOurs = error instanceof KafkaError || error instanceof StorageFault
  return isOurs && error.cause instanceof Error
    ? `${error.message}: ${error.cause.message}`
    : error.message
}

function startText(broker: RunningBroker): string {
  const { url = 'nowhere', kafka = 'nowhere', dataDirectories, recovery } = broker
  const { hadCleanShutdown, logCount, durationMs } = recovery
  const found = recoveryLines(recovery)
    .map((line) => `recovery: ${line}\n`)
    .join('')
  const before = hadCleanShutdown === false ? ' after an unclean stop' : ''
  const logs = logCount === 1 ? '1 log' : `${logCount} logs`
  return `${found}Millrace (pid ${processId()}, ${runtimeName()}) is ready: HTTP on ${url}, Kafka on ${kafka}, data in ${dataDirectories.join(', ')}
${logs} opened in ${durationMs} ms${before}
Try:
  curl -X POST ${url}/topics/greetings -H 'content-type: application/json' -d '{"records":[{"key":"en","value":"hello"}]}'
  curl '${url}/topics/greetings/partitions/0/records?offset=0'
  curl -N '${url}/topics/greetings/records?from=earliest' -H 'accept: text/event-stream'
`
}

/** A broker without sockets has nothing else that keeps the process alive. */
function keepAlive(): void {
  setInterval(() => undefined, 2 ** 30)
}

/** Any command. What only commands need is loaded here, so that a broker does without. */
async function command(args: readonly string[]): Promise<number> {
  const { runCommandLine } = await import('#src/cli/command-line.ts')
  const { diagnose } = await import('#src/partitions/doctor/diagnosis.ts')
  const { rebuildMetadata } = await import('#src/partitions/doctor/rebuild-metadata.ts')
  const { planRebuild } = await import('#src/partitions/doctor/rebuild-plan.ts')
  const interrupted = new AbortController()
  const stop = args[0] === 'serve' ? () => undefined : onTermination(() => interrupted.abort())
  const world: CommandWorld = {
    version: JSON.parse(readFileSync(PACKAGE, 'utf8')).version,
    environment: environmentVariables(),
    input: readInput,
    writeOutput,
    writeError,
    isTerminal,
    hasColours,
    files: nodeFiles,
    clock: systemClock,
    fetch: (request) => fetch(request),
    serve,
    diagnose: (logDirs) => diagnose(nodeFiles, logDirs),
    rebuildMetadata(logDirs, { write }) {
      const plan = planRebuild(nodeFiles, logDirs)
      if (write) rebuildMetadata(nodeFiles, systemRandom, systemClock.now(), plan)
      return plan
    },
    interrupted: interrupted.signal,
  }
  try {
    return await runCommandLine(args, world)
  } finally {
    stop()
  }
}

async function main(): Promise<void> {
  const args = commandArguments()
  const request = plainServeRequest(args)
  exitProcess(await (request === undefined ? command(args) : serve(request)))
}

await main()
