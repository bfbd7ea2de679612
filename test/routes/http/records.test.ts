// Stateless reads: where from, how much, how long to wait, in which form.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

interface Shown {
  offset: number
  value: unknown
}

const { ask, get, createTopic } = await runningBroker()
await createTopic('t')
const values = [10, 20, 30, 40, 50]
await ask('POST', '/topics/t', {
  records: values.map((value) => ({ value, timestamp: 1_000 + value })),
})
const path = '/topics/t/partitions/0/records'
const offsets = async (query: string) =>
  (await get<Shown[]>(`${path}?${query}`)).map(({ offset }) => offset)

test.each([
  { query: '', found: [0, 1, 2, 3, 4] },
  { query: 'offset=earliest', found: [0, 1, 2, 3, 4] },
  { query: 'offset=latest', found: [] },
  { query: 'offset=3', found: [3, 4] },
  { query: 'offset=5', found: [] },
  { query: 'offset=-2', found: [3, 4] },
  { query: 'offset=-99', found: [0, 1, 2, 3, 4] },
  { query: 'timestamp=1030', found: [2, 3, 4] },
  { query: 'timestamp=1031', found: [3, 4] },
  { query: 'timestamp=9999', found: [] },
  { query: 'timestamp=1970-01-01T00:00:01.040Z', found: [3, 4] },
  { query: 'offset=1&max_records=2', found: [1, 2] },
  { query: 'offset=1&max_records=0', found: [] },
  { query: 'isolation_level=read_committed', found: [0, 1, 2, 3, 4] },
])('GET records?$query finds $found', async ({ query, found }) => {
  expect(await offsets(query)).toEqual(found)
})

test('GET records with a small max_bytes still returns a record', async () => {
  expect((await offsets('offset=2&max_bytes=1')).at(0)).toBe(2)
})

test('GET records says in headers where to go on', async () => {
  const response = await ask('GET', `${path}?offset=1&max_records=2`)
  expect(response.headers.get('millrace-next-offset')).toBe('3')
  expect(response.headers.get('millrace-high-watermark')).toBe('5')
  expect(response.headers.get('millrace-log-start-offset')).toBe('0')
})

test.each([
  { query: 'offset=6', status: 416 },
  { query: 'offset=soon', status: 400 },
  { query: 'offset=1&timestamp=2', status: 400 },
  { query: 'timestamp=yesterday', status: 400 },
  { query: 'max_bytes=many', status: 400 },
  { query: 'timeout=-1', status: 400 },
  { query: 'isolation_level=none', status: 400 },
])('GET records?$query answers $status', async ({ query, status }) => {
  expect((await ask('GET', `${path}?${query}`)).status).toBe(status)
})

test('GET records of what does not exist answers 404', async () => {
  expect((await ask('GET', '/topics/none/partitions/0/records')).status).toBe(404)
  const missing = await ask('GET', '/topics/t/partitions/1/records')
  expect(await missing.json()).toMatchObject({ error_code: 40402 })
})

test('GET records in REST v2 types has neither headers nor timestamp', async () => {
  const json = { accept: 'application/vnd.kafka.json.v2+json' }
  expect(await get(`${path}?max_records=1`, json)).toEqual([
    { topic: 't', key: null, value: 10, partition: 0, offset: 0 },
  ])
  const binary = { accept: 'application/vnd.kafka.binary.v2+json' }
  expect(await get(`${path}?max_records=1`, binary)).toEqual([
    { topic: 't', key: null, value: btoa('10'), partition: 0, offset: 0 },
  ])
})

test('GET records as NDJSON is a record a line', async () => {
  const response = await ask('GET', path, undefined, { accept: 'application/x-ndjson' })
  const lines = (await response.text()).trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as Shown).value)).toEqual(values)
})

test('GET records as octet-stream is the value of one record', async () => {
  const bytes = { accept: 'application/octet-stream' }
  const response = await ask('GET', `${path}?offset=2`, undefined, bytes)
  expect(await response.text()).toBe('30')
  expect(response.headers.get('millrace-offset')).toBe('2')
  expect((await ask('GET', `${path}?offset=5`, undefined, bytes)).status).toBe(204)
})

test('GET records refuses other types with 406', async () => {
  expect((await ask('GET', path, undefined, { accept: 'text/html' })).status).toBe(406)
})

test('GET records with a timeout waits for the record that comes', async () => {
  await createTopic('later')
  const waiting = get<Shown[]>('/topics/later/partitions/0/records?offset=0&timeout=20000')
  await ask('POST', '/topics/later', { records: [{ value: 'now' }] })
  expect(await waiting).toMatchObject([{ offset: 0, value: 'now' }])
})

test('GET records with a timeout answers nothing when nothing comes', async () => {
  expect(await offsets('offset=latest&timeout=20')).toEqual([])
})
