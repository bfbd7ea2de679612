// The cases that start brokers and write to them.
import { cpu, define, durable, own, rate, ratio, raw, two } from './case.ts'
import { type Load, sides } from './load.ts'

/** Batches as large on both sides, within a tenth. */
const sameBatches = [ratio('batchBytes', '<=', 1.1), ratio('batchBytes', '>=', 0.9)]

const produce = 'Produce, Kafka’s ProducerPerformance'
const large = ['batch.size=131072']
const acks1 = ['acks=1', 'enable.idempotence=false']

function java(records: number, bytes: number, props: readonly string[], pace?: number): Load {
  return {
    tool: 'java-produce',
    records,
    bytes,
    props,
    ...(pace === undefined ? {} : { rate: pace }),
  }
}

/** Starting, and doing nothing. */
export const startCases = [
  define(
    'Start and idle',
    'start',
    'From the start of the process to the first answered Metadata; then nobody asks',
    { tool: 'start', idleSeconds: 8 },
    {
      targets: [
        ratio('startMs', '<=', 1 / 20),
        ratio('idleRssMib', '<=', 1 / 6),
        own('idleCpuPercent', 0.5),
      ],
    },
  ),
]

/** Kafka’s own producers. */
export const javaProduceCases = [
  define(produce, 'java-100b', '100 B, acks=1, as fast as it goes', java(1_500_000, 100, acks1), {
    targets: [cpu(0.6), rate(1), ratio('anonMib', '<=', 1 / 4)],
  }),
  define(
    produce,
    'java-100b-large',
    '100 B, acks=1, batches of up to 128 KiB',
    java(1_500_000, 100, [...acks1, ...large]),
    {
      targets: [cpu(0.6), rate(1)],
    },
  ),
  define(produce, 'java-1k', '1 KB, acks=1', java(300_000, 1024, acks1), {
    targets: [cpu(0.6), rate(1)],
  }),
  define(
    produce,
    'java-1k-large',
    '1 KB, acks=1, batches of up to 128 KiB',
    java(300_000, 1024, [...acks1, ...large]),
    {
      targets: [cpu(0.6), rate(1)],
    },
  ),
  define(
    produce,
    'java-defaults',
    '100 B, all settings Java’s defaults (acks=all, idempotent, linger 5 ms)',
    java(1_500_000, 100, []),
    {
      sides: [sides.kafka, sides.millrace, sides.millraceFsync],
      targets: [cpu(0.6), rate(1), ratio('anonMib', '<=', 1 / 4)],
    },
  ),
  define(
    produce,
    'java-fixed-100b',
    '100 B at 100,000 records/s, acks=1, full batches of 16 KiB',
    java(500_000, 100, [...acks1, 'linger.ms=50'], 100_000),
    {
      targets: [cpu(0.6), ...sameBatches],
    },
  ),
  define(
    produce,
    'java-fixed-1k',
    '1 KB at 30,000 records/s, acks=1, full batches of 128 KiB',
    java(150_000, 1024, [...acks1, ...large, 'linger.ms=50'], 30_000),
    {
      targets: [cpu(0.6), ...sameBatches],
    },
  ),
]

/** Every combination that the core has not, one case each. */
export const javaMatrix = [100, 1024].flatMap((bytes) =>
  [[], large].flatMap((batch) =>
    ['none', 'lz4', 'zstd'].flatMap((compression) =>
      (
        [
          ['acks1', '1', false, two],
          ['all', 'all', false, two],
          ['all-idempotent', 'all', true, two],
          ['durable', 'all', false, durable],
        ] as const
      ).map(([word, acks, isIdempotent, who]) => {
        const props = [
          `acks=${acks}`,
          `enable.idempotence=${isIdempotent}`,
          `compression.type=${compression}`,
          ...batch,
        ]
        const size = batch.length === 0 ? 'default' : 'large'
        const isDurable = word === 'durable'
        const over = isDurable ? { of: 'millrace-fsync', over: 'kafka-flush' } : {}
        return define(
          'Produce, every combination, Kafka’s ProducerPerformance',
          `java-${bytes}b-${size}-${compression}-${word}`,
          `${bytes} B, ${size} batches, ${compression === 'none' ? 'uncompressed' : compression}, acks=${acks}${isIdempotent ? ', idempotent' : ''}${isDurable ? ', on disk' : ''}`,
          java(bytes === 100 ? 1_000_000 : 200_000, bytes, props),
          { isCore: false, sides: who, targets: [rate(1, over)] },
        )
      }),
    ),
  ),
)

