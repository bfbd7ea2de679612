// Millrace beside a real Kafka on this machine, in turns: `npm run bench:kafka`.
// Both get the same clients: Kafka's ProducerPerformance, and Kafka's consumer with its partitions assigned.
// Arguments: `--rounds N` (default 3), `--records N` per round and case (default 1000000), `--size N` bytes (default 100).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { askApiVersions } from '../test/clients/api-versions.ts'
import { kafkaPort } from '../test/clients/peers.ts'
import { kafkaClasspath, startKafka } from '../test/kafka/kafka.ts'
import { startBrokerProcess } from '../test/process/broker-process.ts'
import { withFolder } from './workspace.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '1000000' },
    size: { type: 'string', default: '100' },
  },
})
const rounds = Number(values.rounds)
const records = Number(values.records)
const recordBytes = Number(values.size)
const source = fileURLToPath(new URL('KafkaPeers.java', import.meta.url))
const ticksPerSecond = 100
const pageBytes = 4096

/** A broker under test. */
interface Contestant {
  readonly name: string
  readonly bootstrap: string
  readonly pid: number
  /** From the start of the process to its first answer. */
  readonly startSeconds: number
  stop(): Promise<unknown>
}

/** What one client did to one broker. */
interface Measurement {
  readonly name: string
  readonly what: string
  readonly recordsPerSecond: number
  /** CPU seconds of the broker's process, for a million records. */
  readonly cpuPerMillion: number
  readonly rssMiB: number
  readonly details: string
}

/** The settings of the compared cases: Kafka's defaults, and what is acknowledged without the disk. */
const producers = [
  { what: 'produce, defaults of Java (acks=all, idempotent)', props: [] },
  {
    what: 'produce, acks=1, lz4, linger 5 ms',
    props: ['acks=1', 'compression.type=lz4', 'linger.ms=5'],
  },
]

