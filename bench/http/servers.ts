// The two sides: the broker, and what its runtime and Hono can do when nothing else is asked of them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  type RuntimeName,
  runtimeCommand,
  startBrokerProcess,
} from '../../test/process/broker-process.ts'
import { within } from '../peers/child.ts'

/** Which side. */
export interface ServerKind {
  readonly side: 'millrace' | 'limit'
  readonly runtime: RuntimeName
}

/** A running server with the topic `bench`, of one partition. */
export interface Server {
  /** `127.0.0.1:PORT` */
  readonly address: string
  readonly pid: number
  stop(): Promise<unknown>
}

const START_MS = 30_000

/** Starts a side; a broker on a folder that nobody has used. */
export async function startServer(kind: ServerKind, folder: string): Promise<Server> {
  return kind.side === 'limit' ? await startLimit(kind.runtime) : await startBroker(kind, folder)
}

async function startBroker({ runtime }: ServerKind, data: string): Promise<Server> {
  const settings = { 'millrace.http.max.streams': '10000' }
  const broker = await within(START_MS, 'A start', startBrokerProcess({ runtime, data, settings }))
  const { pid, url } = broker
  const { cluster_id: cluster } = (await (await fetch(`${url}/`)).json()) as { cluster_id: string }
  const answer = await fetch(`${url}/v3/clusters/${cluster}/topics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic_name: 'bench', partitions_count: 1 }),
  })
  if (answer.status !== 201) throw new Error(`The topic was answered with ${answer.status}`)
  const stop = () => within(START_MS, 'A clean stop', broker.terminate()).catch(() => broker.kill())
  return { address: url.slice('http://'.length), pid, stop }
}

async function startLimit(runtime: RuntimeName): Promise<Server> {
  const [program = '', ...flags] = runtimeCommand(runtime) ?? []
  const child = spawn(
    program,
    [...flags, fileURLToPath(new URL('http.ts', import.meta.url)), '--limit'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const gone = once(child, 'close')
  const stop = async () => {
    child.kill('SIGKILL')
    await gone
  }
  try {
    const said = await within(START_MS, 'A start', Promise.race([once(child.stdout, 'data'), gone]))
    const started = /^pid (\d+) http:\/\/(\S+)/.exec(String(said[0]))
    if (started === null) throw new Error(`The limit on ${runtime} did not start`)
    return { address: started[2] ?? '', pid: Number(started[1]), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
