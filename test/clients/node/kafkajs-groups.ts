// kafkajs's consumers, with its own round robin, and its admin client go through the scenarios of groups. Arguments: BOOTSTRAP and the base time.
import kafkajs, { type Consumer, type ConsumerConfig } from 'kafkajs'
import { base, bootstrap, outcome, outcomes, patiently, scenario } from './scenario.ts'

const { AssignerProtocol, Kafka, logLevel } = kafkajs
const kafka = new Kafka({
  clientId: 'groups',
  brokers: [bootstrap],
  logLevel: logLevel.NOTHING,
  retry: { retries: 3, initialRetryTime: 50 },
})
const admin = kafka.admin()
const prefix = 'kafkajs-groups-'

async function create(name: string, numPartitions: number): Promise<string> {
  const topic = prefix + name
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
  await patiently(() => admin.fetchTopicOffsets(topic))
  return topic
}

async function fill(topic: string, partitions: number, first: number, count: number) {
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: count }, (_, at) =>
    Array.from({ length: partitions }, (_, partition) => ({
      partition,
      value: `record ${first + at}`,
      timestamp: String(base + first + at),
    })),
  ).flat()
  await producer.send({ topic, messages })
  await producer.disconnect()
}

/** A consumer that has begun, and what it reads and is told. */
interface Member {
  readonly consumer: Consumer
  readonly read: string[]
  assigned: Record<string, number[]>
  crash: string
  joins: number
}

async function member(
  topics: (string | RegExp)[],
  config: ConsumerConfig,
  options: { autoCommit?: boolean; fromBeginning?: boolean } = {},
): Promise<Member> {
  const consumer = kafka.consumer({
    sessionTimeout: 10_000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 50,
    ...config,
  })
  const state: Member = { consumer, read: [], assigned: {}, crash: '', joins: 0 }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    state.assigned = payload.memberAssignment
    state.joins += 1
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    state.crash = payload.error.name
  })
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: options.fromBeginning ?? true })
  await consumer.run({
    autoCommit: options.autoCommit ?? true,
    eachMessage: ({ topic, partition, message }) => {
      state.read.push(`${topic} ${partition} ${message.offset} ${message.value}`)
      return Promise.resolve()
    },
  })
  return state
}

async function until(isDone: () => boolean): Promise<boolean> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    if (isDone()) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

const count = ({ assigned }: Member) => Object.values(assigned).flat().length
const offsets = async (groupId: string, topics: string[], resolveOffsets = false) =>
  (await admin.fetchOffsets({ groupId, topics, resolveOffsets })).map((topic) => ({
    ...topic,
    partitions: topic.partitions.toSorted((a, b) => a.partition - b.partition),
  }))

async function share() {
  const topic = await create('share', 4)
  const groupId = `${prefix}share`
  await fill(topic, 4, 0, 5)
  const a = await member([topic], { groupId })
  const hasAll = await until(() => a.read.length === 20)
  await a.consumer.stop()
  const committed = await offsets(groupId, [topic])
  const c = await member([topic], { groupId })
  const d = await member([topic], { groupId })
  await until(() => count(c) === 2 && count(d) === 2)
  await fill(topic, 4, 5, 2)
  await until(() => c.read.length + d.read.length === 8)
  const { groups } = await admin.describeGroups([groupId])
  const described = groups.map(({ members, ...group }) => ({
    ...group,
    members: members.map(({ memberId, memberMetadata, memberAssignment, ...rest }) => ({
      ...rest,
      hasId: memberId !== '',
      metadata: AssignerProtocol.MemberMetadata.decode(memberMetadata),
      size: memberAssignment.length,
    })),
  }))
  await d.consumer.disconnect()
  const isAlone = await until(() => count(c) === 4)
  await c.consumer.disconnect()
  await a.consumer.disconnect()
  return { hasAll, committed, described, isAlone, read: [...c.read, ...d.read].toSorted() }
}

