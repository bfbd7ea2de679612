// kafkajs goes through the scenarios. Arguments: BOOTSTRAP and the base time. Its consumer needs groups, so it fetches by the broker object below it.
import kafkajs, { type CompressionTypes as Compression, type Message } from 'kafkajs'
import { base, bootstrap, outcome, outcomes, scenario, text, time } from './scenario.ts'

const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs

/** What the private parts of kafkajs look like, as far as they are used here. */
interface FetchingBroker {
  fetch(request: unknown): Promise<{
    responses: {
      partitions: {
        errorCode: number
        highWatermark: string
        messages: {
          offset: string
          timestamp: string
          key: Uint8Array | null
          value: Uint8Array | null
          headers: Record<string, Uint8Array | null | (Uint8Array | null)[]>
        }[]
      }[]
    }[]
  }>
}
interface Cluster {
  connect(): Promise<void>
  refreshMetadata(): Promise<void>
  findBroker(options: { nodeId: string }): Promise<FetchingBroker>
  disconnect(): Promise<void>
}

const kafka = new Kafka({
  clientId: 'compatibility',
  brokers: [bootstrap],
  logLevel: logLevel.NOTHING,
  retry: { retries: 7, initialRetryTime: 20 },
})
const admin = kafka.admin()
const prefix = 'kafkajs-'

async function create(topic: string, numPartitions = 1, configs: Record<string, string> = {}) {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic: prefix + topic, numPartitions, configEntries }] })
  return prefix + topic
}

async function withBroker<T>(use: (broker: FetchingBroker) => Promise<T>): Promise<T> {
  const [key] = Object.getOwnPropertySymbols(kafka).filter((symbol) =>
    String(symbol).includes('createCluster'),
  )
  const make = (kafka as unknown as Record<symbol, (options: unknown) => Cluster>)[key as symbol]
  const cluster = make?.call(kafka, {}) as Cluster
  await cluster.connect()
  await cluster.refreshMetadata()
  try {
    return await use(await cluster.findBroker({ nodeId: '1' }))
  } finally {
    await cluster.disconnect()
  }
}

/** One fetch; `limit` is of the partition and of the answer. */
async function read(topic: string, from = 0, limit = 10_000_000): Promise<unknown> {
  const partitions = [{ partition: 0, fetchOffset: String(from), maxBytes: limit }]
  const request = { maxWaitTime: 50, minBytes: 1, maxBytes: limit, isolationLevel: 1, rackId: '' }
  const answer = await withBroker((broker) =>
    broker.fetch({ ...request, topics: [{ topic, partitions }] }),
  )
  return answer.responses.flatMap((response) =>
    response.partitions.map(({ errorCode, highWatermark, messages }) => ({
      errorCode,
      highWatermark,
      messages: messages.map((message) => ({
        offset: message.offset,
        time: time(message.timestamp),
        key: text(message.key),
        value: text(message.value),
        headers: Object.entries(message.headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.map(text) : text(value),
        ]),
      })),
    })),
  )
}

/** Resolves when there is something in the topic. */
async function arrived(topic: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const [bounds] = await admin.fetchTopicOffsets(topic)
    if (bounds?.high !== '0') return
  }
}

const messages = (count: number, name: string): Message[] =>
  Array.from({ length: count }, (_, index) => ({
    key: `key ${index}`,
    value: `${name} ${index}`,
    partition: 0,
    timestamp: String(base + index),
  }))

async function send(
  topic: string,
  list: Message[],
  options: { acks?: number; compression?: Compression; idempotent?: boolean } = {},
): Promise<unknown> {
  const { idempotent = false, ...rest } = options
  const producer = kafka.producer({ idempotent, retry: { retries: 7, initialRetryTime: 20 } })
  await producer.connect()
  try {
    const answer = await producer.send({ topic, messages: list, ...rest })
    return answer.map(({ logAppendTime, ...metadata }) => ({
      ...metadata,
      logAppendTime: logAppendTime === undefined ? null : time(logAppendTime),
    }))
  } finally {
    await producer.disconnect()
  }
}

await admin.connect()

await scenario('cluster', async () => {
  const { brokers, controller, clusterId } = await admin.describeCluster()
  return {
    brokers: brokers.map(({ nodeId, host }) => ({ nodeId, host })),
    controller,
    idLength: clusterId.length,
  }
})

