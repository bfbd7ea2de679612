// The cases that read, alone and beside producers.
import { cpu, define, own, rate, ratio, raw, two } from './case.ts'
import { sides } from './load.ts'

const old100 = { records: 3_000_000, bytes: 100 }
const consume = 'Consume'
/** Consumers of what is there. */
export const consumeCases = [
  define(
    consume,
    'consume-java',
    'Kafka’s ConsumerPerformance, 100 B, from the page cache',
    { tool: 'java-consume', records: 3_000_000 },
    {
      old: old100,
      targets: [cpu(0.7), rate(1), ratio('anonMib', '<=', 1 / 4)],
    },
  ),
  define(
    consume,
    'consume-kcat',
    'kcat, 100 B, from the page cache',
    { tool: 'kcat-consume', records: 3_000_000 },
    {
      old: old100,
      targets: [cpu(0.7), rate(1)],
    },
  ),
  define(
    consume,
    'consume-rdkafka',
    'librdkafka, 100 B, from the page cache',
    { tool: 'rdkafka-consume', records: 3_000_000 },
    {
      old: old100,
      targets: [cpu(0.7), rate(1.5)],
    },
  ),
  define(
    consume,
    'fetch-64k',
    'raw client: answers of 64 KiB, 3 connections, from the page cache',
    raw('fetch', 12_000_000, { 'max-bytes': 65_536 }),
    {
      sides: [...two, sides.bare],
      old: old100,
      targets: [
        rate(0.6, { over: 'bare', note: 'the limit of this machine' }),
        cpu(0.7),
        rate(1.5),
      ],
    },
  ),
  define(
    consume,
    'fetch-1m',
    'raw client: answers of 1 MiB, 3 connections, from the page cache',
    raw('fetch', 40_000_000, { 'max-bytes': 1_048_576 }),
    {
      sides: [...two, sides.bare],
      old: old100,
      targets: [rate(0.6, { over: 'bare', note: 'the limit of this machine' }), cpu(1.1), rate(1)],
    },
  ),
  define(
    consume,
    'consume-java-disk',
    'Kafka’s ConsumerPerformance, 1 KB, from the disk',
    { tool: 'java-consume', records: 500_000 },
    {
      isCore: false,
      old: { records: 500_000, bytes: 1024, isCold: true },
      targets: [rate(1)],
    },
  ),
  define(
    consume,
    'fetch-1m-disk',
    'raw client: answers of 1 MiB, one connection, from the disk',
    raw('fetch', 500_000, { 'max-bytes': 1_048_576, connections: 1 }),
    {
      isCore: false,
      old: { records: 500_000, bytes: 1024, isCold: true },
      targets: [rate(1), own('stallP99Ms', 20)],
    },
  ),
]

const endToEnd = 'End-to-end latency, one in flight'
/** One record at a time. */
export const latencyCases = [
  define(
    endToEnd,
    'latency-raw',
    'raw client: one record of 100 B, acks=all, to a consumer that waits for it',
    raw('latency', 10_000, { record: 100, batch: 1, acks: -1 }),
    {
      sides: [sides.kafka, sides.millrace, sides.millraceFsync, sides.disk],
      targets: [
        ratio('p50Us', '<=', 0.5),
        ratio('p99Us', '<=', 0.5),
        {
          metric: 'syncOverBare',
          of: 'millrace-fsync',
          comparison: '<=',
          limit: 1.5,
          note: 'what waiting for the disk adds to an acknowledgement, against a bare fdatasync of the size in the same round',
        },
      ],
    },
  ),
  define(
    endToEnd,
    'latency-java',
    'Kafka’s Java clients: the same',
    { tool: 'java-latency', records: 10_000, bytes: 100, acks: 'all' },
    {
      sides: [sides.kafka, sides.millrace, sides.millraceFsync],
      targets: [
        ratio('p50Us', '<=', 0.5),
        ratio('p99Us', '<=', 0.5),
        ratio('p50Us', '<=', 1, {
          of: 'millrace-fsync',
          note: 'on disk, against Kafka without any fsync',
        }),
      ],
    },
  ),
  define(
    endToEnd,
    'endtoend-tool',
    'Kafka’s EndToEndLatency, in whole milliseconds',
    { tool: 'java-endtoend', records: 10_000, bytes: 100 },
    {
      isCore: false,
    },
  ),
]

const mixed = 'Reading while producing'
/** Readers beside producers. */
export const mixedCases = [
  define(
    mixed,
    'tail',
    'raw clients: 3 tails of 200,000 records/s of 100 B, batches of 4 KiB, acks=1',
    raw('mixed', 800_000, { record: 100, batch: 4096, rate: 200_000, tails: 3, seconds: 8 }),
    {
      targets: [
        cpu(0.6),
        ratio('tailP50Us', '<=', 1),
        ratio('tailP99Us', '<=', 1),
        own('stallP99Ms', 20),
      ],
    },
  ),
  define(
    mixed,
    'catch-up',
    'raw clients: 10 readers of old records at full speed beside 100,000 records/s of 100 B, acks=1',
    raw('mixed', 500_000, { record: 100, batch: 4096, rate: 100_000, catchups: 10, seconds: 8 }),
    {
      old: { records: 3_000_000, bytes: 100 },
      targets: [rate(1), ratio('catchupRecordsPerSecond', '>=', 1), own('stallP99Ms', 20)],
    },
  ),
  define(
    mixed,
    'catch-up-disk',
    'the same, the old records not in the page cache at first',
    raw('mixed', 300_000, { record: 100, batch: 4096, rate: 100_000, catchups: 3, seconds: 8 }),
    {
      isCore: false,
      old: { records: 6_000_000, bytes: 100, isCold: true },
      targets: [own('stallP99Ms', 20)],
    },
  ),
  define(
    mixed,
    'raw-50-producers',
    'raw client: 50 producers, 100 B, batches of 1 KiB, acks=1, one in flight each',
    raw('produce', 1_000_000, { record: 100, batch: 1024, connections: 50, inflight: 1 }),
    {
      isCore: false,
      targets: [cpu(0.6), rate(1.5)],
    },
  ),
]
