// A Kafka door on a TCP layer in memory and a clock that a test moves.
import type { Api } from '#routes/kafka/api.ts'
import {
  type KafkaDoorConfig,
  type KafkaListenerOptions,
  openKafkaDoor,
} from '#routes/kafka/server.ts'
import type { Broker } from '#src/broker/broker.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { fakeNetwork } from './fake-tcp.ts'

const LISTENER = { name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }

/** Kafka's own limits, but for a small request size. */
export const DOOR_CONFIG: KafkaDoorConfig = {
  socketRequestMaxBytes: 1_000_000,
  socketListenBacklogSize: 50,
  socketSendBufferBytes: -1,
  connectionsMaxIdleMs: 600_000,
  queuedMaxRequestBytes: -1,
  maxConnections: 2_147_483_647,
  maxPerAddress: 2_147_483_647,
  perAddress: new Map(),
}

/** Opens a door that serves these APIs. The broker is only passed on to handlers. */
export async function openDoor(
  apis: readonly Api[],
  {
    config = {},
    listeners = [LISTENER],
    broker = {} as Broker,
    isServing = true,
  }: {
    config?: Partial<KafkaDoorConfig>
    listeners?: readonly KafkaListenerOptions[]
    broker?: Broker
    isServing?: boolean
  } = {},
) {
  const { listen, connect } = fakeNetwork()
  const clock = new VirtualClock()
  const said: string[] = []
  const door = await openKafkaDoor({
    listeners,
    config: { ...DOOR_CONFIG, ...config },
    listen,
    clock,
    say: (line) => said.push(line),
    apis,
  })
  if (isServing) door.serve(broker)
  return { door, connect, clock, said }
}
