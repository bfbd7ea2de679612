// What an operator asks: health, recovery, metrics, the API's description.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic, cluster, door } = await runningBroker()

interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, { summary?: string; requestBody?: { content: object } }>>
}

test('GET /health/live and /health/ready answer 200 while the broker runs', async () => {
  expect(await get('/health/live')).toEqual({ status: 'live' })
  expect(await get('/health/ready')).toEqual({ status: 'ready' })
})

test('GET /recovery reports on the last start', async () => {
  expect(await get('/recovery')).toMatchObject({
    started_at: expect.any(Number),
    duration_ms: expect.any(Number),
    log_count: expect.any(Number),
    had_clean_shutdown: null,
    findings: [],
    notes: [],
  })
})

test('GET / says what this is, and its links lead somewhere', async () => {
  const index = await get<{ name: string; links: Record<string, string> }>('/')
  expect(index.name).toBe('millrace')
  for (const link of Object.values(index.links)) {
    expect([link, (await ask('GET', link)).status]).toEqual([link, 200])
  }
})

test('GET /metrics shows what was counted, each time anew', async () => {
  await createTopic('counted')
  await ask('POST', '/topics/counted', { records: [{ value: 1 }, { value: 2 }] })
  await ask('GET', '/topics/none')
  const scrape = async () => (await ask('GET', '/metrics')).text()
  const first = await scrape()
  expect(first).toContain('# TYPE millrace_produced_records_total counter')
  expect(first).toMatch(/^millrace_produced_records_total 2$/m)
  expect(first).toMatch(/^millrace_http_requests_total\{method="GET",status="404"\} 1$/m)
  expect(first).toMatch(/^millrace_topics 1$/m)
  expect(first).toMatch(/^process_resident_memory_bytes \d{6,}/m)
  expect(await scrape()).toMatch(/^millrace_produced_records_total 2$/m)
  expect((await ask('GET', '/metrics')).headers.get('content-type')).toContain('text/plain')
})

test('GET /openapi.json describes every route, with the bodies that are checked', async () => {
  const { openapi, paths } = await get<OpenApi>('/openapi.json')
  expect(openapi).toBe('3.1.0')
  const described = door.routes.map(({ method, path }) => {
    const name = path
      .replace(/:\w+\{([^}]+)\}/, '$1')
      .replace(/:(\w+)(?=\/|$)/g, (whole, part) =>
        whole.startsWith(':alter') ? whole : `{${part}}`,
      )
    return [method, name, paths[name]?.[method.toLowerCase()]?.summary]
  })
  expect(described.filter(([, , summary]) => summary === undefined)).toEqual([])
  const create = paths['/v3/clusters/{cluster}/topics']?.['post']
  expect(JSON.stringify(create?.requestBody?.content)).toContain('partitions_count')
})

test('Paths of REST v3 carry the id that / names', async () => {
  const { cluster_id } = await get<{ cluster_id: string }>('/')
  expect(cluster).toBe(`/v3/clusters/${cluster_id}`)
})
