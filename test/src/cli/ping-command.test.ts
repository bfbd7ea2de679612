// `millrace ping` against brokers in this process, right and wrong, and against ports where none is.
import { createServer, type Server } from 'node:net'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type RunningBroker, startBroker } from '../../../mod.ts'
import { API_NAMES } from '../../../src/cli/ping-api-names.ts'
import { advice, tryBroker } from '../../../src/cli/ping-verdicts.ts'
import { connectTcp } from '../../../src/platform/tcp-client.ts'
import { systemClock } from '../../../storage/base/world.ts'
import { goldenApis } from '../../golden/messages/golden-messages.ts'
import { freePort } from '../../kafka/kafka.ts'
import { run } from './fixture.ts'

const brokers: RunningBroker[] = []
const servers: Server[] = []
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.stop()
  for (const server of servers.splice(0)) server.close()
})
afterAll(() => expect(brokers).toEqual([]))

/** A broker, and what it advertises when it is not its own address. */
async function brokerOn(port = 0, advertised?: string): Promise<RunningBroker> {
  const config = {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    ...(advertised !== undefined && { 'advertised.listeners': `PLAINTEXT://${advertised}` }),
  }
  const broker = await startBroker({ config })
  brokers.push(broker)
  return broker
}

/** A port where a connection gets these bytes when it has sent some, and is closed then unless it is to hang. */
async function serverSaying(text: string | undefined): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      if (text !== undefined) socket.end(text, 'latin1')
    })
  })
  servers.push(server)
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return port
}

test('ping shows the versions, the cluster and its brokers', async () => {
  const broker = await brokerOn()
  const { exitCode, output, error } = await run(['ping', broker.kafka ?? ''])
  expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' })
  expect(output).toMatch(
    /^127\.0\.0\.1:\d+ is a Kafka broker: connected in [\d.]+ ms, answers in [\d.]+ ms\n/,
  )
  expect(output).toContain(`1 broker in cluster ${broker.broker.clusterId}, controller 1`)
  expect(output).toMatch(new RegExp(`broker 1 advertises ${broker.kafka}: reached in`))
  expect(output).toMatch(/^ {4}0 Produce +0-13$/m)
  expect(output).toMatch(/^ {3}18 ApiVersions +0-4$/m)
})

test('ping --json gives the same as one object', async () => {
  const broker = await brokerOn()
  const { exitCode, output } = await run(['ping', broker.kafka ?? '', '--json'])
  expect(exitCode).toBe(0)
  const port = Number(broker.kafka?.split(':')[1])
  expect(JSON.parse(output)).toMatchObject({
    address: broker.kafka,
    cluster_id: broker.broker.clusterId,
    controller_id: 1,
    brokers: [{ id: 1, host: '127.0.0.1', port, rack: null, problem: null }],
    advice: [],
  })
  expect(JSON.parse(output).apis).toContainEqual({
    key: 0,
    name: 'Produce',
    min_version: 0,
    max_version: 13,
  })
})

test('ping says that an advertised port is closed, and what to set', async () => {
  const closed = await freePort()
  const broker = await brokerOn(0, `127.0.0.1:${closed}`)
  const { exitCode, output } = await run(['ping', broker.kafka ?? ''])
  expect(exitCode).toBe(1)
  expect(output).toContain(`broker 1 advertises 127.0.0.1:${closed}: it refuses connections`)
  expect(output).toContain(`such as advertised.listeners=PLAINTEXT://${broker.kafka}.`)
})

test('ping says that an advertised name is not known', async () => {
  const broker = await brokerOn(0, '0123456789ab.invalid:9092')
  const { exitCode, output } = await run(['ping', broker.kafka ?? ''])
  expect(exitCode).toBe(1)
  expect(output).toContain('0123456789ab.invalid:9092: its name is not known on this machine')
})

test('ping says that an advertised address is that of a broker of another cluster', async () => {
  const other = await brokerOn()
  const broker = await brokerOn(0, other.kafka)
  const { exitCode, output } = await run(['ping', broker.kafka ?? ''])
  expect(exitCode).toBe(1)
  expect(output).toContain(
    `a broker of another cluster answers (cluster ${other.broker.clusterId})`,
  )
})