async function commits() {
  const topic = await create('commits', 2)
  const groupId = `${prefix}commits`
  await fill(topic, 2, 0, 4)
  const a = await member([topic], { groupId }, { autoCommit: false })
  await until(() => a.read.length === 8)
  const commit = (partition: number, offset: string, metadata?: string | null) => () =>
    a.consumer.commitOffsets([{ topic, partition, offset, metadata: metadata ?? null }])
  const answers = await outcomes({
    plain: commit(0, '2'),
    metadata: commit(1, '3', 'with metadata'),
    long: commit(0, '1', 'm'.repeat(5000)),
    unknown: commit(9, '1'),
  })
  const all = await offsets(groupId, [topic])
  a.consumer.seek({ topic, partition: 0, offset: '1' })
  const isSought = await until(() => a.read.length >= 11)
  await a.consumer.disconnect()
  const b = await member([topic], { groupId })
  await until(() => b.read.length === 3)
  await b.consumer.disconnect()
  return { answers, all, isSought, read: b.read.toSorted() }
}

async function patterns() {
  const topics = [await create('pattern-a', 1), await create('pattern-b', 2)]
  for (const topic of topics) await fill(topic, 1, 0, 2)
  const a = await member([/^kafkajs-groups-pattern-.*/], { groupId: `${prefix}patterns` })
  await until(() => a.read.length === 4)
  await a.consumer.disconnect()
  return { assigned: a.assigned, read: a.read.toSorted() }
}

async function resets() {
  const topic = await create('resets', 1)
  await fill(topic, 1, 0, 3)
  const latest = await member([topic], { groupId: `${prefix}resets` }, { fromBeginning: false })
  await until(() => count(latest) === 1)
  await new Promise((resolve) => setTimeout(resolve, 300))
  await fill(topic, 1, 3, 1)
  const isRead = await until(() => latest.read.length > 0)
  await latest.consumer.disconnect()
  return { isRead, first: latest.read[0] }
}

async function administer() {
  const topic = await create('admin', 2)
  await fill(topic, 2, 0, 6)
  const groupId = `${prefix}admin`
  const partitions = [0, 1].map((partition) => ({ partition, offset: String(partition + 2) }))
  const a = { current: undefined as Member | undefined }
  const answers = await outcomes({
    'nothing yet': () => offsets(groupId, [topic]),
    set: () => admin.setOffsets({ groupId, topic, partitions }),
    'as set': () => offsets(groupId, [topic]),
    resolved: () => offsets(groupId, [topic], true),
    'a member': async () => {
      a.current = await member([topic], { groupId })
      return await until(() => a.current?.read.length === 7)
    },
    'set with a member': () => admin.setOffsets({ groupId, topic, partitions }),
    'deleted with a member': () => admin.deleteGroups([groupId]),
    listed: async () =>
      (await admin.listGroups()).groups.filter((group) => group.groupId === groupId),
    left: async () => await a.current?.consumer.disconnect(),
    described: async () => await admin.describeGroups([groupId, `${prefix}nobody`]),
    deleted: () => admin.deleteGroups([groupId]),
    'deleted again': () => admin.deleteGroups([groupId]),
    'all offsets': () => offsets(groupId, []),
  })
  return answers
}

async function refused() {
  const topic = await create('refused', 1)
  return await outcomes({
    'short session': async () => {
      const groupId = `${prefix}refused`
      const a = await member([topic], { groupId, sessionTimeout: 50, heartbeatInterval: 10 })
      await until(() => a.crash !== '')
      await a.consumer.disconnect()
      return a.crash
    },
    'no such topic': async () => {
      const a = kafka.consumer({ groupId: `${prefix}nowhere`, allowAutoTopicCreation: false })
      await a.connect()
      return await outcome(async () => {
        await a.subscribe({ topics: [`${prefix}nowhere`] })
        await a.disconnect()
      })
    },
  })
}

await admin.connect()
// This one waits most of its time: kafkajs sets offsets by fetching from there.
const administered = administer()
await scenario('share', share)
await scenario('commits', commits)
await scenario('patterns', patterns)
await scenario('resets', resets)
await scenario('admin', () => administered)
await scenario('refused', refused)
await admin.disconnect()
process.exit(0)
