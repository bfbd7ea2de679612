// Records anew what real clients say to a real Kafka. Run by hand: `npm run replay:record`. The README says what it needs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Admin, Consumer, Producer, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { kafkaClasspath } from '../kafka/jars.ts'
import { freePort, startKafka } from '../kafka/kafka.ts'
import { type Conversation, SETTINGS, writeConversations } from './conversations.ts'
import { openRecordingProxy } from './recording-proxy.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-record-'))
const proxy = await openRecordingProxy()
const at = `127.0.0.1:${proxy.port}`
const lines = (count: number, text: string) =>
  Array.from({ length: count }, (_, n) => `${text}-${n}\n`).join('')

/** Runs a program with this standard input; a tool that ends itself when nothing more comes may end as it likes. */
async function program(name: string, args: readonly string[], input = ''): Promise<void> {
  const child = spawn(name, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  if (code !== 0)
    console.error(`${name} ${args.join(' ')} ended with ${code}: ${said.slice(0, 600)}`)
}

const kcat = (args: readonly string[], input?: string) =>
  program('kcat', ['-b', at, ...args], input)

function java(main: string, args: readonly string[], input?: string): Promise<void> {
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', kafkaClasspath()]
  return program('java', [...flags, main, '--bootstrap-server', at, ...args], input)
}

const tools = 'org.apache.kafka.tools'
const settings = join(scratch, 'client.properties')
writeFileSync(settings, 'linger.ms=5\n')

async function withKafkaJs(): Promise<void> {
  const { CompressionTypes, Kafka, logLevel } = kafkajs
  const kafka = new Kafka({ clientId: 'kafkajs', brokers: [at], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({
    topics: [{ topic: 'js-topic', numPartitions: 3, replicationFactor: 1 }],
  })
  for (const [idempotent, compression] of [
    [false, CompressionTypes.None],
    [true, CompressionTypes.GZIP],
  ] as const) {
    const producer = kafka.producer({ idempotent, allowAutoTopicCreation: false })
    await producer.connect()
    const messages = Array.from({ length: 6 }, (_, n) => ({
      key: `k${n}`,
      value: n === 3 ? null : `value ${n}`,
      headers: { n: `${n}` },
      timestamp: String(1_704_067_200_000 + n),
    }))
    await producer.send({ topic: 'js-topic', compression, acks: -1, messages })
    await producer.disconnect()
  }
  await admin.fetchTopicOffsets('js-topic')
  await admin.fetchTopicOffsetsByTimestamp('js-topic', 1_704_067_200_003)
  await admin.fetchTopicMetadata({ topics: ['js-topic'] })
  await admin.createPartitions({ topicPartitions: [{ topic: 'js-topic', count: 4 }] })
  await admin.describeCluster()
  await admin.deleteTopicRecords({ topic: 'js-topic', partitions: [{ partition: 0, offset: '1' }] })
  await admin.createTopics({ topics: [{ topic: 'js-topic' }] }).catch(() => undefined)
  await admin.deleteTopics({ topics: ['js-topic'] })
  await admin.disconnect()
}

async function withPlatformatic(): Promise<void> {
  const options = { clientId: 'platformatic', bootstrapBrokers: [at] }
  const admin = new Admin(options)
  await admin.createTopics({ topics: ['plt-topic'], partitions: 2, replicas: 1 })
  // Kafka answers before its broker leads; what it refuses until then would be recorded, too.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const producer = new Producer({
    ...options,
    serializers: stringSerializers,
    autocreateTopics: false,
  })
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    const messages = Array.from({ length: 4 }, (_, n) => ({
      topic: 'plt-topic',
      key: `k${n}`,
      value: `value ${n}`,
      timestamp: 1_704_067_200_000n + BigInt(n),
    }))
    await producer.send({ messages, compression, acks: -1 })
  }
  await producer.close()
  await admin.metadata({ topics: ['plt-topic'] })
  await admin.deleteTopics({ topics: ['plt-topic'] })
  await admin.close()
}

