// The cases of the comparison with Kafka, as data: who does what to whom, and which figure each is held to.
import { type Load, type SideSpec, sides } from './load.ts'
import type { Target } from './result.ts'

/** One case. */
export interface BenchCase {
  readonly name: string
  readonly title: string
  readonly group: string
  /** Whether it belongs to the set that covers every target in the shortest time. */
  readonly isCore: boolean
  readonly sides: readonly SideSpec[]
  readonly load: Load
  readonly partitions: number
  /** Records that are there before the first round, in partition 0 of a topic of their own; `isCold` drops them from the page cache. */
  readonly old?: { readonly records: number; readonly bytes: number; readonly isCold?: true }
  readonly targets: readonly Target[]
}

const two = [sides.kafka, sides.millrace]
const durable = [sides.kafkaFlush, sides.millraceFsync]

type Rest = Partial<Pick<BenchCase, 'isCore' | 'sides' | 'partitions' | 'old' | 'targets'>>

function define(
  group: string,
  name: string,
  title: string,
  load: Load,
  rest: Rest = {},
): BenchCase {
  return { group, name, title, load, isCore: true, sides: two, partitions: 1, targets: [], ...rest }
}

function ratio(
  metric: string,
  comparison: '<=' | '>=',
  limit: number,
  rest: Partial<Target> = {},
): Target {
  return { metric, of: 'millrace', over: 'kafka', comparison, limit, ...rest }
}
const cpu = (limit: number, rest?: Partial<Target>) => ratio('cpuPerMillion', '<=', limit, rest)
const rate = (limit: number, rest?: Partial<Target>) => ratio('recordsPerSecond', '>=', limit, rest)
const own = (metric: string, limit: number, of = 'millrace'): Target => ({
  metric,
  of,
  comparison: '<=',
  limit,
})
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

const startCases = [
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

const javaProduceCases = [
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
const javaMatrix = [100, 1024].flatMap((bytes) =>
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

const raw = (
  mode: 'produce' | 'fetch' | 'latency' | 'mixed',
  records: number,
  flags: Readonly<Record<string, number>>,
): Load => ({ tool: 'raw', mode, records, flags })

const native = 'Produce, native clients'
const nativeProduceCases = [
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
const durableCases = [
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

const old100 = { records: 3_000_000, bytes: 100 }
const consume = 'Consume'
const consumeCases = [
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
const latencyCases = [
  define(
    endToEnd,
    'latency-raw',
    'raw client: one record of 100 B, acks=all, to a consumer that waits for it',
    raw('latency', 3000, { record: 100, batch: 1, acks: -1 }),
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
    { tool: 'java-latency', records: 3000, bytes: 100, acks: 'all' },
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
    { tool: 'java-endtoend', records: 3000, bytes: 100 },
    {
      isCore: false,
    },
  ),
]

const mixed = 'Reading while producing'
const mixedCases = [
  define(
    mixed,
    'tail',
    'raw clients: 3 tails of 200,000 records/s of 100 B, batches of 4 KiB, acks=1',
    raw('mixed', 800_000, { record: 100, batch: 4096, rate: 200_000, tails: 3 }),
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
    raw('mixed', 500_000, { record: 100, batch: 4096, rate: 100_000, catchups: 10 }),
    {
      old: { records: 3_000_000, bytes: 100 },
      targets: [rate(1), ratio('catchupRecordsPerSecond', '>=', 1), own('stallP99Ms', 20)],
    },
  ),
  define(
    mixed,
    'catch-up-disk',
    'the same, the old records not in the page cache at first',
    raw('mixed', 300_000, { record: 100, batch: 4096, rate: 100_000, catchups: 3 }),
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

/** All cases, in the order of a run. */
export const cases: readonly BenchCase[] = [
  ...startCases,
  ...javaProduceCases,
  ...nativeProduceCases,
  ...durableCases,
  ...consumeCases,
  ...latencyCases,
  ...mixedCases,
  ...javaMatrix,
]

/** The cases of a set, or those that are named; names that there are not are refused. */
export function chosenCases(set: string, only: readonly string[]): readonly BenchCase[] {
  const unknown = only.filter((name) => !cases.some((one) => one.name === name))
  if (unknown.length > 0)
    throw new Error(
      `No case ${unknown.join(', ')}: there are ${cases.map(({ name }) => name).join(', ')}`,
    )
  if (only.length > 0) return cases.filter(({ name }) => only.includes(name))
  if (set !== 'core' && set !== 'all') throw new Error(`There is no set ${set}: core or all`)
  return set === 'all' ? cases : cases.filter(({ isCore }) => isCore)
}
