// Produce over HTTP: every content type, acks, errors per record, endless bodies.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

interface Produced {
  offsets: { partition: number; offset: number; error_code: number | null; error: string | null }[]
}
interface Summary {
  records: number
  failed: number
  complete: boolean
  partitions: { partition: number; first_offset: number; last_offset: number; records: number }[]
  errors: { line: number; error_code: number }[]
}
interface Shown {
  key: unknown
  value: unknown
  headers: object[]
  timestamp: number | string
  offset: number
}

const { ask, get, createTopic } = await runningBroker({
  maxRequestBytes: 4_000_000,
  maxRequestRecords: 10,
})
const NDJSON = { 'content-type': 'application/x-ndjson' }
const read = (topic: string, partition = 0) =>
  get<Shown[]>(`/topics/${topic}/partitions/${partition}/records?offset=earliest`)

test('POST a topic makes it, and answers a place for each record', async () => {
  const response = await ask('POST', '/topics/fresh', {
    records: [{ key: 'en', value: 'hello' }, { value: { n: 1 } }],
  })
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({
    offsets: [
      { partition: 0, offset: 0, error_code: null, error: null },
      { partition: 0, offset: 1, error_code: null, error: null },
    ],
    key_schema_id: null,
    value_schema_id: null,
  })
  expect(await read('fresh')).toMatchObject([
    { key: 'en', value: 'hello' },
    { key: null, value: { n: 1 } },
  ])
})

test('POST keeps headers, timestamps and every digit', async () => {
  const body =
    '{"records":[{"value":{"id":12345678901234567890},"timestamp":1234,"headers":[{"name":"a","value":"b"}]}]}'
  await ask('POST', '/topics/exact', body, { 'content-type': 'application/json' })
  const path = '/topics/exact/partitions/0/records'
  const text = await (await ask('GET', path)).text()
  expect(text).toContain('"value":{"id":12345678901234567890}')
  expect(JSON.parse(text)).toMatchObject([
    { timestamp: 1234, headers: [{ name: 'a', value: 'b' }] },
  ])
})

test('POST in REST v2 types stores JSON text and base64', async () => {
  const json = { 'content-type': 'application/vnd.kafka.json.v2+json' }
  const binary = { 'content-type': 'application/vnd.kafka.binary.v2+json' }
  await ask('POST', '/topics/types', { records: [{ key: 'en', value: 'hi' }] }, json)
  await ask('POST', '/topics/types', { records: [{ key: '/w==', value: 'aGk=' }] }, binary)
  const accept = { accept: 'application/vnd.kafka.binary.v2+json' }
  expect(await get('/topics/types/partitions/0/records', accept)).toEqual([
    { topic: 'types', key: btoa('"en"'), value: btoa('"hi"'), partition: 0, offset: 0 },
    { topic: 'types', key: '/w==', value: 'aGk=', partition: 0, offset: 1 },
  ])
})

test('POST spreads keyless records in turn, and puts keys where Java puts them', async () => {
  await createTopic('spread', 3)
  const keyless = await ask('POST', '/topics/spread', {
    records: [{ value: 1 }, { value: 2 }, { value: 3 }],
  })
  const { offsets } = (await keyless.json()) as Produced
  expect(offsets.map(({ partition }) => partition).toSorted()).toEqual([0, 1, 2])
  // murmur2("21") = -973932308, from Kafka's own tests: toPositive(…) % 3 = 2.
  const keyed = await ask('POST', '/topics/spread', { records: [{ key: '21', value: 1 }] })
  expect(((await keyed.json()) as Produced).offsets[0]?.partition).toBe(
    (-973_932_308 & 0x7fffffff) % 3,
  )
})

test('POST to one partition puts everything there', async () => {
  await createTopic('one', 3)
  const path = '/topics/one/partitions/2'
  const response = await ask('POST', path, { records: [{ key: 'a', value: 1 }, { value: 2 }] })
  expect((await response.json()) as Produced).toMatchObject({
    offsets: [
      { partition: 2, offset: 0 },
      { partition: 2, offset: 1 },
    ],
  })
  expect((await ask('POST', '/topics/one/partitions/3', { records: [{ value: 1 }] })).status).toBe(
    404,
  )
  const other = { records: [{ partition: 1, value: 1 }] }
  expect((await ask('POST', path, other)).status).toBe(422)
})

test('POST answers for each record when one is refused', async () => {
  await createTopic('mixed')
  const response = await ask('POST', '/topics/mixed', {
    records: [{ value: 1 }, { value: 2, partition: 7 }, { value: 3 }],
  })
  expect(response.status).toBe(200)
  const { offsets } = (await response.json()) as Produced
  expect(offsets.map(({ offset }) => offset)).toEqual([0, null, 1])
  expect(offsets[1]).toMatchObject({ partition: null, error_code: 40401 })
})

test.each([
  { why: 'what is not JSON', body: '{"records":', status: 400 },
  { why: 'a body without records', body: '{}', status: 422 },
  { why: 'no record', body: '{"records":[]}', status: 422 },
  { why: 'a record that is none', body: '{"records":[1]}', status: 422 },
  { why: 'more records than allowed', body: `{"records":[${'{},'.repeat(10)}{}]}`, status: 413 },
  {
    why: 'a body larger than allowed',
    body: `{"records":[{"value":"${'x'.repeat(4_000_000)}"}]}`,
    status: 413,
  },
])('POST refuses $why with $status, and stores nothing', async ({ body, status }) => {
  await createTopic(`refused-${status}`).catch(() => undefined)
  const response = await ask('POST', `/topics/refused-${status}`, body, {
    'content-type': 'application/json',
  })
  expect(response.status).toBe(status)
  expect(await read(`refused-${status}`)).toEqual([])
})