const scripts: readonly { client: string; about: string; run: () => Promise<void> }[] = [
  {
    client: 'kcat',
    about: 'creates a topic by producing, null keys and headers',
    run: () => kcat(['-P', '-t', 'cat-topic', '-H', 'a=b', '-K:'], 'k1:one\nk2:two\nk1:three\n'),
  },
  ...['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((codec) => ({
    client: 'kcat',
    about: `produces with ${codec}`,
    run: () => kcat(['-P', '-t', 'cat-topic', '-z', codec], lines(20, codec)),
  })),
  {
    client: 'kcat',
    about: 'produces with acks 0 and 1, and idempotence',
    run: async () => {
      await kcat(['-P', '-t', 'cat-topic', '-X', 'acks=1'], lines(5, 'acks1'))
      await kcat(['-P', '-t', 'cat-topic', '-X', 'acks=0'], lines(5, 'acks0'))
      await kcat(['-P', '-t', 'cat-topic', '-X', 'enable.idempotence=true'], lines(5, 'idempotent'))
    },
  },
  {
    client: 'kcat',
    about: 'reads everything',
    run: () => kcat(['-C', '-t', 'cat-topic', '-p', '0', '-o', 'beginning', '-e', '-q']),
  },
  {
    client: 'kcat',
    about: 'reads from the end',
    run: () => kcat(['-C', '-t', 'cat-topic', '-p', '0', '-o', '-5', '-e', '-q']),
  },
  {
    client: 'kcat',
    about: 'lists metadata and offsets',
    run: async () => {
      await kcat(['-L'])
      await kcat(['-Q', '-t', 'cat-topic:0:-1', '-t', 'cat-topic:0:-2'])
    },
  },
  {
    client: 'Java topics tool',
    about: 'creates, lists, describes, alters',
    run: async () => {
      await java(`${tools}.TopicCommand`, [
        '--create',
        '--topic',
        'java-topic',
        '--partitions',
        '2',
        '--config',
        'max.message.bytes=100000',
      ])
      await java(`${tools}.TopicCommand`, ['--describe', '--topic', 'java-topic'])
      await java(`${tools}.TopicCommand`, ['--alter', '--topic', 'java-topic', '--partitions', '3'])
    },
  },
  {
    client: 'Java console producer',
    about: 'produces with keys',
    run: () =>
      java(
        `${tools}.ConsoleProducer`,
        ['--topic', 'java-topic', '--property', 'parse.key=true', '--property', 'key.separator=:'],
        'a:1\nb:2\nc:3\na:4\n',
      ),
  },
  {
    client: 'Java perf producer',
    about: 'produces with its defaults',
    run: () =>
      java(`${tools}.ProducerPerformance`, [
        '--topic',
        'java-topic',
        '--num-records',
        '300',
        '--record-size',
        '40',
        '--throughput',
        '-1',
        '--command-config',
        settings,
      ]),
  },
  {
    client: 'Java console consumer',
    about: 'reads a partition',
    run: () =>
      java(`${tools}.consumer.ConsoleConsumer`, [
        '--topic',
        'java-topic',
        '--partition',
        '0',
        '--offset',
        'earliest',
        '--timeout-ms',
        '3000',
      ]),
  },
  {
    client: 'Java offsets tool',
    about: 'asks for the offsets',
    run: async () => {
      await java(`${tools}.GetOffsetShell`, ['--topic', 'java-topic', '--time', 'earliest'])
      await java(`${tools}.GetOffsetShell`, ['--topic', 'java-topic', '--time', 'latest'])
      await java(`${tools}.GetOffsetShell`, ['--topic', 'java-topic', '--time', 'max-timestamp'])
    },
  },
  {
    client: 'Java configs tool',
    about: 'alters and describes',
    run: async () => {
      await java('kafka.admin.ConfigCommand', [
        '--alter',
        '--entity-type',
        'topics',
        '--entity-name',
        'java-topic',
        '--add-config',
        'retention.ms=5000000',
      ])
      await java('kafka.admin.ConfigCommand', [
        '--describe',
        '--entity-type',
        'topics',
        '--entity-name',
        'java-topic',
      ])
    },
  },
  {
    client: 'Java log dirs tool',
    about: 'describes',
    run: () => java(`${tools}.LogDirsCommand`, ['--describe', '--topic-list', 'java-topic']),
  },
  { client: 'kafkajs', about: 'administers and produces', run: withKafkaJs },
  { client: '@platformatic/kafka', about: 'administers and produces', run: withPlatformatic },
  {
    client: 'Java topics tool',
    about: 'deletes',
    run: () => java(`${tools}.TopicCommand`, ['--delete', '--topic', 'java-topic']),
  },
]

