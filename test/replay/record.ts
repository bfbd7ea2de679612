// Records anew what real clients say to a real Kafka. Run by hand: `npm run replay:record`. The README says what it needs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Admin, Producer, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { freePort, kafkaClasspath, startKafka } from '../kafka/kafka.ts'
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

const port = await freePort()
const advertised = `PLAINTEXT://${at},CONTROLLER://127.0.0.1:${port + 1}`
const kafka = await startKafka(join(scratch, 'kafka'), {
  port,
  config: { ...SETTINGS, 'advertised.listeners': advertised },
})
proxy.upstreamPort = port
try {
  const conversations: Conversation[] = []
  for (const { client, about, run } of scripts) {
    await run().catch((error) => console.error(`${client} ${about}: ${error}`))
    const frames = proxy.take()
    conversations.push({ client, about, frames })
    console.log(`${client} ${about}: ${frames.length} frames`)
  }
  console.log(`${writeConversations(conversations)} bytes`)
} finally {
  proxy.close()
  await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
}
process.exit(0)
