// What the runtime and Hono can do at best: the same bodies parsed, the same answers written, and nothing else.
import { Hono } from 'hono'

/** The runtimes' own servers, as far as they are needed here. */
interface Runtimes {
  readonly Bun?: { serve(options: object): { readonly port: number } }
  readonly Deno?: { serve(options: object, handler: unknown): { readonly addr: { port: number } } }
}

const encoder = new TextEncoder()
const app = new Hono()
const tails = new Set<ReadableStreamDefaultController<Uint8Array>>()
let next = 0

interface ListBody {
  readonly records: readonly { readonly value: unknown }[]
}

app.post('/topics/:topic', async (c) => {
  if (c.req.header('content-type') === 'application/x-ndjson')
    return c.json(await parseLines(c.req.raw))
  const { records }: ListBody = await c.req.json()
  const offsets = records.map(() => ({
    ...{ partition: 0, offset: next++ },
    error_code: null,
    error: null,
  }))
  if (tails.size > 0) tell(records)
  return c.json({ offsets, key_schema_id: null, value_schema_id: null })
})

async function parseLines(request: Request): Promise<object> {
  const decoder = new TextDecoder()
  let [rest, count] = ['', 0]
  if (request.body === null) return {}
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      JSON.parse(line)
      count += 1
    }
  }
  return { records: count, failed: 0, complete: true, errors: [] }
}

const records = Array.from({ length: 100 }, (_, offset) => ({
  ...{ topic: 'bench', partition: 0, offset, timestamp: 1_795_377_193_808, headers: [], key: null },
  value: { n: offset, text: 'x'.repeat(80) },
}))
app.get('/topics/:topic/partitions/:partition/records', (c) => c.json(records))

app.get('/topics/:topic/records', () => {
  let own: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      own = controller
      tails.add(own)
      own.enqueue(encoder.encode('event: ping\ndata: {}\n\n'))
    },
    cancel() {
      tails.delete(own)
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
})

/** One encoding for all. */
function tell(records: ListBody['records']): void {
  const texts = records.map(
    (record) => `event: message\nid: ${next}\ndata: ${JSON.stringify(record)}\n\n`,
  )
  const bytes = encoder.encode(texts.join(''))
  for (const tail of tails) tail.enqueue(bytes)
}

/** Serves on a port of loopback that the system chooses, until the process ends; resolves with the port. */
export async function serveLimit(): Promise<number> {
  const { Bun, Deno } = globalThis as Runtimes
  const address = { hostname: '127.0.0.1', port: 0 }
  if (Bun) return Bun.serve({ ...address, fetch: app.fetch, idleTimeout: 0 }).port
  if (Deno) return Deno.serve({ ...address, onListen: () => {} }, app.fetch).addr.port
  const { serve } = await import('@hono/node-server')
  return await new Promise((resolve) =>
    serve({ ...address, fetch: app.fetch, overrideGlobalObjects: false }, ({ port }) =>
      resolve(port),
    ),
  )
}