/** Kafka as its own start script runs it, but for the heap's upper bound, which is the same gigabyte. */
const kafkaJava = ['-Xmx1G', '-Xms1G', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']

/** Both start in a directory that was formatted before, and is empty of records. */
async function startedKafka(folder: string): Promise<Contestant> {
  const data = join(folder, 'kafka')
  const config = { 'auto.create.topics.enable': 'true', 'num.partitions': '6' }
  await (await startKafka(data, { config })).stop()
  const start = performance.now()
  const kafka = await startKafka(data, { config, java: kafkaJava })
  return await answered('Kafka', kafka.bootstrap, kafka.pid, start, () => kafka.stop())
}

async function startedMillrace(folder: string): Promise<Contestant> {
  const options = { data: join(folder, 'millrace'), settings: { 'num.partitions': '6' } }
  await (await startBrokerProcess(options)).terminate()
  const start = performance.now()
  const broker = await startBrokerProcess(options)
  const bootstrap = `127.0.0.1:${kafkaPort(broker)}`
  return await answered('Millrace', bootstrap, broker.pid, start, () => broker.terminate())
}

async function answered(
  name: string,
  bootstrap: string,
  pid: number,
  start: number,
  stop: () => Promise<unknown>,
): Promise<Contestant> {
  await askApiVersions(bootstrap)
  return { name, bootstrap, pid, startSeconds: (performance.now() - start) / 1000, stop }
}

/** CPU seconds of a process, its threads included, in user and kernel mode. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function rssMiB(pid: number): number {
  const resident = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return (resident * pageBytes) / 1_048_576
}

async function java(...args: readonly string[]): Promise<string> {
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-cp', kafkaClasspath(), source]
  const timeout = 300_000
  const child = spawn('java', [...flags, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout })
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output.text += text
    })
  const [code] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`${args.join(' ')} ended with ${code}: ${output.text.slice(-2000)}`)
  return output.text
}

async function produce(
  broker: Contestant,
  topic: string,
  { what, props }: { what: string; props: readonly string[] },
): Promise<Measurement> {
  const before = cpuSeconds(broker.pid)
  const argv = ['--topic', topic, '--num-records', `${records}`, '--record-size', `${recordBytes}`]
  const properties = [`bootstrap.servers=${broker.bootstrap}`, ...props]
  const output = await java(
    'produce',
    ...argv,
    ...['--throughput', '-1', '--print-metrics', '--producer-props'],
    ...properties,
  )
  const cpu = cpuSeconds(broker.pid) - before
  const summary = output.split('\n').findLast((line) => / 99\.9th/.test(line)) ?? ''
  const metric = (name: string) =>
    Number(new RegExp(`producer-metrics:${name}:\\S*\\s*:\\s*([\\d.]+)`).exec(output)?.[1])
  return {
    name: broker.name,
    what,
    recordsPerSecond: Number(/, ([\d.]+) records\/sec/.exec(summary)?.[1]),
    cpuPerMillion: (cpu / records) * 1e6,
    rssMiB: rssMiB(broker.pid),
    details: `${metric('request-total').toFixed(0)} requests, ${metric('batch-size-avg').toFixed(0)} bytes a batch, p99 ${/(\d+) ms 99th/.exec(summary)?.[1]} ms`,
  }
}

async function consume(broker: Contestant, topic: string): Promise<Measurement> {
  const before = cpuSeconds(broker.pid)
  const output = await java('consume', broker.bootstrap, topic, String(records))
  const [count, seconds] = (/^(\d+) ([\d.]+)$/m.exec(output) ?? []).slice(1).map(Number)
  if (count === undefined || seconds === undefined) throw new Error(`No result: ${output}`)
  return {
    name: broker.name,
    what: 'consume, defaults of Java',
    recordsPerSecond: count / seconds,
    cpuPerMillion: ((cpuSeconds(broker.pid) - before) / count) * 1e6,
    rssMiB: rssMiB(broker.pid),
    details: '',
  }
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

function print(all: readonly Measurement[]): void {
  const groups = Map.groupBy(all, ({ what, name }) => `${what}\t${name}`)
  for (const [key, list] of groups) {
    const [what = '', name = ''] = key.split('\t')
    const of = (pick: (measurement: Measurement) => number) => median(list.map(pick))
    const rate = `${(of((m) => m.recordsPerSecond) / 1e3).toFixed(0)} k records/s`.padStart(18)
    const cpu = `${of((m) => m.cpuPerMillion).toFixed(2)} CPU s/M`.padStart(16)
    const rss = `${of((m) => m.rssMiB).toFixed(0)} MiB`.padStart(10)
    console.log(`${what.padEnd(50)}${name.padEnd(10)}${rate}${cpu}${rss}  ${list.at(-1)?.details}`)
  }
}

console.log(
  `${records} records of ${recordBytes} bytes, ${rounds} rounds in turns, medians; ${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
)
await withFolder(async (folder) => {
  const contestants = [await startedKafka(folder), await startedMillrace(folder)]
  try {
    for (const { name, startSeconds, pid } of contestants)
      console.log(
        `${name}: ${startSeconds.toFixed(2)} s from the start of the process to the first answer, ${rssMiB(pid).toFixed(0)} MiB then`,
      )
    const all: Measurement[] = []
    const add = (measurement: Measurement) => {
      const { name, what, recordsPerSecond } = measurement
      console.log(`  ${name}: ${what}: ${(recordsPerSecond / 1e3).toFixed(0)} k records/s`)
      all.push(measurement)
    }
    for (let round = 0; round < rounds; round++) {
      // Who goes first changes, so that neither always finds the machine warm.
      const turn = round % 2 === 0 ? contestants : contestants.toReversed()
      for (const [number, producer] of producers.entries())
        for (const broker of turn) add(await produce(broker, `bench-${round}-${number}`, producer))
      for (const broker of turn) add(await consume(broker, `bench-${round}-0`))
    }
    print(all)
  } finally {
    await Promise.all(contestants.map((broker) => broker.stop()))
  }
})