test.each([
  { nodeId: 1, problem: undefined },
  { nodeId: 2, problem: 'another broker of the cluster answers' },
])(
  'tryBroker() knows whether broker $nodeId is the one that answers',
  async ({ nodeId, problem }) => {
    const { broker, kafka = '' } = await brokerOn()
    const advertised = { nodeId, host: '127.0.0.1', port: Number(kafka.split(':')[1]), rack: null }
    const cluster = { clusterId: broker.clusterId, controllerId: 1, brokers: [advertised] }
    const options = { connect: connectTcp, clock: systemClock, timeoutMs: 5000 }
    expect((await tryBroker(advertised, cluster, options)).problem).toBe(problem)
  },
)

test('advice() names what a container or a loopback address is', () => {
  const of = (host: string) => {
    const broker = { nodeId: 3, host, port: 9092, rack: null }
    const tried = [{ broker, connectMs: undefined, problem: 'it refuses connections' }]
    return advice(tried, { host: 'kafka.example', port: 9092 }).join(' ')
  }
  expect(of('localhost')).toContain("localhost:9092 means the client's own machine")
  expect(of('4f2a9c01b3de')).toContain('looks like the name of a container')
  expect(of('other')).toContain('advertised.listeners=PLAINTEXT://kafka.example:9092')
})

test('ping says that an advertised address accepts and does not answer', async () => {
  const silent = await serverSaying(undefined)
  const broker = await brokerOn(0, `127.0.0.1:${silent}`)
  const { exitCode, output } = await run(['ping', broker.kafka ?? '', '--timeout', '300'])
  expect(exitCode).toBe(1)
  expect(output).toContain('it does not answer within 300 ms')
})

test.each([
  { what: 'HTTP', says: 'HTTP/1.1 400 Bad Request\r\n\r\n', text: 'it speaks HTTP' },
  { what: 'TLS', says: '\u0015\u0003\u0003\u0000\u0002\u0002\u0046', text: 'it speaks TLS' },
  { what: 'noise', says: '\u00ff\u00ff\u00ff\u00ff', text: 'none of Kafka’s protocol' },
  {
    what: 'another answer',
    says: '\u0000\u0000\u0000\u0008\u0000\u0000\u0000\u0009abcd',
    text: 'answers something else',
  },
  { what: 'nothing, and closes', says: '', text: 'it closes the connection without an answer' },
])('ping recognises a port that says $what', async ({ says, text }) => {
  const port = await serverSaying(says)
  const { exitCode, output, error } = await run(['ping', `127.0.0.1:${port}`])
  expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' })
  expect(error).toContain(`No Kafka broker at 127.0.0.1:${port}: `)
  expect(error).toContain(text)
})

test('ping of our own HTTP port says so', async () => {
  const broker = await brokerOn()
  const { exitCode, error } = await run(['ping', new URL(broker.url ?? '').host])
  expect(exitCode).toBe(1)
  expect(error).toMatch(/it speaks HTTP|it closes the connection/)
})

test('ping of a closed port says that nothing listens', async () => {
  const port = await freePort()
  const { exitCode, error } = await run(['ping', `127.0.0.1:${port}`])
  expect(exitCode).toBe(1)
  expect(error).toBe(
    `error: No Kafka broker at 127.0.0.1:${port}: it refuses connections: nothing listens there.\n`,
  )
})

test.each(['127.0.0.1:0', '127.0.0.1:70000', 'http://127.0.0.1:9092', '::1', ''])(
  'ping does not take %j for an address',
  async (address) => {
    const { exitCode, error } = await run(['ping', address])
    expect(exitCode).toBe(2)
    expect(error).toContain('It must be HOST:PORT')
  },
)

test('API_NAMES has every API of Kafka 4.3', () => {
  const names = Object.fromEntries(goldenApis.map(({ key, name }) => [key, name]))
  expect(API_NAMES).toMatchObject(names)
})
