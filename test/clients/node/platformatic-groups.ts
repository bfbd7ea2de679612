// @platformatic/kafka's consumers, of both protocols, and its admin client go through the scenarios of groups. Arguments: BOOTSTRAP and the base time.
import {
  Admin,
  Consumer,
  type MessagesStreamModeValue,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { base, bootstrap, outcomes, patiently, scenario } from './scenario.ts'

const common = {
  clientId: 'groups',
  bootstrapBrokers: [bootstrap],
  retries: 3,
  retryDelay: 50,
  timeout: 30_000,
}
const admin = new Admin(common)
const prefix = 'platformatic-groups-'
const protocols = ['classic', 'consumer'] as const
type Protocol = (typeof protocols)[number]

async function create(name: string, partitions: number): Promise<string> {
  await admin.createTopics({ topics: [prefix + name], partitions, replicas: 1 })
  const all = Array.from({ length: partitions }, (_, partitionIndex) => {
    return { partitionIndex, timestamp: -1n }
  })
  await patiently(() => admin.listOffsets({ topics: [{ name: prefix + name, partitions: all }] }))
  return prefix + name
}

async function fill(topic: string, partitions: number, first: number, count: number) {
  const producer = new Producer({ ...common, serializers: stringSerializers })
  const messages = Array.from({ length: count }, (_, at) =>
    Array.from({ length: partitions }, (_, partition) => ({
      topic,
      partition,
      value: `record ${first + at}`,
      timestamp: BigInt(base + first + at),
    })),
  ).flat()
  await producer.send({ messages, acks: -1 })
  await producer.close()
}

/** A consumer that has begun, what it reads, and the errors it met. */
interface Member {
  readonly consumer: Consumer<string, string, string, string>
  readonly read: string[]
  readonly errors: string[]
  assigned(): number
}

async function member(
  protocol: Protocol,
  groupId: string,
  topics: string[],
  options: { mode?: MessagesStreamModeValue; autocommit?: boolean; instance?: string } = {},
): Promise<Member> {
  const own =
    protocol === 'classic'
      ? { groupProtocol: protocol, sessionTimeout: 10_000, heartbeatInterval: 100 }
      : { groupProtocol: protocol, groupRemoteAssignor: 'uniform' }
  const consumer = new Consumer({
    ...common,
    groupId,
    ...own,
    ...(options.instance === undefined ? {} : { groupInstanceId: options.instance }),
    maxWaitTime: 50,
    deserializers: stringDeserializers,
  })
  const stream = await consumer.consume({
    topics,
    mode: options.mode ?? 'committed',
    fallbackMode: 'earliest',
    autocommit: options.autocommit ?? false,
  })
  const found: Member = {
    consumer,
    read: [],
    errors: [],
    assigned: () =>
      (consumer.assignments ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0),
  }
  stream.on('error', (error: Error) => found.errors.push(error.message))
  stream.on('data', ({ topic, partition, offset, value }) => {
    found.read.push(`${topic} ${partition} ${offset} ${value}`)
  })
  return found
}

async function until(isDone: () => boolean): Promise<boolean> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    if (isDone()) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

const offsets = async (groupId: string) =>
  (await admin.listConsumerGroupOffsets({ groups: [groupId] })).map(({ topics, ...group }) => ({
    ...group,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex),
    })),
  }))

async function share(protocol: Protocol) {
  const topic = await create(`share-${protocol}`, 4)
  const groupId = topic
  await fill(topic, 4, 0, 5)
  const a = await member(protocol, groupId, [topic])
  const hasAll = await until(() => a.read.length === 20)
  const commit = [0, 1, 2, 3].map((partition) => ({
    topic,
    partition,
    offset: 5n,
    leaderEpoch: 0,
  }))
  await a.consumer.commit({ offsets: commit })
  const committed = await offsets(groupId)
  const b = await member(protocol, groupId, [topic])
  const areTwo = await until(() => a.assigned() === 2 && b.assigned() === 2)
  await fill(topic, 4, 5, 2)
  const hasMore = await until(() => new Set([...a.read, ...b.read]).size === 28)
  await b.consumer.close(true)
  const isAlone = await until(() => a.assigned() === 4)
  const lag = await patiently(async () => {
    const found = await a.consumer.getLag({ topics: [topic] })
    // The client knows none while it joins again.
    if ([...found.values()].flat().some((one) => one < 0n)) throw new Error('No lag')
    return found
  })
  await a.consumer.close(true)
  return { hasAll, committed, areTwo, hasMore, isAlone, lag, errors: [...a.errors, ...b.errors] }
}