await scenario('create-topics', () => {
  const one = (topic: string, more: object) => () =>
    admin.createTopics({ topics: [{ topic, ...more }] })
  const entries = (name: string, value: string) => ({ configEntries: [{ name, value }] })
  return outcomes({
    plain: one(`${prefix}plain`, { numPartitions: 2, ...entries('retention.ms', '3600000') }),
    again: one(`${prefix}plain`, { numPartitions: 2 }),
    badName: one('no spaces', {}),
    zero: one(`${prefix}zero`, { numPartitions: 0 }),
    wide: one(`${prefix}wide`, { replicationFactor: 3 }),
    badConfig: one(`${prefix}bad`, entries('retention.ms', 'soon')),
    strangeConfig: one(`${prefix}strange`, entries('no.such.config', '1')),
    assigned: one(`${prefix}assigned`, {
      replicaAssignment: [{ partition: 0, replicas: [1] }],
    }),
    names: async () =>
      (await admin.listTopics()).filter((name) => name.startsWith(prefix)).toSorted(),
  })
})

await scenario('describe-topics', () =>
  outcomes({
    plain: async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [`${prefix}plain`] })
      const byId = (a: { partitionId: number }, b: { partitionId: number }) =>
        a.partitionId - b.partitionId
      return topics.map(({ name, partitions }) => ({ name, partitions: partitions.toSorted(byId) }))
    },
    badName: () => admin.fetchTopicMetadata({ topics: ['no spaces'] }),
  }),
)

await scenario('grow-topic', async () => {
  const topic = await create('grown')
  const to = (count: number) => () =>
    admin.createPartitions({ topicPartitions: [{ topic, count }] })
  return await outcomes({ to3: to(3), again: to(3), lower: to(1) })
})

await scenario('describe-configs', () => {
  const of = (name: string, configNames?: string[]) => async () => {
    const resource = { type: ConfigResourceTypes.TOPIC, name, ...(configNames && { configNames }) }
    const answer = await admin.describeConfigs({ resources: [resource], includeSynonyms: true })
    return answer.resources.map(({ errorCode, configEntries }) => ({
      errorCode,
      entries: configEntries.toSorted((a, b) => (a.configName < b.configName ? -1 : 1)),
    }))
  }
  return outcomes({
    plain: of(`${prefix}plain`),
    some: of(`${prefix}plain`, ['retention.ms', 'no.such.config']),
    missing: of(`${prefix}missing`),
  })
})

await scenario('alter-configs', async () => {
  const name = await create('altered', 1, { 'cleanup.policy': 'compact' })
  const type = ConfigResourceTypes.TOPIC
  const alter = (configName: string, value: string) => () =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type, name, configEntries: [{ name: configName, value }] }],
    })
  return await outcomes({
    set: alter('retention.ms', '7200000'),
    bad: alter('retention.ms', 'soon'),
    unknown: alter('no.such.config', '1'),
    after: async () => {
      const resources = [{ type, name, configNames: ['retention.ms', 'cleanup.policy'] }]
      return (await admin.describeConfigs({ resources, includeSynonyms: false })).resources
    },
  })
})

await scenario('produce-defaults', async () => {
  const topic = await create('defaults')
  return {
    first: await send(topic, messages(5, 'first')),
    second: await send(topic, messages(2, 'second')),
    read: await outcome(() => read(topic)),
  }
})

await scenario('produce-idempotent', async () => {
  const topic = await create('idempotent')
  const sent = await send(topic, messages(5, 'idempotent'), { idempotent: true })
  return { sent, read: await outcome(() => read(topic)) }
})

await scenario('produce-codecs', async () => {
  const topic = await create('codecs')
  const list = messages(8, 'gzip '.repeat(30))
  return {
    gzip: await outcome(() => send(topic, list, { compression: CompressionTypes.GZIP })),
    read: await outcome(() => read(topic)),
  }
})

await scenario('produce-acks', async () => {
  const topic = await create('acks')
  const found: Record<string, unknown> = {}
  for (const acks of [0, 1, -1]) {
    found[String(acks)] = await outcome(() => send(topic, messages(2, `acks ${acks}`), { acks }))
    // The next producer has a connection of its own, which could overtake records that nobody answers for.
    if (acks === 0) await arrived(topic)
  }
  const strict = await create('acks-two', 1, { 'min.insync.replicas': '2' })
  found['two in-sync replicas wanted'] = await outcome(() => send(strict, messages(1, 'two')))
  return { found, read: await outcome(() => read(topic)) }
})