const groupTopic = 'group-topic'

const javaConsumer = (group: string, protocol: string, count: number, ...more: string[]) =>
  java(`${tools}.consumer.ConsoleConsumer`, [
    ...['--topic', groupTopic, '--group', group, '--max-messages', String(count)],
    ...['--timeout-ms', '8000', '--command-property', 'fetch.max.wait.ms=50'],
    ...['--command-property', `group.protocol=${protocol}`, ...more],
  ])

const javaGroups = (...args: string[]) =>
  java(`${tools}.consumer.group.ConsumerGroupCommand`, [...args])

async function withKafkaJsGroup(): Promise<void> {
  const { Kafka, logLevel } = kafkajs
  const kafka = new Kafka({ clientId: 'kafkajs', brokers: [at], logLevel: logLevel.NOTHING })
  const groupId = 'kafkajs-group'
  for (const round of [0, 1]) {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, heartbeatInterval: 200 })
    await consumer.connect()
    await consumer.subscribe({ topics: [groupTopic], fromBeginning: true })
    let read: () => void = () => undefined
    const hasRead = new Promise<void>((resolve) => {
      read = resolve
    })
    if (round > 0) consumer.on(consumer.events.FETCH, read)
    await consumer.run({ eachMessage: () => Promise.resolve(read()) })
    await hasRead
    await new Promise((resolve) => setTimeout(resolve, 600))
    await consumer.disconnect()
  }
  const admin = kafka.admin()
  await admin.connect()
  await admin.fetchOffsets({ groupId, topics: [groupTopic] })
  await admin.listGroups()
  await admin.describeGroups([groupId, 'nobody'])
  await admin.deleteGroups([groupId])
  await admin.disconnect()
}

async function withPlatformaticGroup(protocol: 'classic' | 'consumer'): Promise<void> {
  const options = { clientId: 'platformatic', bootstrapBrokers: [at], maxWaitTime: 100 }
  const groupId = `platformatic-${protocol}`
  const own =
    protocol === 'classic'
      ? { groupProtocol: protocol, heartbeatInterval: 200 }
      : { groupProtocol: protocol }
  const consumer = new Consumer({ ...options, groupId, ...own })
  const stream = await consumer.consume({
    topics: [groupTopic],
    mode: 'committed',
    fallbackMode: 'earliest',
    autocommit: false,
  })
  stream.on('data', () => undefined)
  await new Promise((resolve) => setTimeout(resolve, 600))
  await consumer.commit({
    offsets: [{ topic: groupTopic, partition: 0, offset: 5n, leaderEpoch: 0 }],
  })
  await consumer.close(true)
  const admin = new Admin({ clientId: 'platformatic', bootstrapBrokers: [at] })
  await admin.listGroups({ types: [protocol] })
  await admin.listConsumerGroupOffsets({ groups: [groupId] })
  await admin.deleteGroups({ groups: [groupId] })
  await admin.close()
}