async function commits(protocol: Protocol) {
  const topic = await create(`commits-${protocol}`, 1)
  await fill(topic, 1, 0, 6)
  const groupId = topic
  const a = await member(protocol, groupId, [topic])
  await until(() => a.read.length === 6)
  const at = (partition: number, offset: bigint) => () =>
    a.consumer.commit({ offsets: [{ topic, partition, offset, leaderEpoch: -1 }] })
  const answers = await outcomes({
    plain: at(0, 2n),
    unknown: at(9, 2n),
    committed: () => a.consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0, 1] }] }),
    all: () => offsets(groupId),
  })
  await a.consumer.close(true)
  const b = await member(protocol, groupId, [topic])
  await until(() => b.read.length === 4)
  await b.consumer.close(true)
  const latest = await member(protocol, groupId, [topic], { mode: 'latest' })
  await until(() => latest.assigned() === 1)
  await latest.consumer.close(true)
  return { answers, read: b.read, latest: latest.read }
}

async function autocommits(protocol: Protocol) {
  const topic = await create(`auto-${protocol}`, 1)
  await fill(topic, 1, 0, 4)
  const a = await member(protocol, topic, [topic], { autocommit: true, instance: 'one' })
  await until(() => a.read.length === 4)
  await new Promise((resolve) => setTimeout(resolve, 300))
  await a.consumer.close(true)
  await fill(topic, 1, 4, 2)
  const b = await member(protocol, topic, [topic], { autocommit: true, instance: 'two' })
  await until(() => b.read.length === 2)
  await b.consumer.close(true)
  return { first: a.read, second: b.read }
}

async function administer(protocol: Protocol) {
  const topic = await create(`admin-${protocol}`, 2)
  await fill(topic, 2, 0, 3)
  const groupId = topic
  const a = await member(protocol, groupId, [topic])
  await until(() => a.read.length === 6)
  await a.consumer.commit({ offsets: [{ topic, partition: 0, offset: 3n, leaderEpoch: 0 }] })
  const described = async () =>
    [...(await admin.describeGroups({ groups: [groupId] })).values()].map(
      ({ members, ...group }) => ({
        ...group,
        members: [...members.values()].map(({ clientId, clientHost, assignments }) => ({
          clientId,
          clientHost,
          size: [...(assignments ?? new Map()).values()].map((one) => one.partitions.length),
        })),
      }),
    )
  const alter = () =>
    admin.alterConsumerGroupOffsets({
      groupId,
      topics: [{ name: topic, partitionOffsets: [{ partition: 1, offset: 2n }] }],
    })
  const forget = () =>
    admin.deleteConsumerGroupOffsets({
      groupId,
      topics: [{ name: topic, partitionIndexes: [0] }],
    })
  const listed = async (types?: string[]) =>
    [...(await admin.listGroups(types === undefined ? {} : { types })).values()]
      .filter(({ id }) => id.startsWith(prefix) && id.includes('admin'))
      .toSorted((x, y) => (x.id < y.id ? -1 : 1))
  const seen = await outcomes({
    listed: () => listed(),
    classic: () => listed(['classic']),
    described,
    altered: alter,
    forgotten: forget,
    deleted: () => admin.deleteGroups({ groups: [groupId] }),
    left: () => a.consumer.close(true),
    empty: described,
    'altered when empty': alter,
    'forgotten when empty': forget,
    offsets: () => offsets(groupId),
    'deleted when empty': () => admin.deleteGroups({ groups: [groupId] }),
    again: () => admin.deleteGroups({ groups: [groupId] }),
    coordinator: async () =>
      (await admin.findCoordinator({ keyType: 0, keys: [groupId] })).map(({ key, nodeId }) => ({
        key,
        nodeId,
      })),
  })
  return seen
}

for (const protocol of protocols) {
  await scenario(`share-${protocol}`, () => share(protocol))
  await scenario(`commits-${protocol}`, () => commits(protocol))
  await scenario(`autocommits-${protocol}`, () => autocommits(protocol))
  await scenario(`admin-${protocol}`, () => administer(protocol))
}
await admin.close()
process.exit(0)
