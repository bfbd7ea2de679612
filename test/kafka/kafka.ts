// A real Apache Kafka for tests: its jars from Maven Central, a broker on loopback, and DumpLogSegments with an honest verdict.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kafkaClasspath } from './jars.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const isolated = { ...process.env, NODE_OPTIONS: '' }

/**
 * Why real Kafka cannot be used here; undefined when it can. With MILLRACE_REQUIRE_KAFKA=1 (continuous integration) a
 * machine without Java or Maven throws instead, so that no run passes by leaving these tests out unnoticed.
 */
export function kafkaAbsence(): string | undefined {
  if (process.env['MILLRACE_SKIP_KAFKA'] === '1') return 'MILLRACE_SKIP_KAFKA=1'
  const missing = ['java', 'mvn'].filter((name) => spawnSync(name, ['-version']).status !== 0)
  if (missing.length === 0) return undefined
  const reason = `no ${missing.join(' and no ')} on this machine`
  if (process.env['MILLRACE_REQUIRE_KAFKA'] === '1')
    throw new Error(`Real Kafka is required here, but there is ${reason}`)
  return reason
}

/** Runs a Java class of Kafka, or a `.java` source file of ours on Kafka's class path; resolves with its standard output. */
export async function runJava(main: string, ...args: readonly string[]): Promise<string> {
  const argv = [...quickJava('256m'), ...commonFlags('WARN'), main, ...args]
  const child = spawn('java', argv, { env: isolated, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`java ${main} ended with ${code}: ${output.stdout}${output.stderr}`)
  return output.stdout
}

/** A Java program that takes commands, a line each, and answers each with `done COMMAND`. */
export interface JavaProgram {
  /** Resolves when the command is done; rejects with what the program said when it ended instead. */
  tell(command: string): Promise<void>
  kill(): Promise<void>
}

/** Starts a `.java` source file of ours that takes commands on its standard input. */
export function startJava(source: string, ...args: readonly string[]): JavaProgram {
  const argv = [...quickJava('256m'), ...commonFlags('ERROR'), join(folder, source), ...args]
  const child = spawn('java', argv, { env: isolated, stdio: ['pipe', 'pipe', 'pipe'] })
  const output = { text: '', end: '' }
  let waiting: { command: string; resolve: () => void; reject: (error: Error) => void } | undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.text += text
    if (waiting && output.text.includes(`done ${waiting.command}\n`)) {
      output.text = ''
      waiting.resolve()
      waiting = undefined
    }
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.end = (output.end + text).slice(-4000)
  })
  child.on('close', (code) =>
    waiting?.reject(new Error(`${source} ended with ${code} at ${waiting.command}: ${output.end}`)),
  )
  return {
    tell: (command) =>
      new Promise((resolve, reject) => {
        waiting = { command, resolve, reject }
        child.stdin.write(`${command}\n`)
      }),
    kill: () => end(child, 'SIGKILL'),
  }
}

/** Makes topics in a running Kafka, each written as `NAME,PARTITIONS,KEY=VALUE,…`. */
export async function createTopics(kafka: RealKafka, topics: readonly string[]): Promise<void> {
  await runJava(join(folder, 'KafkaClient.java'), kafka.bootstrap, 'create', ...topics)
}

/**
 * Has Kafka's consumer read every partition, and writes what it read into a directory: `TOPIC-N.ISOLATION.jsonl`, a line
 * of offsets and a line per record. `read_committed` only for topics with `transactions` in their name.
 */
export async function readBack(kafka: RealKafka, directory: string): Promise<void> {
  await runJava(join(folder, 'KafkaClient.java'), kafka.bootstrap, 'read', directory)
}

const quickJava = (heap: string): string[] => [
  `-Xmx${heap}`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
]

