// Carries out one load against one broker, and reads what it printed.

import { isInstalled, runProgram } from './child.ts'
import type { JavaLoad } from './java-load.ts'
import type { Load } from './load.ts'
import { type Built, buildRaw, buildRdkafka } from './native-loads.ts'
import type { Metrics } from './result.ts'
import { consumerPerformance, javaLatency, loadLine, producerPerformance } from './tool-output.ts'

/**
 * librdkafka rests for a second when more than `queued.min.messages` wait in it, which a broker that is fast reaches sooner:
 * with the defaults a consumer of 3 M records takes 2 to 5 s, most of it such rests, on whatever broker.
 */
const boundless = ['queued.min.messages=10000000', 'queued.max.messages.kbytes=2097151']

/** Where a load goes. */
export interface Place {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  /** A topic that was filled before. */
  readonly oldTopic: string
}

/** The clients. */
export class Clients {
  readonly java: JavaLoad
  #raw: Built | undefined
  #rdkafka: Built | undefined
  #kcat: Built | undefined

  constructor(java: JavaLoad) {
    this.java = java
  }

  /** Why a load can't be carried out on this machine; undefined when it can. */
  absence(load: Load): string | undefined {
    const built = this.#programOf(load)
    return built !== undefined && 'absence' in built ? built.absence : undefined
  }

  /** Runs `scale` of a load; rejects when it fails or is not done in time. */
  async run(load: Load, place: Place, scale: number): Promise<Metrics> {
    const program = this.#programOf(load)
    if (program !== undefined && 'absence' in program) throw new Error(program.absence)
    const path = program?.path ?? ''
    const { bootstrap, topic } = place
    const deadlineMs = 180_000
    const records = 'records' in load ? String(Math.max(20, Math.round(load.records * scale))) : '0'
    switch (load.tool) {
      case 'java-produce': {
        const { bytes, rate = -1, props } = load
        const size = ['--num-records', records, '--record-size', String(bytes)]
        const pace = ['--throughput', String(rate), '--print-metrics']
        const properties = [`bootstrap.servers=${bootstrap}`, ...props]
        const words = ['produce', '--topic', topic, ...size, ...pace]
        const argv = [...words, '--command-property', ...properties]
        return producerPerformance(await this.java.run(argv, deadlineMs), bytes)
      }
      case 'java-consume': {
        const words = ['consume', '--bootstrap-server', bootstrap, '--topic', topic]
        const argv = [...words, '--num-records', records, '--timeout', '60000', '--print-metrics']
        return consumerPerformance(await this.java.run(argv, deadlineMs))
      }
      case 'java-latency': {
        const { bytes, acks } = load
        const warmup = String(Math.ceil(Number(records) / 4))
        const argv = ['latency', bootstrap, topic, records, acks, String(bytes), warmup]
        return {
          records: Number(records),
          ...javaLatency(await this.java.run(argv, deadlineMs)),
        }
      }
      case 'java-endtoend': {
        const argv = [
          ...['endtoend', '--bootstrap-server', bootstrap, '--topic', topic],
          ...['--num-records', records, '--producer-acks', 'all'],
          ...['--record-size', String(load.bytes)],
        ]
        return endToEnd(await this.java.run(argv, deadlineMs), Number(records))
      }
      case 'raw': {
        const { mode, flags } = load
        const own = mode === 'mixed' ? ['-old-topic', place.oldTopic] : []
        const argv = [mode, '-bootstrap', bootstrap, '-topic', topic, '-records', records, ...own]
        const rest = Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)])
        if (mode !== 'latency') rest.push('-partitions', String(place.partitions))
        const metrics = loadLine(await runProgram(path, [...argv, ...rest], { deadlineMs }))
        if (mode !== 'latency') return metrics
        // One in flight, and a rest between two: how many there were in a second says nothing.
        const { recordsPerSecond, mibPerSecond, bytesPerRequest, ...latencies } = metrics
        return latencies
      }
      case 'rdkafka-produce': {
        const argv = ['produce', bootstrap, topic, records, String(load.bytes), ...load.props]
        return loadLine(await runProgram(path, argv, { deadlineMs }))
      }
      case 'rdkafka-consume':
        return loadLine(
          await runProgram(path, ['consume', bootstrap, topic, records, ...boundless], {
            deadlineMs,
          }),
        )
      case 'kcat-consume': {
        const from = ['-C', '-q', '-b', bootstrap, '-t', topic, '-p', '0', '-o', 'beginning']
        const argv = [...from, ...boundless.flatMap((pair) => ['-X', pair])]
        const start = performance.now()
        await runProgram(path, [...argv, '-c', records], { deadlineMs, isSilent: true })
        const seconds = (performance.now() - start) / 1000
        return { records: Number(records), recordsPerSecond: Number(records) / seconds }
      }
      case 'start':
        throw new Error('A start is no load')
    }
  }

  #programOf(load: Load): Built | undefined {
    switch (load.tool) {
      case 'raw':
        this.#raw ??= buildRaw()
        return this.#raw
      case 'rdkafka-produce':
      case 'rdkafka-consume':
        this.#rdkafka ??= buildRdkafka()
        return this.#rdkafka
      case 'kcat-consume':
        this.#kcat ??= isInstalled('kcat', '-V')
          ? { path: 'kcat' }
          : { absence: 'no kcat on this machine' }
        return this.#kcat
      default:
        return undefined
    }
  }
}

/** `Percentiles: 50th = 1, 99th = 2, 99.9th = 3`, in milliseconds. */
function endToEnd(text: string, records: number): Metrics {
  const found = /50th = (\d+), 99th = (\d+), 99\.9th = (\d+)/.exec(text)
  if (found === null) throw new Error(`No percentiles in: ${text.slice(-300)}`)
  const [p50 = 0, p99 = 0, p999 = 0] = found.slice(1).map(Number)
  return { records, p50Us: p50 * 1000, p99Us: p99 * 1000, p999Us: p999 * 1000 }
}
