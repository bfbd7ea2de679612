// What the bench reads in the output of the loads.
import { expect, test } from 'vitest'
import {
  consumerPerformance,
  javaLatency,
  loadLine,
  loopDelays,
  producerPerformance,
  stalls,
  toolMetric,
} from '../../../bench/peers/tool-output.ts'

const produced = `220000 records sent, 43991.2 records/sec (4.20 MB/sec), 12.3 ms avg latency, 50.0 ms max latency.
500000 records sent, 100000.0 records/sec (9.54 MB/sec), 12.34 ms avg latency, 231.00 ms max latency, 10 ms 50th, 51 ms 95th, 87 ms 99th, 120 ms 99.9th.

Metric Name                                                                  Value
producer-metrics:batch-size-avg:{client-id=perf-producer-client}           : 16250.500
producer-metrics:outgoing-byte-total:{client-id=perf-producer-client}      : 56000000.000
producer-metrics:request-total:{client-id=perf-producer-client}            : 3500.000
producer-node-metrics:request-total:{client-id=perf-producer-client, node-id=node-1} : 3490.000
`

test('producerPerformance() takes the last sums, the client’s requests and its batches', () => {
  expect(producerPerformance(produced, 100)).toEqual({
    records: 500_000,
    recordsPerSecond: 100_000,
    mibPerSecond: 10_000_000 / 1_048_576,
    requests: 3500,
    bytesPerRequest: 16_000,
    batchBytes: 16_250.5,
    p50Us: 10_000,
    p99Us: 87_000,
    p999Us: 120_000,
  })
})

test('producerPerformance() takes the time between the first and last record only from sums', () => {
  expect(() => producerPerformance('org.apache.kafka.common.KafkaException: no', 100)).toThrow(
    'No sums of ProducerPerformance',
  )
})

const consumed = `start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
2026-01-02 03:04:05:000, 2026-01-02 03:04:09:000, 95.3674, 23.8419, 1000000, 250000.0000, 3500, 500, 190.7348, 2000000.0000
consumer-fetch-manager-metrics:bytes-consumed-total:{client-id=c}          : 110000000.000
consumer-fetch-manager-metrics:bytes-consumed-total:{client-id=c, topic=t} : 7.000
consumer-fetch-manager-metrics:fetch-total:{client-id=c}                   : 110.000
`

test('consumerPerformance() leaves out the time that the group took to form', () => {
  expect(consumerPerformance(consumed)).toMatchObject({
    records: 1_000_000,
    recordsPerSecond: 2_000_000,
    mibPerSecond: 95.3674 / 0.5,
    requests: 110,
    bytesPerRequest: 1_000_000,
  })
})

test('consumerPerformance() refuses an output without sums', () => {
  expect(() => consumerPerformance('WARNING: Exiting before')).toThrow('No sums')
})

test('toolMetric() reads what has the fewest tags, and nothing of another name', () => {
  const name = 'consumer-fetch-manager-metrics:bytes-consumed-total'
  expect(toolMetric(consumed, name)).toBe(110_000_000)
  expect(toolMetric(consumed, 'consumer-fetch-manager-metrics:bytes-consumed')).toBeUndefined()
})

test('javaLatency() reads both lines', () => {
  expect(javaLatency('ack 1.5 2 3 4\nend 10 20.25 30 40')).toEqual({
    ...{ p50Us: 10, p99Us: 20.25, p999Us: 30, maxUs: 40 },
    ...{ ackP50Us: 1.5, ackP99Us: 2, ackP999Us: 3 },
  })
})

test('loadLine() computes rates from sums, and keeps the rest as it is', () => {
  const line = '{"records":200,"bytes":4194304,"requests":4,"seconds":2,"p99Us":7,"tailP50Us":8}'
  expect(loadLine(`something before\n${line}\n`)).toEqual({
    ...{ records: 200, seconds: 2, recordsPerSecond: 100, mibPerSecond: 2 },
    ...{ requests: 4, bytesPerRequest: 1_048_576, p99Us: 7, tailP50Us: 8 },
  })
})

test('loadLine() does without requests, as librdkafka does not tell them', () => {
  const line = '{"records":200,"bytes":100,"seconds":2}'
  expect(Object.keys(loadLine(line))).not.toContain('bytesPerRequest')
})

const scrape = (counts: readonly [string, number][]) =>
  counts.map(([le, count]) => `millrace_event_loop_delays_total{le="${le}"} ${count}`).join('\n')

test('stalls() tells the bounds below which 99 % and all delays since the first look lay', () => {
  const before = loopDelays(
    scrape([
      ['0.001', 0],
      ['1', 500],
      ['+Inf', 500],
    ]),
  )
  const after = loopDelays(
    scrape([
      ['0.001', 199],
      ['1', 701],
      ['+Inf', 701],
    ]),
  )
  expect(stalls(before, after)).toEqual({ stallP99Ms: 1, stallMaxMs: 1000 })
})

test('stalls() puts what lies above every bound at one and a half of the highest', () => {
  const after = loopDelays(
    scrape([
      ['0.001', 1],
      ['1', 1],
      ['+Inf', 2],
    ]),
  )
  expect(stalls(new Map(), after)).toEqual({ stallP99Ms: 1500, stallMaxMs: 1500 })
})

test('stalls() says nothing of a broker that tells nothing', () => {
  expect(stalls(loopDelays(''), loopDelays('# HELP\n'))).toEqual({})
})
