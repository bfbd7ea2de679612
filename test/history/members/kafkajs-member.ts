// Consumers and producers of kafkajs, which write their history. The argument is a plan.
import kafkajs, { type EachBatchPayload } from 'kafkajs'
import { HistoryWriter } from '../history.ts'
import { Commits, ending, onEnd, type PlannedMember, plan, produce } from './plan.ts'

const { AssignerProtocol, Kafka, logLevel } = kafkajs
const { bootstrap, topic, group, directory } = plan
const patience = { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 500 }
const client = (name: string, retry = patience) =>
  new Kafka({
    clientId: name,
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    requestTimeout: 10_000,
    retry,
  })

/** Its own assigner under the name that every client knows, so that they can be in one group. */
const roundRobin: kafkajs.PartitionAssigner = ({ cluster }) => ({
  name: 'roundrobin',
  version: 0,
  assign: async ({ members, topics }) => {
    const partitions = topics.flatMap((name) =>
      cluster
        .findTopicPartitionMetadata(name)
        .map(({ partitionId }) => [name, partitionId] as const),
    )
    const ids = members.map(({ memberId }) => memberId).toSorted()
    return await Promise.resolve(
      ids.map((memberId, index) => {
        const assignment: Record<string, number[]> = {}
        for (const [at, [name, partition]] of partitions.entries()) {
          if (at % ids.length !== index) continue
          assignment[name] = [...(assignment[name] ?? []), partition]
        }
        const userData = Buffer.alloc(0)
        const encode = AssignerProtocol.MemberAssignment.encode
        return { memberId, memberAssignment: encode({ version: 0, assignment, userData }) }
      }),
    )
  },
  protocol: ({ topics: names }) => ({
    name: 'roundrobin',
    metadata: AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics: names,
      userData: Buffer.alloc(0),
    }),
  }),
})

async function consume({ name }: PlannedMember): Promise<() => Promise<void>> {
  const history = new HistoryWriter(directory, name)
  const commits = new Commits(history)
  history.write({ op: 'start', group })
  let consumer = await join(name, history, commits, again)
  // What it takes for fatal, such as a coordinator that nobody knows for a moment, is only a reason to begin anew.
  function again(error: Error): void {
    console.error(`${name} begins anew: ${error.message}`)
    const old = consumer
    const rejoin = async () => {
      await old.disconnect().catch(() => undefined)
      if (!ending.isAsked) consumer = await join(name, history, commits, again)
    }
    rejoin().catch(again)
  }
  return async () => {
    await consumer.disconnect()
    history.write({ op: 'close' })
  }
}

async function join(
  name: string,
  history: HistoryWriter,
  commits: Commits,
  onCrash: (error: Error) => void,
): Promise<kafkajs.Consumer> {
  const consumer = client(name).consumer({
    groupId: group,
    partitionAssigners: [roundRobin],
    sessionTimeout: plan.sessionTimeoutMs,
    rebalanceTimeout: plan.sessionTimeoutMs * 2,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 200,
    retry: patience,
  })
  let owned: number[] = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    history.write({ op: 'revoke', partitions: owned })
    owned = payload.memberAssignment[topic] ?? []
    history.write({ op: 'assign', partitions: owned })
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart) return
    history.write({ op: 'revoke', partitions: owned })
    owned = []
    onCrash(payload.error)
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: (payload) => takeBatch(payload, history, commits),
  })
  return consumer
}

async function takeBatch(
  { batch, resolveOffset, commitOffsetsIfNecessary, heartbeat }: EachBatchPayload,
  history: HistoryWriter,
  commits: Commits,
): Promise<void> {
  const { partition, messages } = batch
  const records = messages.map(
    ({ offset, value }) => [Number(offset), value?.toString() ?? ''] as const,
  )
  const last = records.at(-1)
  if (last === undefined) return
  history.write({ op: 'poll', partition, records })
  resolveOffset(String(last[0]))
  if (commits.isDue) {
    const offset = last[0] + 1
    await commits.run([[partition, offset]], () =>
      commitOffsetsIfNecessary({
        topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }],
      }),
    )
  }
  await heartbeat()
}

async function write(name: string): Promise<void> {
  // A client of kafkajs that sends again what it got no answer to may write it twice.
  const producer = client(name, { ...patience, retries: 0 }).producer({
    allowAutoTopicCreation: false,
  })
  const connect = () => producer.connect().catch(() => undefined)
  await connect()
  await produce(name, async (partition, values) => {
    const messages = values.map((value) => ({ partition, value }))
    const [metadata] = await producer.send({ topic, acks: -1, messages })
    return Number(metadata?.baseOffset)
  })
  await producer.disconnect()
}

const writers = plan.producers.map(write)
const consumers = plan.members.map(consume)
onEnd(async () => {
  const closers = await Promise.all(consumers)
  await Promise.all([...closers.map((close) => close()), ...writers])
})
