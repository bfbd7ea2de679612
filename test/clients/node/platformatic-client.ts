// @platformatic/kafka goes through the scenarios. Arguments: BOOTSTRAP and the base time. Its consumer is used without its group: fetches by topic id.
import { randomUUID } from 'node:crypto'
import {
  Admin,
  type CompressionAlgorithmValue,
  Consumer,
  type MessageToProduce,
  Producer,
  stringSerializers,
} from '@platformatic/kafka'
import { base, bootstrap, outcome, outcomes, patiently, scenario, text, time } from './scenario.ts'

const common = {
  clientId: 'compatibility',
  bootstrapBrokers: [bootstrap],
  retries: 1,
  retryDelay: 50,
  timeout: 30_000,
}
const admin = new Admin(common)
const prefix = 'platformatic-'

async function create(topic: string, partitions = 1, configs: Record<string, string> = {}) {
  await admin.createTopics({
    topics: [prefix + topic],
    partitions,
    replicas: 1,
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  })
  await isLed(prefix + topic, partitions)
  return prefix + topic
}

/** Resolves when the broker leads the topic. */
async function isLed(name: string, count: number): Promise<void> {
  const partitions = Array.from({ length: count }, (_, partitionIndex) => {
    return { partitionIndex, timestamp: -1n }
  })
  await patiently(() => admin.listOffsets({ topics: [{ name, partitions }] }))
}

type Message = MessageToProduce<string | null, string | null, string, string>

async function send(
  messages: Message[],
  options: {
    acks?: number
    compression?: CompressionAlgorithmValue
    idempotent?: boolean
    autocreateTopics?: boolean
  } = {},
): Promise<unknown> {
  const producer = new Producer({ ...common, serializers: stringSerializers })
  try {
    return await producer.send({ messages: messages as never, acks: -1, ...options })
  } finally {
    await producer.close()
  }
}

const messages = (topic: string, count: number, name: string): Message[] =>
  Array.from({ length: count }, (_, index) => ({
    topic,
    partition: 0,
    key: `key ${index}`,
    value: `${name} ${index}`,
    timestamp: BigInt(base + index),
  }))

/** One fetch; `limit` is of the partition and of the answer. */
async function read(topic: string, from = 0, limit = 10_000_000): Promise<unknown> {
  const consumer = new Consumer({ ...common, groupId: randomUUID() })
  try {
    const metadata = await consumer.metadata({ topics: [topic], forceUpdate: true })
    const partition = {
      partition: 0,
      currentLeaderEpoch: 0,
      fetchOffset: BigInt(from),
      lastFetchedEpoch: -1,
      partitionMaxBytes: limit,
    }
    const topicId = metadata.topics.get(topic)?.id ?? ''
    const answer = await consumer.fetch({
      node: 1,
      maxWaitTime: 50,
      minBytes: 1,
      maxBytes: limit,
      isolationLevel: 1,
      topics: [{ topicId, partitions: [partition] }],
    })
    return answer.responses.flatMap((response) => response.partitions.map(shownPartition))
  } finally {
    await consumer.close(true)
  }
}

/** Resolves when there is something in the topic. */
async function arrived(topic: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const [partition] = (await read(topic)) as { highWatermark: bigint }[]
    if (partition !== undefined && partition.highWatermark > 0n) return
  }
}

interface FetchedPartition {
  readonly errorCode: number
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly abortedTransactions: unknown
  readonly preferredReadReplica: number
  readonly records?: readonly FetchedBatch[]
}
interface FetchedBatch {
  readonly firstOffset: bigint
  readonly firstTimestamp: bigint
  readonly partitionLeaderEpoch: number
  readonly attributes: number
  readonly records: readonly {
    readonly offsetDelta: number
    readonly timestampDelta: bigint
    readonly key: Uint8Array | null
    readonly value: Uint8Array | null
    readonly headers: readonly (readonly [Uint8Array, Uint8Array])[]
  }[]
}

function shownPartition(partition: unknown) {
  const { records = [], ...fields } = partition as FetchedPartition
  return {
    ...fields,
    batches: records.map((batch) => ({
      firstOffset: batch.firstOffset,
      leaderEpoch: batch.partitionLeaderEpoch,
      attributes: batch.attributes,
      records: batch.records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
        offset: batch.firstOffset + BigInt(offsetDelta),
        time: time(batch.firstTimestamp + timestampDelta),
        key: text(key),
        value: text(value),
        headers: [...headers].map(([name, content]) => [text(name), text(content)]),
      })),
    })),
  }
}

await scenario('cluster', async () => {
  const { brokers, controllerId, id } = await admin.metadata({ topics: [] })
  return {
    brokers: [...brokers].map(([node, { host }]) => [node, host]),
    controllerId,
    id: id.length,
  }
})