const native = 'Produce, native clients'
/** Producers that leave the broker most of the machine. */
export const nativeProduceCases = [
  define(
    native,
    'raw-100b-16k',
    'raw client: 100 B, batches of 16 KiB, acks=1, 3 connections with 5 in flight',
    raw('produce', 6_000_000, { record: 100, batch: 16_384, connections: 3 }),
    {
      targets: [cpu(0.5), rate(1.5), own('stallP99Ms', 20)],
    },
  ),
  define(
    native,
    'raw-1k-128k',
    'raw client: 1 KB, batches of 128 KiB, acks=1, 3 connections with 5 in flight',
    raw('produce', 500_000, { record: 1024, batch: 131_072, connections: 3 }),
    {
      targets: [cpu(0.5), rate(1.5), own('stallP99Ms', 20)],
    },
  ),
  define(
    native,
    'raw-fixed-100b',
    'raw client: 100 B at 400,000 records/s, batches of 16 KiB, acks=1, 3 connections',
    raw('produce', 2_000_000, { record: 100, batch: 16_384, connections: 3, rate: 400_000 }),
    {
      targets: [cpu(0.5), ratio('p99Us', '<=', 1)],
    },
  ),
  define(
    native,
    'raw-1000-partitions',
    'raw client: 1,000 partitions, batches of one record of 100 B, 100 partitions a request, acks=1',
    raw('produce', 400_000, { record: 100, batch: 1, connections: 3, 'per-request': 100 }),
    {
      partitions: 1000,
      targets: [cpu(0.35), rate(1.5)],
    },
  ),
  define(
    native,
    'raw-1000-partitions-single',
    'the same, one partition a request',
    raw('produce', 100_000, { record: 100, batch: 1, connections: 3, 'per-request': 1 }),
    {
      partitions: 1000,
      targets: [cpu(0.35), rate(1.5)],
    },
  ),
  define(
    native,
    'raw-100-partitions',
    'raw client: 100 partitions, batches of one record of 100 B, 100 partitions a request, acks=1',
    raw('produce', 400_000, { record: 100, batch: 1, connections: 3, 'per-request': 100 }),
    {
      isCore: false,
      partitions: 100,
      targets: [cpu(0.35), rate(1.5)],
    },
  ),
  define(
    native,
    'rdkafka-100b',
    'librdkafka: 100 B, acks=1, linger 5 ms',
    { tool: 'rdkafka-produce', records: 2_000_000, bytes: 100, props: ['acks=1'] },
    {
      targets: [cpu(0.6), rate(1.5)],
    },
  ),
  define(
    native,
    'rdkafka-1k',
    'librdkafka: 1 KB, acks=1, linger 5 ms',
    { tool: 'rdkafka-produce', records: 300_000, bytes: 1024, props: ['acks=1'] },
    {
      isCore: false,
      targets: [cpu(0.6), rate(1.5)],
    },
  ),
]

const toDisk = 'Durable on disk'
const overFlush = { of: 'millrace-fsync', over: 'kafka-flush' }
const durableSides = [sides.kafka, sides.kafkaFlush, sides.millraceFsync]
/** Producers that wait for the disk. */
export const durableCases = [
  define(
    toDisk,
    'durable-50',
    'raw client: 50 producers, one partition, batches of ten records of 100 B, acks=all, one in flight each',
    raw('produce', 300_000, { record: 100, batch: 1150, connections: 50, inflight: 1, acks: -1 }),
    {
      sides: durableSides,
      targets: [
        rate(8, overFlush),
        rate(1, { of: 'millrace-fsync', note: 'Kafka without any fsync' }),
        own('stallP99Ms', 20, 'millrace-fsync'),
      ],
    },
  ),
  define(
    toDisk,
    'durable-1',
    'raw client: one producer, the same batches',
    raw('produce', 40_000, { record: 100, batch: 1150, connections: 1, inflight: 1, acks: -1 }),
    {
      sides: durableSides,
      targets: [rate(1, overFlush)],
    },
  ),
  define(
    toDisk,
    'durable-10',
    'raw client: 10 producers, the same batches',
    raw('produce', 100_000, { record: 100, batch: 1150, connections: 10, inflight: 1, acks: -1 }),
    {
      isCore: false,
      sides: durableSides,
      targets: [rate(1, overFlush)],
    },
  ),
  define(
    toDisk,
    'durable-1000-partitions',
    'raw client: 1,000 partitions written at once, 100 a request, acks=all',
    raw('produce', 60_000, { record: 100, batch: 1, connections: 3, 'per-request': 100, acks: -1 }),
    {
      isCore: false,
      partitions: 1000,
      sides: durableSides,
      targets: [rate(1, overFlush)],
    },
  ),
]