/** What every program gets behind the flags of its virtual machine. */
function commonFlags(level: string): string[] {
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`
  return [logging, `-Dkafka.level=${level}`, '-cp', kafkaClasspath()]
}

/** A running Kafka: broker and controller in one process. */
export interface RealKafka {
  readonly bootstrap: string
  readonly pid: number
  /** The file that holds what it logged. */
  readonly logFile: string
  /** Clean shutdown; resolves when the process is gone. */
  stop(): Promise<void>
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>
}

/**
 * Starts Kafka on a data directory, which it formats when there is no meta.properties in it. Ports are free ones unless
 * `port` (the controller's is the next) is given. Its configuration and log go beside the directory: `DIR.conf`, `DIR.out`.
 */
export async function startKafka(
  directory: string,
  options: {
    port?: number
    config?: Readonly<Record<string, string>>
    /** What clients are told to connect to instead of the broker's own port. */
    advertisedPort?: number
    /** Flags of the virtual machine; small and quick to start when left out. */
    java?: readonly string[]
    /** How long it may take to start. */
    patienceMs?: number
  } = {},
): Promise<RealKafka> {
  const port = options.port ?? (await freePort())
  const controllerPort = options.port === undefined ? await freePort() : port + 1
  mkdirSync(directory, { recursive: true })
  const meta = join(directory, 'meta.properties')
  const isFormatted = existsSync(meta)
  const nodeId = isFormatted
    ? (/^node\.id=(\d+)$/m.exec(readFileSync(meta, 'utf8'))?.[1] ?? '1')
    : '1'
  const ports = { port, controllerPort, advertisedPort: options.advertisedPort ?? port }
  const config = { ...brokerConfig(directory, nodeId, ports), ...options.config }
  const properties = `${directory}.conf`
  writeFileSync(
    properties,
    Object.entries(config)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  )
  if (!isFormatted)
    await runJava(
      'kafka.tools.StorageTool',
      'format',
      '-c',
      properties,
      '-t',
      clusterId,
      '--standalone',
    )
  const logFile = `${directory}.out`
  const child = await spawnKafka(properties, logFile, {
    java: options.java ?? quickJava('512m'),
    patienceMs: options.patienceMs ?? 90_000,
  })
  return {
    bootstrap: `127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    logFile,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  }
}

/** The cluster id of every directory that `startKafka` formats. */
const clusterId = 'TWlsbHJhY2VHb2xkZW4xMQ'

function brokerConfig(
  directory: string,
  nodeId: string,
  ports: { port: number; controllerPort: number; advertisedPort: number },
) {
  const { port, controllerPort, advertisedPort } = ports
  const controller = `CONTROLLER://127.0.0.1:${controllerPort}`
  const replicated = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, '1']))
  return {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort},${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': directory,
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    // No record of the metadata log that only marks time.
    'metadata.max.idle.interval.ms': '0',
    ...replicated([
      'offsets.topic.replication.factor',
      'offsets.topic.num.partitions',
      'transaction.state.log.replication.factor',
      'transaction.state.log.min.isr',
      'transaction.state.log.num.partitions',
      'share.coordinator.state.topic.replication.factor',
      'share.coordinator.state.topic.min.isr',
      'share.coordinator.state.topic.num.partitions',
    ]),
  }
}

async function spawnKafka(
  properties: string,
  logFile: string,
  { java, patienceMs }: { readonly java: readonly string[]; readonly patienceMs: number },
): Promise<ChildProcess> {
  const log = openSync(logFile, 'w')
  const argv = [...java, ...commonFlags('INFO'), 'kafka.Kafka', properties]
  const child = spawn('java', argv, { env: isolated, stdio: ['ignore', log, log] })
  closeSync(log)
  const deadline = performance.now() + patienceMs
  while (!readFileSync(logFile, 'utf8').includes('Kafka Server started')) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL')
      const tail = readFileSync(logFile, 'utf8').split('\n').slice(-30).join('\n')
      throw new Error(`Kafka did not start: ${tail}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/**
 * A TCP port of 127.0.0.1 that was free a moment ago, below those that systems give to connections and to listeners without
 * a port of their own: whoever starts on it seconds later shall find it free.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue
      throw error
    }
    server.close()
    await once(server, 'close')
    return port
  }
}

/** What DumpLogSegments made of a directory. */
export interface DumpReport {
  /** Files that were looked at. */
  readonly fileCount: number
  /** One sentence per complaint; empty when Kafka accepts every file. */
  readonly problems: readonly string[]
  /** What was printed about each file (`topic-0/00000000000000000000.log`): the plain dump, without its heading. */
  readonly output: ReadonlyMap<string, readonly string[]>
}

interface Job {
  readonly file: string
  readonly path: string
  readonly flags: readonly string[]
  readonly isDump: boolean
}

const decoders: Readonly<Record<string, string>> = {
  __consumer_offsets: '--offsets-decoder',
  __transaction_state: '--transaction-log-decoder',
  __share_group_state: '--share-group-state-decoder',
  __cluster_metadata: '--cluster-metadata-decoder',
}

/**
 * Has Kafka's DumpLogSegments look at every file of a data directory, or of one partition directory: logs with
 * `--deep-iteration` (and the decoder of an internal topic), indexes also with `--index-sanity-check` and
 * `--verify-index-only`, transaction indexes and producer snapshots. The tool exits 0 on nearly every corruption, so the
 * verdict is read from its output. It works on a copy, because the tool cuts ragged indexes. Only for cleanly closed
 * directories: the preallocated indexes of a running Kafka fail in its own check too.
 */
export async function dumpLogSegments(directory: string): Promise<DumpReport> {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-dump-'))
  try {
    const jobs = partitionsOf(directory).flatMap((from) => {
      const to = join(scratch, basename(from))
      cpSync(from, to, { recursive: true })
      return jobsOf(to)
    })
    const list = join(scratch, 'jobs')
    const lines = jobs.map((job) => [...job.flags, '--files', job.path].join('\t'))
    writeFileSync(list, lines.map((line) => `${line}\n`).join(''))
    return report(jobs, await runJava(join(folder, 'KafkaTools.java'), list))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function partitionsOf(directory: string): string[] {
  const names = readdirSync(directory).toSorted()
  if (names.some((name) => name.endsWith('.log'))) return [directory]
  return names.map((name) => join(directory, name)).filter((path) => statSync(path).isDirectory())
}

function jobsOf(partition: string): Job[] {
  const decoder = decoders[basename(partition).replace(/-\d+$/, '')]
  const decode = decoder === undefined ? [] : ['--print-data-log', decoder]
  return globSync('*.{log,index,timeindex,txnindex,snapshot,checkpoint}', { cwd: partition })
    .toSorted()
    .flatMap((name): Job[] => {
      const file = `${basename(partition)}/${name}`
      const path = join(partition, name)
      const job = (isDump: boolean, ...flags: string[]) => ({ file, path, flags, isDump })
      if (name.endsWith('.log') || name.endsWith('.checkpoint'))
        return [job(true, '--deep-iteration', ...decode)]
      if (!/\.(time)?index$/.test(name)) return [job(true)]
      return [job(true), job(false, '--index-sanity-check'), job(false, '--verify-index-only')]
    })
}

function report(jobs: readonly Job[], stdout: string): DumpReport {
  const printed: string[][] = jobs.map(() => [])
  let current = -1
  for (const line of stdout.split('\n')) {
    if (/^job \d+$/.test(line)) current += 1
    else if (line !== '') printed[current]?.push(line)
  }
  if (current + 1 !== jobs.length)
    throw new Error(
      `Kafka's tool ended after ${current + 1} of ${jobs.length} jobs: ${stdout.slice(-500)}`,
    )
  const dumpOfLog = (file: string) => {
    const index = jobs.findIndex((job) => job.file === file.replace(/\.timeindex$/, '.log'))
    return printed[index] ?? []
  }
  const problems = jobs.flatMap((job, index) =>
    complaints(withoutEmptyBatches(printed[index] ?? [], dumpOfLog(job.file))).map((text) => {
      const clean = text.replaceAll(job.path, job.file)
      return `${[job.file, ...job.flags].join(' ')}: ${clean}`
    }),
  )
  const output = new Map<string, string[]>()
  for (const [index, job] of jobs.entries())
    if (job.isDump) output.set(job.file, dumpOf(job, printed[index] ?? []))
  return { fileCount: output.size, problems, output }
}

