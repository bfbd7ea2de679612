// What is wrong with an address that should be a broker's, in plain words.
import { type TcpAddress, TcpError } from '../platform/tcp-client.ts'
import {
  type AdvertisedBroker,
  type ClusterView,
  NotKafka,
  openPing,
  type PingOptions,
} from './ping-client.ts'

/** An advertised address that was tried. */
export interface TriedBroker {
  readonly broker: AdvertisedBroker
  /** Connecting took so long; undefined when nothing was reached. */
  readonly connectMs: number | undefined
  /** What is wrong: a clause such as `it refuses connections`; undefined when it is the broker that it should be. */
  readonly problem: string | undefined
}

/** `host:port`, as Kafka's listeners are written. */
export function addressText({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Connects to where a broker says that it is, and looks whether it is there. */
export async function tryBroker(
  broker: AdvertisedBroker,
  cluster: ClusterView,
  options: PingOptions,
): Promise<TriedBroker> {
  const impossible = impossibility(broker)
  if (impossible !== undefined) return { broker, connectMs: undefined, problem: impossible }
  try {
    const client = await openPing(broker, options)
    try {
      const { connectMs } = client
      const found = await client.cluster()
      if (found?.clusterId !== cluster.clusterId) {
        const other = found ? `cluster ${found.clusterId}` : 'no cluster that it would name'
        return { broker, connectMs, problem: `a broker of another cluster answers (${other})` }
      }
      const isIt = await client.isBroker(broker.nodeId)
      const problem = isIt === false ? 'another broker of the cluster answers' : undefined
      return { broker, connectMs, problem }
    } finally {
      client.close()
    }
  } catch (error) {
    return { broker, connectMs: undefined, problem: problemOf(error, options.timeoutMs) }
  }
}

/** What a failed try means, as a clause. Throws what it can't explain. */
export function problemOf(error: unknown, timeoutMs: number): string {
  if (error instanceof NotKafka) {
    return `something else answers: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`
  }
  if (!(error instanceof TcpError)) throw error
  switch (error.failure) {
    case 'unknown name':
      return 'its name is not known on this machine'
    case 'refused':
      return 'it refuses connections: nothing listens there'
    case 'unreachable':
      return 'there is no route to it from this machine'
    case 'timed out':
      return `it does not answer within ${timeoutMs} ms: a firewall may drop what is sent, or the machine is down`
    case 'closed':
      return 'it closes the connection without an answer: its listener may want TLS, or it is no Kafka broker'
    case 'failed':
      return `it can't be reached: ${error.message}`
  }
}

/** An address that no client can connect to. */
function impossibility({ host, port }: TcpAddress): string | undefined {
  if (/^(0\.0\.0\.0|::|)$/.test(host))
    return 'that is every address of the broker’s machine, and none to connect to'
  return port < 1 || port > 65_535 ? 'that is no port' : undefined
}

/** What to do about advertised addresses that don't work: sentences with a full stop. */
export function advice(tried: readonly TriedBroker[], bootstrap: TcpAddress): string[] {
  const wrong = tried.filter(({ problem }) => problem !== undefined)
  if (wrong.length === 0) return []
  const at = addressText(bootstrap)
  const sentences = [
    `Clients reach ${at} first, and then only use the addresses that the brokers advertise.`,
  ]
  for (const { broker } of wrong) {
    const address = addressText(broker)
    if (isLoopback(broker.host) && !isLoopback(bootstrap.host)) {
      sentences.push(
        `${address} means the client's own machine, wherever it runs: broker ${broker.nodeId} is not reached by it from elsewhere.`,
      )
    } else if (/^[0-9a-f]{12}$/.test(broker.host)) {
      sentences.push(
        `${broker.host} looks like the name of a container, which only its network knows.`,
      )
    }
  }
  const ids = wrong.map(({ broker }) => broker.nodeId).join(', ')
  const only = tried.length === 1 ? `, such as advertised.listeners=PLAINTEXT://${at}` : ''
  const whose = wrong.length === 1 ? `broker ${ids}` : `brokers ${ids}`
  sentences.push(
    `Set advertised.listeners of ${whose} to an address that its clients can reach${only}.`,
  )
  return sentences
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host)
}
