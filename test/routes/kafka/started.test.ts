// The Kafka door of a started broker: where it listens, what it registers, and that it answers.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { APIS } from '#routes/kafka/dispatch.ts'
import { ANONYMOUS } from '#src/access/session.ts'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { ApiVersionsResponse } from '#src/protocol/messages/18-api-versions.ts'
import { RequestHeader } from '#src/protocol/messages/headers.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { type RunningBroker, type StartOptions, startBroker } from '../../../mod.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle } from '../../simulation/virtual-clock.ts'

const running: RunningBroker[] = []

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop()
})

async function start(options: StartOptions): Promise<RunningBroker> {
  const broker = await startBroker({ http: false, ...options })
  running.push(broker)
  return broker
}

const endpoints = ({ broker }: RunningBroker) => broker.listBrokers(ANONYMOUS)[0]?.endpoints

/** The answer to ApiVersions v4, without length and header. */
async function askApiVersions(address: string): Promise<Uint8Array> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1')
  const body = '0012000400000007000163000578787878043130300000'
  socket.write(Buffer.from(`${(body.length / 2).toString(16).padStart(8, '0')}${body}`, 'hex'))
  let received = Buffer.alloc(0)
  while (received.length < 4 || received.length < 4 + received.readInt32BE(0)) {
    const [chunk] = await once(socket, 'data')
    received = Buffer.concat([received, chunk])
  }
  socket.destroy()
  return received.subarray(8)
}

test('A broker listens for Kafka clients on a free port of loopback, registers it and answers there', async () => {
  const broker = await start({})
  expect(broker.kafka).toMatch(/^127\.0\.0\.1:\d+$/)
  const port = Number(broker.kafka?.split(':')[1])
  expect(endpoints(broker)).toEqual([{ name: 'PLAINTEXT', host: '127.0.0.1', port }])
  const { errorCode, apiKeys, finalizedFeatures, finalizedFeaturesEpoch } =
    ApiVersionsResponse.decode(await askApiVersions(broker.kafka ?? ''), 4)
  expect(errorCode).toBe(0)
  expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual(APIS.map(({ key }) => key))
  expect(finalizedFeatures.map(({ name }) => name)).not.toContain('transaction.version')
  expect(finalizedFeaturesEpoch).toBeGreaterThan(0)
})

test('A broker registers what its listeners advertise', async () => {
  const config = {
    listeners: 'INSIDE://127.0.0.1:0,OUTSIDE://:0,CONTROLLER://:9093',
    'advertised.listeners': 'OUTSIDE://kafka.example:443',
    'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT',
  }
  const broker = await start({ config })
  expect(endpoints(broker)).toEqual([
    { name: 'INSIDE', host: '127.0.0.1', port: Number(broker.kafka?.split(':')[1]) },
    { name: 'OUTSIDE', host: 'kafka.example', port: 443 },
  ])
})

test('A broker that is told its address as an option registers what the settings advertise', async () => {
  const config = { 'advertised.listeners': 'PLAINTEXT://kafka.example:443' }
  const broker = await start({ kafka: '127.0.0.1:0', config })
  expect(endpoints(broker)).toEqual([{ name: 'PLAINTEXT', host: 'kafka.example', port: 443 }])
})

test('A broker without a Kafka door registers nothing', async () => {
  const broker = await start({ kafka: false })
  expect([broker.kafka, endpoints(broker)]).toEqual([undefined, []])
})

test.each([
  ['nonsense', 'The Kafka address nonsense must be host:port'],
  ['127.0.0.1:99999', 'The Kafka address 127.0.0.1:99999 must be host:port'],
])('A broker refuses the Kafka address %s', async (kafka, sentence) => {
  await expect(start({ kafka })).rejects.toThrow(sentence)
})

test('A broker whose Kafka port is taken does not start, and leaves nothing behind', async () => {
  const first = await start({})
  const second = start({ kafka: first.kafka ?? '' })
  await expect(second).rejects.toThrow('is in use by another process')
})

test('A stopped broker has freed its Kafka port', async () => {
  const first = await start({})
  const { kafka = '' } = first
  await first.stop()
  expect((await start({ kafka })).kafka).toBe(kafka)
})

/** A produce request with acks=all, v7, with its length. */
function produceAll(correlationId: number): Buffer {
  const header = RequestHeader.encode(
    { requestApiKey: 0, requestApiVersion: 7, correlationId, clientId: 'test' },
    1,
  )
  const records = buildBatch([{ value: new Uint8Array(9), timestamp: Date.now() }])
  const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }]
  const body = ProduceRequest.encode({ acks: -1, timeoutMs: 30_000, topicData }, 7)
  const length = Buffer.alloc(4)
  length.writeInt32BE(header.length + body.length)
  return Buffer.concat([length, header, body])
}

test('A broker that stops answers what waits for the disk before it closes connections and logs', async () => {
  const works: (() => void)[] = []
  let isSlow = false
  const disk = new SimulatedDisk({ schedule: (work) => (isSlow ? works.push(work) : work()) })
  const broker = await start({ files: disk, data: '/data' })
  await broker.produce('orders', [{ value: 'first' }])
  isSlow = true
  const socket = connect(Number(broker.kafka?.split(':')[1]), '127.0.0.1')
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  const ended = once(socket, 'close')
  const isAppended = () => broker.broker.counters.producedRecords === 4
  socket.write(Buffer.concat([1, 2, 3].map(produceAll)))
  while (!isAppended()) await settle()
  const stopped = broker.stop()
  for (let turn = 0; turn < 20; turn++) await settle()
  expect(received).toEqual([])
  isSlow = false
  for (const work of works.splice(0)) work()
  await ended
  await stopped
  const bytes = Buffer.concat(received)
  const ids: number[] = []
  for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
    const { responses } = ProduceResponse.decode(
      bytes.subarray(at + 8, at + 4 + bytes.readInt32BE(at)),
      7,
    )
    ids.push(bytes.readInt32BE(at + 4))
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  }
  expect(ids).toEqual([1, 2, 3])
  expect(disk.status('/data/.kafka_cleanshutdown')).toBeDefined()
})