/**
 * A cleaner keeps the last batch of a producer though no record of it is left, and its time in the index. The tool looks
 * for that time in the records, and complains of Kafka's own files too.
 */
function withoutEmptyBatches(lines: readonly string[], log: readonly string[]): readonly string[] {
  const isOfEmptyBatch = (line: string | undefined) => {
    const time = /^err +Index timestamp: (\d+), log timestamp: -1$/.exec(line ?? '')?.[1]
    const sign = ` CreateTime: ${time} `
    return time !== undefined && log.some((one) => one.includes(' count: 0 ') && one.includes(sign))
  }
  const rest = lines.filter((line) => !isOfEmptyBatch(line))
  const isHeading = (line: string) => line.startsWith('err Found timestamp mismatch in')
  return rest.filter((line, index) => {
    return !isHeading(line) || /^err +Index timestamp/.test(rest[index + 1] ?? '')
  })
}

const dumpOf = (job: Job, lines: readonly string[]) =>
  lines
    .filter((line) => line.startsWith('out ') && !line.startsWith('out Dumping '))
    .map((line) => line.slice(4).replace(job.path, job.file))

/** The lines of one run of DumpLogSegments, tagged `out`, `err` or `threw`, that mean that Kafka does not accept the file. */
export function complaints(lines: readonly string[]): string[] {
  const found: string[] = []
  // A heading on standard error says what its indented lines are. Gaps between offsets are legal: compaction leaves
  // them, and a segment may start above 0. Going back is not.
  let isGapList = false
  for (const line of lines) {
    const text = line.slice(4)
    if (line.startsWith('err Non-consecutive offsets in')) isGapList = true
    else if (line.startsWith('err ') && isGapList) {
      const [, before, after] = /(-?\d+) is followed by (-?\d+)/.exec(text) ?? []
      if (before === undefined || after === undefined || BigInt(after) <= BigInt(before))
        found.push(text.trim())
    } else if (line.startsWith('out ')) {
      // A record's line may hold any text in its header keys; only a decoder says "Error at …, skipping".
      const bad = text.startsWith('|')
        ? /Error at .*skipping\./
        : /isvalid: false|^Found \d+ invalid bytes/
      if (bad.test(text)) found.push(text)
    } else found.push(line)
  }
  return found
}
