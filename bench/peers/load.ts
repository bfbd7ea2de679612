// The loads of the cases, as data.

/** What a client does to a broker. Counts are those of a full run; a trial takes a part of them. */
export type Load =
  /** Kafka's ProducerPerformance. */
  | {
      readonly tool: 'java-produce'
      readonly records: number
      readonly bytes: number
      readonly props: readonly string[]
      /** Records a second; as fast as it goes when left out. */
      readonly rate?: number
    }
  /** Kafka's ConsumerPerformance. */
  | { readonly tool: 'java-consume'; readonly records: number }
  /** Our latency load on Kafka's Java clients, one record in flight. */
  | {
      readonly tool: 'java-latency'
      readonly records: number
      readonly bytes: number
      readonly acks: '1' | 'all'
    }
  /** Kafka's EndToEndLatency, in whole milliseconds. */
  | { readonly tool: 'java-endtoend'; readonly records: number; readonly bytes: number }
  /** The raw client (bench/peers/raw); flags without the dash, `records` among them. */
  | {
      readonly tool: 'raw'
      readonly mode: 'produce' | 'fetch' | 'latency' | 'mixed'
      readonly records: number
      readonly flags: Readonly<Record<string, number>>
    }
  | {
      readonly tool: 'rdkafka-produce'
      readonly records: number
      readonly bytes: number
      readonly props: readonly string[]
    }
  | { readonly tool: 'rdkafka-consume'; readonly records: number }
  | { readonly tool: 'kcat-consume'; readonly records: number }
  /** Starts the broker, and leaves it alone. */
  | { readonly tool: 'start'; readonly idleSeconds: number }

/** Who a side of a case is. */
export interface SideSpec {
  readonly name: string
  readonly title: string
  readonly broker: 'kafka' | 'millrace' | 'disk' | 'bare'
  /** Millrace: whether acks=all waits for the disk. */
  readonly fsync?: boolean
  readonly topicConfig?: Readonly<Record<string, string>>
  /** Millrace: the runtime; Bun when left out. */
  readonly runtime?: 'bun' | 'deno' | 'node'
}

/** The sides that cases are made of. */
export const sides = {
  kafka: { name: 'kafka', title: 'Kafka', broker: 'kafka' },
  /** What Kafka calls durable: an fsync for each append. */
  kafkaFlush: {
    name: 'kafka-flush',
    title: 'Kafka, flush.messages=1',
    broker: 'kafka',
    topicConfig: { 'flush.messages': '1' },
  },
  millrace: {
    name: 'millrace',
    title: 'Millrace, without fsync',
    broker: 'millrace',
    fsync: false,
  },
  millraceFsync: {
    name: 'millrace-fsync',
    title: 'Millrace, acks=all on disk',
    broker: 'millrace',
    fsync: true,
  },
  /** No broker: a bare write and fdatasync of the same size. */
  disk: { name: 'disk', title: 'Bare write and fdatasync', broker: 'disk' },
  /** No broker: a server that sends the bytes of Millrace's own segment from a map. */
  bare: { name: 'bare', title: 'Bare server, the same bytes mapped', broker: 'bare' },
} as const satisfies Record<string, SideSpec>
