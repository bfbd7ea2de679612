// Calls a broker's HTTP door and turns its refusals into messages.
import { CommandError } from './command-error.ts'
import type { CommandWorld } from './world.ts'

/** Where a broker listens unless told otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:8082'

/** One request. `body` goes as JSON, `text` as it is. */
export interface ClientRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  readonly text?: string
  readonly accept?: string
  readonly signal?: AbortSignal
  /** What to do about an answer of this status. */
  readonly fixes?: Readonly<Record<number, string>>
}

/** A broker, seen from the command line. */
export class HttpClient {
  readonly #base: string
  readonly #world: CommandWorld

  /** `url` is that of `--url`; else `MILLRACE_URL` or the default counts. Throws CommandError when it is none. */
  constructor(world: CommandWorld, url: string | undefined) {
    this.#world = world
    this.#base = baseUrl(url ?? world.environment['MILLRACE_URL'] ?? DEFAULT_URL)
  }

  /** The answer to a request that succeeded. `path` is already encoded. Throws CommandError otherwise. */
  async send(path: string, request: ClientRequest = {}): Promise<Response> {
    const { method = 'GET', accept = 'application/json', signal } = request
    const text =
      request.text ?? (request.body === undefined ? undefined : JSON.stringify(request.body))
    const headers = new Headers({ accept })
    if (text !== undefined) headers.set('content-type', 'application/json')
    const init: RequestInit = { method, headers }
    if (text !== undefined) init.body = text
    if (signal !== undefined) init.signal = signal
    const response = await this.#fetch(new Request(this.#base + path, init), signal)
    if (response.ok) return response
    throw await refusal(response, this.#base, request.fixes?.[response.status])
  }

  /** The JSON of an answer. */
  async json<T>(path: string, request: ClientRequest = {}): Promise<T> {
    const response = await this.send(path, request)
    try {
      return (await response.json()) as T
    } catch (error) {
      throw new CommandError(`${this.#base}${path} did not answer with JSON`, {
        fix: 'Check that --url names a Millrace broker',
        cause: error,
      })
    }
  }

  /** The path of the broker's cluster in REST v3. */
  async clusterPath(): Promise<string> {
    const { data } = await this.json<{ data?: readonly { cluster_id?: string }[] }>('/v3/clusters')
    const id = data?.[0]?.cluster_id
    if (id !== undefined) return `/v3/clusters/${encodeURIComponent(id)}`
    throw new CommandError(`${this.#base} names no cluster`, {
      fix: 'Check that --url names a Millrace broker',
    })
  }

  async #fetch(request: Request, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await this.#world.fetch(request)
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw new CommandError(`Can't reach ${this.#base}`, {
        fix: 'Start a broker with millrace serve, or name another one with --url',
        cause: error,
      })
    }
  }
}

/** `/topics/NAME` in REST v2. */
export function topicPath(topic: string): string {
  return `/topics/${encodeURIComponent(topic)}`
}

function baseUrl(text: string): string {
  const withScheme = /^https?:\/\//.test(text) ? text : `http://${text}`
  if (URL.canParse(withScheme)) return withScheme.replace(/\/+$/, '')
  throw new CommandError(`${text} is not an address`, { fix: `Write it as ${DEFAULT_URL}` })
}

/** The broker's own sentence, or its status. */
async function refusal(
  response: Response,
  base: string,
  fix: string | undefined,
): Promise<CommandError> {
  const { status } = response
  const body = errorBody(await response.text())
  if (body?.message !== undefined) {
    const message = body.message.replace(/\.$/, '')
    return new CommandError(message, fix === undefined ? { status } : { status, fix })
  }
  return new CommandError(`${base} answered ${status}`, {
    status,
    fix: 'Check that --url names a Millrace broker',
  })
}

function errorBody(text: string): { readonly message?: string } | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}