test('POST refuses unknown acks with 400, an unknown vendor type and compressed bodies with 415', async () => {
  const records = { records: [{ value: 1 }] }
  expect((await ask('POST', '/topics/t?acks=2', records)).status).toBe(400)
  const avro = { 'content-type': 'application/vnd.kafka.avro.v2+json' }
  expect((await ask('POST', '/topics/t', records, avro)).status).toBe(415)
  const gzip = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  expect((await ask('POST', '/topics/t', records, gzip)).status).toBe(415)
})

test.each(['0', '1', 'all'])('POST with acks=%s stores the record', async (acks) => {
  await ask('POST', `/topics/acks-${acks}?acks=${acks}`, { records: [{ value: acks }] })
  expect(await read(`acks-${acks}`)).toMatchObject([{ offset: 0 }])
})

test('POST of any other type is one raw record, with its key in the query', async () => {
  const body = new Uint8Array([0, 255, 10])
  const type = { 'content-type': 'image/png' }
  const response = await ask('POST', '/topics/raw?key=k%C3%A9&timestamp=99', body, type)
  expect(await response.json()).toMatchObject({ offsets: [{ partition: 0, offset: 0 }] })
  expect(await read('raw')).toMatchObject([
    { key: 'ké', value: 'AP8K', value_encoding: 'base64', timestamp: 99 },
  ])
})

test('POST NDJSON answers with a summary, errors by line', async () => {
  const body =
    '{"value":1}\n\n{"value":\n{"value":2,"key":"k"}\r\n{"value":3,"partition":9}\n{"value":4}'
  const response = await ask('POST', '/topics/lines', body, NDJSON)
  expect(response.status).toBe(200)
  const summary = (await response.json()) as Summary
  expect(summary).toMatchObject({
    records: 3,
    failed: 2,
    complete: true,
    partitions: [{ partition: 0, first_offset: 0, last_offset: 2, records: 3 }],
    errors: [
      { line: 3, error_code: 42203 },
      { line: 5, error_code: 40401 },
    ],
  })
  expect((await read('lines')).map(({ value }) => value)).toEqual([1, 2, 4])
})

test('POST NDJSON stores a line as soon as it has come, before the body ends', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const line = (value: number) => new TextEncoder().encode(`{"value":${value}}\n`)
  await createTopic('slow')
  const response = ask('POST', '/topics/slow', readable, NDJSON)
  await writer.write(line(1))
  const waited = await get<Shown[]>('/topics/slow/partitions/0/records?offset=0&timeout=10000')
  expect(waited.map(({ value }) => value)).toEqual([1])
  await writer.write(line(2))
  await writer.close()
  expect(await (await response).json()).toMatchObject({ records: 2, complete: true })
})

test('POST NDJSON answers line by line to a client that accepts NDJSON', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const headers = { ...NDJSON, accept: 'application/x-ndjson' }
  const response = await ask('POST', '/topics/duplex', readable, headers)
  const answers = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  void writer.write(new TextEncoder().encode('{"value":1}\n{"val'))
  expect(JSON.parse((await answers?.read())?.value ?? '')).toEqual({
    line: 1,
    partition: 0,
    offset: 0,
    error_code: null,
    error: null,
  })
  void writer.write(new TextEncoder().encode('ue":2}\nnonsense'))
  void writer.close()
  let rest = ''
  for (let read = await answers?.read(); read && !read.done; read = await answers?.read()) {
    rest += read.value
  }
  const lines = rest
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  expect(lines).toMatchObject([
    { line: 2, offset: 1 },
    { line: 3, offset: null, error_code: 42203 },
  ])
})

test('POST NDJSON to a partition refuses a line for another one, and no other line', async () => {
  await createTopic('here', 2)
  const body = '{"value":1}\n{"partition":1,"value":2}\n{"partition":0,"value":3}\n'
  const summary = await (await ask('POST', '/topics/here/partitions/0', body, NDJSON)).json()
  expect(summary).toMatchObject({
    records: 2,
    failed: 1,
    partitions: [{ partition: 0, first_offset: 0, last_offset: 1, records: 2 }],
    errors: [{ line: 2, error_code: 42206 }],
  })
})

test('POST NDJSON keeps the order of a long body', async () => {
  const values = Array.from({ length: 30_000 }, (_, value) => value)
  const body = values.map((value) => `{"value":${value}}\n`).join('')
  const summary = (await (await ask('POST', '/topics/long', body, NDJSON)).json()) as Summary
  expect(summary).toMatchObject({ records: 30_000, failed: 0 })
  const seen: unknown[] = []
  while (seen.length < values.length) {
    const path = `/topics/long/partitions/0/records?offset=${seen.length}&max_records=10000`
    const records = await get<Shown[]>(path)
    expect(records.length).toBeGreaterThan(0)
    seen.push(...records.map(({ value }) => value))
  }
  expect(seen).toEqual(values)
})
