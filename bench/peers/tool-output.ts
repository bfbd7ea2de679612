// Reads what Kafka's performance tools, our own loads and /metrics print.
import type { Metrics } from './result.ts'

const MIB = 1 << 20

/** The last line of Kafka's ProducerPerformance, and its producer's metrics (`--print-metrics`). */
export function producerPerformance(text: string, recordBytes: number): Metrics {
  const summary =
    /^(\d+) records sent, ([\d.]+) records\/sec \([\d.]+ MB\/sec\).* (\d+) ms 50th, \d+ ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th/m.exec(
      text,
    )
  if (summary === null) throw new Error(`No sums of ProducerPerformance in: ${text.slice(-500)}`)
  const [records, perSecond, p50, p99, p999] = summary.slice(1).map(Number) as number[]
  const metric = (name: string) => toolMetric(text, `producer-metrics:${name}`)
  const [requests, bytes] = [metric('request-total'), metric('outgoing-byte-total')]
  return defined({
    records,
    recordsPerSecond: perSecond,
    mibPerSecond: ((perSecond ?? Number.NaN) * recordBytes) / MIB,
    requests,
    bytesPerRequest: bytes === undefined || requests === undefined ? undefined : bytes / requests,
    batchBytes: metric('batch-size-avg'),
    p50Us: (p50 ?? Number.NaN) * 1000,
    p99Us: (p99 ?? Number.NaN) * 1000,
    p999Us: (p999 ?? Number.NaN) * 1000,
  })
}

/** The line of Kafka's ConsumerPerformance, without the time that its group took to form, and its consumer's metrics. */
export function consumerPerformance(text: string): Metrics {
  const line = text.split('\n').find((one) => /^\d{4}-\d\d-\d\d /.test(one))
  const fields = line?.split(', ').slice(2).map(Number) ?? []
  const [mib, , records, , , milliseconds] = fields
  if (mib === undefined || records === undefined || milliseconds === undefined)
    throw new Error(`No sums of ConsumerPerformance in: ${text.slice(-500)}`)
  const requests = toolMetric(text, 'consumer-fetch-manager-metrics:fetch-total')
  const bytes = toolMetric(text, 'consumer-fetch-manager-metrics:bytes-consumed-total')
  return defined({
    records,
    recordsPerSecond: (records / milliseconds) * 1000,
    mibPerSecond: (mib / milliseconds) * 1000,
    requests,
    bytesPerRequest: bytes === undefined || requests === undefined ? undefined : bytes / requests,
  })
}

/** One of the metrics that Kafka's tools list as `group:name:{tags} : value`: the one with the fewest tags, which is the sum of the others. */
export function toolMetric(text: string, name: string): number | undefined {
  const found = text
    .split('\n')
    .map((line) => /^([^{]*):\{([^}]*)\}\s*:\s*([-\d.Ee]+)\s*$/.exec(line))
    .filter((match) => match?.[1] === name)
    .toSorted((a, b) => (a?.[2]?.length ?? 0) - (b?.[2]?.length ?? 0))
  const value = Number(found[0]?.[3])
  return Number.isNaN(value) ? undefined : value
}

/** The lines `ack P50 P99 P99.9 MAX` and `end …`, in microseconds, of our latency load for Java. */
export function javaLatency(text: string): Metrics {
  const of = (word: string) => {
    const found = new RegExp(`^${word} ([\\d.]+) ([\\d.]+) ([\\d.]+) ([\\d.]+)$`, 'm').exec(text)
    if (found === null) throw new Error(`No line ${word} in: ${text.slice(-500)}`)
    return found.slice(1).map(Number) as [number, number, number, number]
  }
  const [ackP50Us, ackP99Us, ackP999Us] = of('ack')
  const [p50Us, p99Us, p999Us, maxUs] = of('end')
  return { p50Us, p99Us, p999Us, maxUs, ackP50Us, ackP99Us, ackP999Us }
}

/** The line of JSON that our own loads print, with rates computed from its sums. */
export function loadLine(text: string): Metrics {
  const line = text.trim().split('\n').at(-1) ?? ''
  const sums: Record<string, number> = JSON.parse(line)
  const { records, bytes, requests, seconds, ...others } = sums
  if (records === undefined || bytes === undefined || seconds === undefined)
    throw new Error(`No sums in: ${line}`)
  return defined({
    ...others,
    records,
    seconds,
    recordsPerSecond: records / seconds,
    mibPerSecond: bytes / seconds / MIB,
    requests,
    bytesPerRequest: requests === undefined ? undefined : bytes / requests,
  })
}

/** How often the event loop was held up for at most so many milliseconds, by that bound; from the text of /metrics. */
export type Delays = ReadonlyMap<number, number>

/** The delays of the event loop in the text of `GET /metrics`: cumulative counts by their upper bounds in milliseconds. */
export function loopDelays(metrics: string): Delays {
  const lines = metrics.matchAll(
    /^millrace_event_loop_delays_total\{le="([\d.]+|\+Inf)"\} (\d+)$/gm,
  )
  return new Map(
    Array.from(lines, ([, bound, count]) => [
      bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound) * 1000,
      Number(count),
    ]),
  )
}

/** The bounds under which 99 % of the delays between two looks lay, and all of them. */
export function stalls(before: Delays, after: Delays): Metrics {
  const bounds = [...after].toSorted(([a], [b]) => a - b)
  const since = bounds.map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)] as const)
  const total = since.at(-1)?.[1] ?? 0
  if (total === 0) return {}
  const below = (share: number) => since.find(([, count]) => count >= total * share)?.[0]
  // What lies above the highest bound is counted as that and a half again.
  const highest = bounds.filter(([bound]) => Number.isFinite(bound)).at(-1)?.[0] ?? 0
  const finite = (bound: number | undefined) =>
    bound === undefined || !Number.isFinite(bound) ? highest * 1.5 : bound
  return { stallP99Ms: finite(below(0.99)), stallMaxMs: finite(below(1)) }
}

/** Without what is not there. */
function defined(values: Readonly<Record<string, number | undefined>>): Metrics {
  return Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, number] => {
      return pair[1] !== undefined && !Number.isNaN(pair[1])
    }),
  )
}
