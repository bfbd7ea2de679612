// Records deleted over HTTP: up to where, and what is refused.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic, cluster } = await runningBroker()
await createTopic('there')
await createTopic('__consumer_offsets')
let topicCount = 0

/** The path of a new partition's records: offsets 0 to 4, a millisecond apart from 1000 on. */
async function fiveRecords(configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `t${topicCount++}`
  await createTopic(name)
  await ask('POST', `/topics/${name}`, {
    records: [0, 1, 2, 3, 4].map((value) => ({ value, key: `${value}`, timestamp: 1_000 + value })),
  })
  const data = Object.entries(configs).map(([config, value]) => ({ name: config, value }))
  const altered = await ask('POST', `${cluster}/topics/${name}/configs:alter`, { data })
  expect(altered.status).toBe(204)
  return `/topics/${name}/partitions/0/records`
}

async function firstOffset(path: string): Promise<number> {
  const offsets = path.replace(/records$/, 'offsets')
  return (await get<{ beginning_offset: number }>(offsets)).beginning_offset
}

test.each([
  { query: 'before=3', start: 3 },
  { query: 'before=0', start: 0 },
  { query: 'before=5', start: 5 },
  { query: 'before=latest', start: 5 },
  { query: 'before=earliest', start: 0 },
  { query: 'before=-2', start: 3 },
  { query: 'before=-99', start: 0 },
  { query: 'before_timestamp=1002', start: 2 },
  { query: 'before_timestamp=1970-01-01T00:00:01.004Z', start: 4 },
  { query: 'before_timestamp=9999', start: 5 },
])('DELETE records?$query leaves a log that starts at $start', async ({ query, start }) => {
  const path = await fiveRecords()
  const response = await ask('DELETE', `${path}?${query}`)
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ log_start_offset: start })
  expect(await firstOffset(path)).toBe(start)
  const left = await get<{ offset: number }[]>(path)
  expect(left.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4].slice(start))
})

test('DELETE records never moves the log start back', async () => {
  const path = await fiveRecords()
  await ask('DELETE', `${path}?before=3`)
  for (const query of ['before=1', 'before=earliest', 'before=-5', 'before_timestamp=0']) {
    const response = await ask('DELETE', `${path}?${query}`)
    expect([query, await response.json()]).toEqual([query, { log_start_offset: 3 }])
  }
})

test.each([
  { why: 'nothing that says what', query: '', code: 400 },
  { why: 'a word that is no place', query: '?before=soon', code: 400 },
  { why: 'a fraction', query: '?before=1.5', code: 400 },
  { why: 'an empty place', query: '?before=', code: 400 },
  { why: 'a number beyond all offsets', query: '?before=9223372036854775807', code: 400 },
  { why: 'a time that is none', query: '?before_timestamp=yesterday', code: 400 },
  { why: 'a place and a time', query: '?before=1&before_timestamp=1', code: 400 },
  { why: 'an offset beyond the end', query: '?before=6', code: 41601 },
  {
    why: 'a topic that is only compacted',
    query: '?before=1',
    code: 40002,
    configs: { 'cleanup.policy': 'compact' },
  },
])('DELETE records with $why answers $code and deletes nothing', async (row) => {
  const path = await fiveRecords(row.configs)
  const response = await ask('DELETE', path + row.query)
  expect(response.status).toBe(Number(String(row.code).slice(0, 3)))
  expect(await response.json()).toEqual({
    error_code: row.code,
    message: expect.stringMatching(row.query.includes('=') ? /\w/ : /before/),
  })
  expect(await firstOffset(path)).toBe(0)
})

test('DELETE records of a topic that is compacted and deleted from is done', async () => {
  const path = await fiveRecords({ 'cleanup.policy': 'compact,delete' })
  expect(await (await ask('DELETE', `${path}?before=2`)).json()).toEqual({ log_start_offset: 2 })
})

test.each([
  { path: '/topics/none/partitions/0/records', code: 40401 },
  { path: '/topics/there/partitions/1/records', code: 40402 },
  { path: '/topics/there/partitions/x/records', code: 40402 },
  { path: '/topics/__consumer_offsets/partitions/0/records', code: 40002 },
])('DELETE $path answers $code', async ({ path, code }) => {
  const response = await ask('DELETE', `${path}?before=latest`)
  expect(await response.json()).toEqual({ error_code: code, message: expect.stringMatching(/\w/) })
  expect(response.status).toBe(Number(String(code).slice(0, 3)))
})

test('A page of another site deletes no records', async () => {
  const path = await fiveRecords()
  const headers = { origin: 'https://evil.example' }
  expect((await ask('DELETE', `${path}?before=latest`, undefined, headers)).status).toBe(403)
  expect(await firstOffset(path)).toBe(0)
})