const groupScripts: typeof scripts = [
  {
    client: 'kcat',
    about: 'produces for groups',
    run: () => kcat(['-P', '-t', groupTopic], lines(10, 'grouped')),
  },
  ...['range', 'roundrobin', 'cooperative-sticky'].map((strategy) => ({
    client: 'kcat',
    about: `reads in a group on ${strategy}, twice`,
    run: async () => {
      const flags = ['-X', `partition.assignment.strategy=${strategy}`, '-e', '-q']
      const early = ['-X', 'auto.offset.reset=earliest', '-X', 'fetch.wait.max.ms=50']
      for (let time = 0; time < 2; time++)
        await kcat(['-G', `kcat-${strategy}`, ...flags, ...early, groupTopic])
    },
  })),
  {
    client: 'kcat',
    about: 'is a static member, twice',
    run: async () => {
      const quick = ['-X', 'fetch.wait.max.ms=50', '-e', '-q']
      const flags = ['-X', 'group.instance.id=one', '-X', 'auto.offset.reset=earliest', ...quick]
      for (let time = 0; time < 2; time++) await kcat(['-G', 'kcat-static', ...flags, groupTopic])
    },
  },
  ...['classic', 'consumer'].map((protocol) => ({
    client: 'Java console consumer',
    about: `reads in a group of the ${protocol} protocol, twice`,
    run: async () => {
      await javaConsumer(`java-${protocol}`, protocol, 6, '--from-beginning')
      await javaConsumer(`java-${protocol}`, protocol, 4)
    },
  })),
  {
    client: 'Java console consumer',
    about: 'turns a classic group into a consumer group',
    run: async () => {
      await javaConsumer('java-both', 'classic', 3, '--from-beginning')
      await javaConsumer('java-both', 'consumer', 3)
    },
  },
  {
    client: 'Java groups tool',
    about: 'lists, describes, resets and deletes',
    run: async () => {
      await javaGroups('--list', '--state', '--type')
      for (const group of ['java-classic', 'java-consumer'])
        for (const what of ['--offsets', '--members', '--state'])
          await javaGroups('--describe', '--group', group, what)
      const reset = ['--reset-offsets', '--group', 'java-consumer', '--topic', groupTopic]
      await javaGroups(...reset, '--shift-by', '-2', '--execute')
      await javaGroups(...reset, '--to-earliest', '--execute')
      await javaGroups('--delete-offsets', '--group', 'java-classic', '--topic', groupTopic)
      await javaGroups('--delete', '--group', 'java-consumer', '--group', 'nobody')
    },
  },
  { client: 'kafkajs', about: 'reads in a group, and administers it', run: withKafkaJsGroup },
  ...(['classic', 'consumer'] as const).map((protocol) => ({
    client: '@platformatic/kafka',
    about: `reads in a group of the ${protocol} protocol, and administers it`,
    run: () => withPlatformaticGroup(protocol),
  })),
]

/** Makes the offsets topic, unrecorded, and leaves nothing else behind: Kafka refuses with COORDINATOR_NOT_AVAILABLE for as long as that takes. */
async function makeOffsetsTopic(): Promise<void> {
  await kcat(['-P', '-t', 'warm-up'], 'warm\n')
  await kcat(['-G', 'warm-up', '-X', 'auto.offset.reset=earliest', '-e', '-q', 'warm-up'])
  const admin = new Admin({ clientId: 'warm-up', bootstrapBrokers: [at] })
  await admin.deleteGroups({ groups: ['warm-up'] })
  await admin.deleteTopics({ topics: ['warm-up'] })
  await admin.close()
  proxy.take()
}

const port = await freePort()
const advertised = `PLAINTEXT://${at},CONTROLLER://127.0.0.1:${port + 1}`
const kafka = await startKafka(join(scratch, 'kafka'), {
  port,
  config: { ...SETTINGS, 'advertised.listeners': advertised },
})
proxy.upstreamPort = port
try {
  const conversations: Conversation[] = []
  const record = async ({ client, about, run }: (typeof scripts)[number]) => {
    await run().catch((error) => console.error(`${client} ${about}: ${error}`))
    const frames = proxy.take()
    conversations.push({ client, about, frames })
    console.log(`${client} ${about}: ${frames.length} frames`)
  }
  for (const script of scripts) await record(script)
  await makeOffsetsTopic()
  for (const script of groupScripts) await record(script)
  console.log(`${writeConversations(conversations)} bytes`)
} finally {
  proxy.close()
  await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
}
process.exit(0)