await scenario('create-topics', () => {
  const one =
    (topic: string, partitions: number, replicas: number, name?: string, value?: string) =>
    async () => {
      const configs = name === undefined ? [] : [{ name, value: value ?? null }]
      const made = await admin.createTopics({ topics: [topic], partitions, replicas, configs })
      return made.map(({ id, ...rest }) => ({ ...rest, id: id.length }))
    }
  return outcomes({
    plain: one(`${prefix}plain`, 2, 1, 'retention.ms', '3600000'),
    again: one(`${prefix}plain`, 2, 1),
    defaults: one(`${prefix}defaults`, -1, -1),
    badName: one('no spaces', 1, 1),
    zero: one(`${prefix}zero`, 0, 1),
    wide: one(`${prefix}wide`, 1, 3),
    badConfig: one(`${prefix}bad`, 1, 1, 'retention.ms', 'soon'),
    strangeConfig: one(`${prefix}strange`, 1, 1, 'no.such.config', '1'),
    names: async () => {
      await isLed(`${prefix}plain`, 2)
      await isLed(`${prefix}defaults`, 1)
      return (await admin.listTopics()).filter((name) => name.startsWith(prefix)).toSorted()
    },
  })
})

await scenario('describe-topics', () => {
  const of = (topic: string) => async () => {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
    return [...topics].map(([name, { id, ...rest }]) => [
      name,
      id.length,
      { ...rest, lastUpdate: undefined },
    ])
  }
  return outcomes({ plain: of(`${prefix}plain`), badName: of('no spaces') })
})

await scenario('grow-topic', async () => {
  const name = await create('grown')
  const to =
    (count: number, validateOnly = false) =>
    () =>
      admin.createPartitions({ topics: [{ name, count, assignments: [] }], validateOnly })
  return await outcomes({ to3: to(3), again: to(3), lower: to(1), checked: to(9, true) })
})

const resource = (resourceName: string, configurationKeys: string[] | null = null) => ({
  resources: [
    { resourceType: 2 as const, resourceName, configurationKeys: configurationKeys as string[] },
  ],
  includeSynonyms: true,
  includeDocumentation: false,
})

await scenario('describe-configs', () => {
  const of = (name: string, keys?: string[]) => async () =>
    (await admin.describeConfigs(resource(name, keys))).map(({ configs, ...rest }) => ({
      ...rest,
      configs: configs.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    }))
  return outcomes({
    plain: of(`${prefix}plain`),
    some: of(`${prefix}plain`, ['retention.ms', 'no.such.config']),
    missing: of(`${prefix}missing`),
  })
})

/** The source of a config that the topic itself was given. */
const TOPIC_CONFIG = 1

await scenario('alter-configs', async () => {
  const resourceName = await create('altered')
  const one = (name: string, value: string, configOperation: 0 | 1 | 2 | 3) => () =>
    admin.incrementalAlterConfigs({
      resources: [{ resourceType: 2, resourceName, configs: [{ name, value, configOperation }] }],
    })
  const all = (name: string, value: string) => () =>
    admin.alterConfigs({
      resources: [{ resourceType: 2, resourceName, configs: [{ name, value }] }],
    })
  // A Kafka answers what its broker has heard of, which on a busy machine is later than the alteration's own answer.
  const seeWith = (last: string) => () =>
    patiently(async () => {
      const keys = ['retention.ms', 'cleanup.policy', 'segment.ms']
      const [found] = await admin.describeConfigs(resource(resourceName, keys))
      const seen = found?.configs.map(({ name, value, configSource }) => [
        name,
        value,
        configSource,
      ])
      if (!seen?.some(([name, , source]) => name === last && source === TOPIC_CONFIG)) {
        throw new Error(`${last} is not altered yet`)
      }
      return seen
    })
  return await outcomes({
    set: one('retention.ms', '7200000', 0),
    append: one('cleanup.policy', 'compact', 2),
    seen: seeWith('cleanup.policy'),
    subtract: one('cleanup.policy', 'delete', 3),
    bad: one('retention.ms', 'soon', 0),
    badAppend: one('retention.ms', '1', 2),
    unknown: one('no.such.config', '1', 0),
    replaced: all('segment.ms', '90000'),
    seenAfter: seeWith('segment.ms'),
  })
})

await scenario('produce-defaults', async () => {
  const topic = await create('defaults-in')
  return {
    first: await send(messages(topic, 5, 'first')),
    second: await send(messages(topic, 2, 'second')),
    read: await outcome(() => read(topic)),
  }
})

await scenario('produce-idempotent', async () => {
  const topic = await create('idempotent')
  return {
    // The first producer ids of a Kafka take their time.
    sent: await outcome(() =>
      patiently(() => send(messages(topic, 5, 'idempotent'), { idempotent: true })),
    ),
    read: await outcome(() => read(topic)),
  }
})

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  await scenario(`produce-${compression}`, async () => {
    const topic = await create(compression)
    const list = messages(topic, 8, `${compression} `.repeat(30))
    return {
      sent: await outcome(() => send(list, { compression })),
      read: await outcome(() => read(topic)),
    }
  })
}