await scenario('headers-and-nulls', async () => {
  const topic = await create('headers')
  const at = { partition: 0, timestamp: String(base) }
  const sent = await send(topic, [
    { ...at, key: 'key', value: 'value', headers: { a: ['1', '2'], größe: 'ü', empty: '' } },
    { ...at, key: null, value: 'no key' },
    { ...at, key: 'no value', value: null },
    { ...at, key: null, value: null },
    { ...at, key: '', value: '' },
  ])
  return { sent, read: await outcome(() => read(topic)) }
})

await scenario('large-records', async () => {
  const topic = await create('large')
  const of = (size: number) => () =>
    send(topic, [{ value: 'x'.repeat(size), partition: 0, timestamp: String(base) }])
  return {
    sent: await outcomes({ million: of(1_000_000), second: of(1_000_000), two: of(2_000_000) }),
    read: await outcome(() => read(topic)),
    smallLimit: await outcome(() => read(topic, 0, 1000)),
  }
})

await scenario('timestamps', async () => {
  const topic = await create('append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
  return {
    sent: await send(topic, messages(2, 'appended')),
    read: await outcome(() => read(topic)),
  }
})

await scenario('offsets-by-time', async () => {
  const topic = await create('by-time')
  for (const minute of [10, 5, 30, 20]) {
    const timestamp = String(base - 3_600_000 + minute * 60_000)
    await send(topic, [{ value: `minute ${minute}`, partition: 0, timestamp }])
  }
  const at = (minute: number) => () =>
    admin.fetchTopicOffsetsByTimestamp(topic, base - 3_600_000 + minute * 60_000)
  return await outcomes({
    bounds: () => admin.fetchTopicOffsets(topic),
    ...Object.fromEntries(
      [0, 5, 6, 10, 11, 20, 30, 31].map((minute) => [`at${minute}`, at(minute)]),
    ),
    missing: () => admin.fetchTopicOffsets(`${prefix}no-such-topic`),
  })
})

await scenario('consume', async () => {
  const topic = await create('consumed')
  for (let round = 0; round < 4; round++) await send(topic, messages(5, `round ${round}`))
  return await outcomes({
    middle: () => read(topic, 7),
    end: () => read(topic, 20),
    beyond: () => read(topic, 21),
    cut: () => read(topic, 5, 300),
  })
})

await scenario('delete-records', async () => {
  const topic = await create('deleted-records')
  await send(topic, messages(10, 'record'))
  const before = (offset: string) => () =>
    admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
  return await outcomes({
    four: before('4'),
    afterwards: () => admin.fetchTopicOffsets(topic),
    beyond: before('11'),
    all: before('-1'),
    empty: () => admin.fetchTopicOffsets(topic),
    deleted: () => read(topic, 2),
  })
})

await scenario('unknown-topics', () =>
  outcomes({
    made: () => send(`${prefix}made`, messages(1, 'first')),
    badName: () => send('no spaces', messages(1, 'first')),
  }),
)

await scenario('reassignments', () =>
  outcomes({
    list: () => admin.listPartitionReassignments({}),
    same: () =>
      admin.alterPartitionReassignments({
        topics: [
          { topic: `${prefix}plain`, partitionAssignment: [{ partition: 0, replicas: [1] }] },
        ],
      }),
    nobody: () =>
      admin.alterPartitionReassignments({
        topics: [
          { topic: `${prefix}plain`, partitionAssignment: [{ partition: 0, replicas: [99] }] },
        ],
      }),
  }),
)

await scenario('delete-topics', async () => {
  const topic = await create('short-lived')
  await send(topic, messages(3, 'first life'))
  return await outcomes({
    delete: () => admin.deleteTopics({ topics: [topic] }),
    again: () => admin.deleteTopics({ topics: [topic] }),
    created: () => create('short-lived', 1),
    sent: () => send(topic, messages(1, 'second life')),
    read: () => read(topic),
  })
})

await admin.disconnect()
process.exit(0)
