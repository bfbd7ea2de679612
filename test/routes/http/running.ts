// A real broker for tests of routes: on a temporary directory, without a socket, asked through its door.
import { afterAll } from 'vitest'
import { startBroker } from '../../../mod.ts'
import { type HttpDoor, httpDoor } from '../../../routes/http/app.ts'
import type { HttpConfig } from '../../../routes/http/door.ts'
import { systemClock } from '../../../storage/base/world.ts'

/** Asks a broker over HTTP. */
export interface Client {
  /** Sends a request; objects go as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Response>
  /** The JSON of a GET that must succeed. */
  get<T>(path: string, headers?: HeadersInit): Promise<T>
  /** Creates a topic. */
  createTopic(name: string, partitionCount?: number): Promise<void>
  /** The path of the cluster in REST v3. */
  readonly cluster: string
  readonly door: HttpDoor
}

/** Starts a broker for this test file; it stops behind the last test. `config` changes the door's limits. */
export async function runningBroker(config: Partial<HttpConfig> = {}): Promise<Client> {
  const broker = await startBroker({ http: false })
  const door = httpDoor({ broker: broker.broker, clock: systemClock, config })
  afterAll(async () => {
    door.endStreams()
    await broker.stop()
  })
  return clientOf(door, `/v3/clusters/${broker.broker.clusterId}`)
}

function clientOf(door: HttpDoor, cluster: string): Client {
  const ask: Client['ask'] = (method, path, body, headers) => {
    const isText = typeof body === 'string' || body instanceof Uint8Array
    const isStream = body instanceof ReadableStream
    const init: RequestInit & { duplex?: 'half' } = { method, headers: new Headers(headers) }
    if (isText || isStream) init.body = body as BodyInit
    else if (body !== undefined) init.body = JSON.stringify(body)
    if (isStream) init.duplex = 'half'
    const types = init.headers as Headers
    if (!isText && !isStream && !types.has('content-type')) {
      types.set('content-type', 'application/json')
    }
    return door.fetch(new Request(`http://broker${path}`, init))
  }
  return {
    ask,
    cluster,
    door,
    async get<T>(path: string, headers?: HeadersInit) {
      const response = await ask('GET', path, undefined, headers)
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as T
    },
    async createTopic(name, partitionCount = 1) {
      const body = { topic_name: name, partitions_count: partitionCount }
      const response = await ask('POST', `${cluster}/topics`, body)
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
    },
  }
}
