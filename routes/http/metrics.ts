// `GET /metrics` for Prometheus.
import { Hono } from 'hono'
import type { Broker, BrokerCounters } from '#src/broker/broker.ts'
import { Exposition, type MetricSample } from '#src/metrics/exposition.ts'
import { LoopWatch } from '#src/metrics/loop-watch.ts'
import { processUsage } from '#src/platform/process.ts'
import type { Door, Env } from './door.ts'

const COUNTERS: Readonly<Record<keyof BrokerCounters, readonly [name: string, help: string]>> = {
  producedRecords: ['millrace_produced_records_total', 'Records appended'],
  producedBytes: ['millrace_produced_bytes_total', 'Bytes of batches appended'],
  readRecords: ['millrace_read_records_total', 'Records handed out'],
  readBytes: ['millrace_read_bytes_total', 'Bytes of batches read'],
  failedProduces: ['millrace_failed_produces_total', 'Produce calls that were refused'],
}

type OffsetCounters = Broker['groups']['counters']

const OFFSET_COUNTERS: Readonly<Record<keyof OffsetCounters, readonly [string, string]>> = {
  committed: ['millrace_offsets_committed_total', 'Offsets that groups have committed'],
  expired: ['millrace_offsets_expired_total', 'Committed offsets that have expired'],
  deleted: ['millrace_offsets_deleted_total', 'Committed offsets that were deleted'],
}

/** Prometheus text: the broker's counters and gauges, this door's, and what the process uses. */
export function metricsRoutes(door: Door): Hono<Env> {
  const loop = new LoopWatch(door.clock)
  const exposition = new Exposition(() => [
    ...brokerSamples(door),
    ...doorSamples(door),
    ...processSamples(),
    ...loopSamples(loop),
  ])
  const routes = new Hono<Env>()
  routes.get('/metrics', async (c) => {
    const { text, contentType } = await exposition.render()
    return c.body(text, 200, { 'content-type': contentType })
  })
  return routes
}

function brokerSamples({ broker }: Door): MetricSample[] {
  return [
    ...counted(COUNTERS, broker.counters),
    ...counted(OFFSET_COUNTERS, broker.groups.counters),
    gauge('millrace_ready', 'Whether the broker is ready', broker.isReady() ? 1 : 0),
    ...broker.samples().map((sample) => ({ ...sample, type: 'gauge' as const })),
  ]
}

function counted<Name extends string>(
  names: Readonly<Record<Name, readonly [name: string, help: string]>>,
  counters: Readonly<Record<Name, number>>,
): MetricSample[] {
  return (Object.keys(names) as Name[]).map((counter) => {
    const [name, help] = names[counter]
    return { name, help, type: 'counter', labels: {}, value: counters[counter] }
  })
}

function doorSamples({ counters, streams, consumers }: Door): MetricSample[] {
  const requests = counters.requests().map(({ method, status, count }) => ({
    name: 'millrace_http_requests_total',
    help: 'HTTP requests answered',
    type: 'counter' as const,
    labels: { method, status: String(status) },
    value: count,
  }))
  const open = gauge('millrace_http_streams', 'Tails, waiting reads and uploads', streams.open)
  const instances = gauge('millrace_http_consumers', 'Consumer instances', consumers.count)
  return [...requests, open, instances]
}

function processSamples(): MetricSample[] {
  const usage = processUsage()
  const cpu = gauge('process_cpu_seconds_total', 'User and system CPU time', usage.cpuSeconds)
  return [
    { ...cpu, type: 'counter' },
    gauge('process_resident_memory_bytes', 'Resident memory', usage.residentBytes),
    gauge('process_start_time_seconds', 'Start of the process', usage.startSeconds),
  ]
}

function loopSamples(loop: LoopWatch): MetricSample[] {
  return loop.delays().map(({ le, count }) => ({
    name: 'millrace_event_loop_delays_total',
    help: 'Moments at which the event loop was late by at most so many seconds; counted while somebody scrapes',
    type: 'counter',
    labels: { le },
    value: count,
  }))
}

function gauge(name: string, help: string, value: number): MetricSample {
  return { name, help, type: 'gauge', labels: {}, value }
}
