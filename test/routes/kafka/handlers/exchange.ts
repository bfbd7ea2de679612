// One request and its answer through a handler, encoded and decoded as on the wire, without a socket.
import { afterEach } from 'vitest'
import { type RunningBroker, type StartOptions, startBroker } from '../../../../mod.ts'
import { encodeAnswer } from '../../../../routes/kafka/answer.ts'
import { type Api, NO_ANSWER, type RequestContext } from '../../../../routes/kafka/api.ts'
import { APIS, ApiTable } from '../../../../routes/kafka/dispatch.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import type { Message } from '../../../../src/protocol/codec/message.ts'
import { ResponseHeader } from '../../../../src/protocol/messages/headers.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { systemClock } from '../../../../storage/base/world.ts'
import { ByteReader } from '../../../../storage/bytes/byte-reader.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'

const table = new ApiTable(APIS)
const running: RunningBroker[] = []

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop()
})

/** What a test may say of its request. */
export interface Exchange {
  readonly version: number
  readonly clientId?: string
  readonly signal?: AbortSignal
}

/** A broker on a simulated disk and clock. */
export interface SimulatedBroker {
  readonly running: RunningBroker
  readonly broker: Broker
  readonly disk: SimulatedDisk
  readonly clock: VirtualClock
}

/** Starts a broker without sockets; it stops behind the test. */
export async function simulatedBroker(
  options: { disk?: SimulatedDisk; clock?: VirtualClock; config?: StartOptions['config'] } = {},
): Promise<SimulatedBroker> {
  const { disk = new SimulatedDisk(), clock = new VirtualClock(), config = {} } = options
  const broker = await startBroker({
    http: false,
    kafka: false,
    data: '/data',
    config,
    files: disk,
    clock,
    random: new SeededRandom(1),
  })
  running.push(broker)
  return { running: broker, broker: broker.broker, disk, clock }
}

/** Asks `api` as a client of this version does; undefined when it gives no answer. Releases lent bytes after copying them. */
export async function exchange<Q, QI, R, RI>(
  broker: Broker,
  messages: { api: Api; request: Message<Q, QI>; response: Message<R, RI> },
  request: QI,
  { version, clientId = 'test', signal = new AbortController().signal }: Exchange,
): Promise<R | undefined> {
  const { api } = messages
  const context: RequestContext = {
    broker,
    clock: systemClock,
    session: { ...ANONYMOUS, clientId },
    listener: { name: 'PLAINTEXT', host: 'broker.test', port: 9092 },
    version,
    apis: table.ranges,
    signal,
    hold: () => () => undefined,
  }
  const decoded = api.decode(new ByteReader(messages.request.encode(request, version)), version)
  const answer = await answerOf(api, context, decoded)
  if (answer === NO_ANSWER) return undefined
  const { chunks, release } = encodeAnswer({ api, version, correlationId: 7 }, answer)
  const bytes = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
  release()
  const reader = new ByteReader(bytes)
  if (reader.int32() !== bytes.length - 4) throw new Error('The length of the answer is wrong')
  ResponseHeader.read(reader, api.responseHeaderVersion(version))
  const response = messages.response.read(reader, version)
  if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes follow the answer`)
  return response
}

async function answerOf(api: Api, context: RequestContext, request: unknown): Promise<unknown> {
  try {
    return await api.handle(context, request)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return api.refuse(error, request, context)
  }
}