await scenario('produce-acks', async () => {
  const topic = await create('acks')
  const found: Record<string, unknown> = {}
  for (const acks of [0, 1, -1]) {
    found[`acks ${acks}`] = await outcome(() => send(messages(topic, 2, `acks ${acks}`), { acks }))
    // The next producer has a connection of its own, which could overtake records that nobody answers for.
    if (acks === 0) await arrived(topic)
  }
  return { found, read: await outcome(() => read(topic)) }
})

await scenario('headers-and-nulls', async () => {
  const topic = await create('headers')
  const at = { topic, partition: 0, timestamp: BigInt(base) }
  const sent = await send([
    { ...at, key: 'key', value: 'value', headers: { a: '1', größe: 'ü', empty: '' } },
    { ...at, value: 'no key' } as Message,
    { ...at, key: 'no value', value: null },
    { ...at, key: '', value: '' },
  ])
  return { sent, read: await outcome(() => read(topic)) }
})

await scenario('large-records', async () => {
  const topic = await create('large')
  const of = (size: number) => () =>
    send([{ topic, partition: 0, key: 'k', value: 'x'.repeat(size), timestamp: BigInt(base) }])
  return {
    sent: await outcomes({ million: of(1_000_000), second: of(1_000_000), two: of(2_000_000) }),
    read: await outcome(() => read(topic)),
    smallLimit: await outcome(() => read(topic, 0, 1000)),
  }
})

await scenario('timestamps', async () => {
  const topic = await create('append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
  return {
    sent: await send(messages(topic, 2, 'appended')),
    read: await outcome(() => read(topic)),
  }
})

await scenario('offsets-by-time', async () => {
  const topic = await create('by-time')
  for (const minute of [10, 5, 30, 20]) {
    const timestamp = BigInt(base - 3_600_000 + minute * 60_000)
    await send([{ topic, partition: 0, key: 'k', value: `minute ${minute}`, timestamp }])
  }
  const at = (timestamp: bigint) => async () => {
    const partitions = [{ partitionIndex: 0, timestamp }]
    const found = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
    return found.map(({ name, partitions: list }) => ({
      name,
      partitions: list.map((partition) => ({ ...partition, timestamp: time(partition.timestamp) })),
    }))
  }
  const minutes = [0, 5, 6, 10, 11, 20, 30, 31]
  return await outcomes({
    latest: at(-1n),
    earliest: at(-2n),
    max: at(-3n),
    earliestLocal: at(-4n),
    latestTiered: at(-5n),
    ...Object.fromEntries(
      minutes.map((minute) => [`at${minute}`, at(BigInt(base - 3_600_000 + minute * 60_000))]),
    ),
  })
})

await scenario('consume', async () => {
  const topic = await create('consumed')
  for (let round = 0; round < 4; round++) await send(messages(topic, 5, `round ${round}`))
  return await outcomes({
    middle: () => read(topic, 7),
    end: () => read(topic, 20),
    beyond: () => read(topic, 21),
    cut: () => read(topic, 5, 300),
  })
})

await scenario('delete-records', async () => {
  const topic = await create('deleted-records')
  await send(messages(topic, 10, 'record'))
  const before = (offset: bigint) => () =>
    admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset }] }] })
  return await outcomes({
    four: before(4n),
    beyond: before(11n),
    read: () => read(topic, 4),
    deleted: () => read(topic, 2),
    all: before(-1n),
  })
})

await scenario('log-dirs', async () => {
  const topics = [{ name: `${prefix}gzip`, partitions: [0] }]
  const found = await admin.describeLogDirs({ topics })
  return found.map(({ broker, results }) => ({
    broker,
    results: results.map(({ topics: list }) => list),
  }))
})

await scenario('unknown-topics', () =>
  outcomes({
    made: () =>
      patiently(() => send(messages(`${prefix}made`, 1, 'first'), { autocreateTopics: true })),
    missing: () => send(messages(`${prefix}missing`, 1, 'first'), { autocreateTopics: false }),
    badName: () => send(messages('no spaces', 1, 'first')),
  }),
)

await scenario('delete-topics', async () => {
  const topic = await create('short-lived')
  await send(messages(topic, 3, 'first life'))
  return await outcomes({
    delete: () => admin.deleteTopics({ topics: [topic] }),
    again: () => admin.deleteTopics({ topics: [topic] }),
    created: () => create('short-lived'),
    sent: () => send(messages(topic, 1, 'second life')),
    read: () => read(topic),
  })
})

await admin.close()
process.exit(0)
