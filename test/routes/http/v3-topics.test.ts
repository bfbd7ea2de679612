// Topics created, grown, described and deleted as REST v3 does.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic, cluster } = await runningBroker()
const clusterId = cluster.split('/').at(-1)
const topics = `${cluster}/topics`

test('POST topics creates one and shows it as REST v3 does', async () => {
  const response = await ask('POST', topics, {
    topic_name: 'new',
    partitions_count: 3,
    replication_factor: 1,
    configs: [{ name: 'retention.ms', value: '1000' }],
  })
  expect(response.status).toBe(201)
  const self = `http://broker${topics}/new`
  expect(response.headers.get('location')).toBe(self)
  expect(await response.json()).toEqual({
    kind: 'KafkaTopic',
    metadata: { self, resource_name: `crn:///kafka=${clusterId}/topic=new` },
    cluster_id: clusterId,
    topic_name: 'new',
    topic_id: expect.stringMatching(/^[\w-]{22}$/),
    is_internal: false,
    replication_factor: 1,
    partitions_count: 3,
    partitions: { related: `${self}/partitions` },
    configs: { related: `${self}/configs` },
    partition_reassignments: { related: `${self}/partitions/-/reassignments` },
  })
  const config = await get<{ value: string }>(`${topics}/new/configs/retention.ms`)
  expect(config.value).toBe('1000')
})

test('POST topics with validate_only creates nothing', async () => {
  const response = await ask('POST', topics, { topic_name: 'maybe', validate_only: true })
  expect(response.status).toBe(200)
  expect((await ask('GET', `${topics}/maybe`)).status).toBe(404)
})

test.each([
  { why: 'a name that is taken', body: { topic_name: 'new' }, code: 40002 },
  { why: 'a name that Kafka would not have', body: { topic_name: 'a b' }, code: 40002 },
  { why: 'no partitions', body: { topic_name: 'x', partitions_count: 0 }, code: 40002 },
  { why: 'no name', body: {}, code: 422 },
  { why: 'a count that is text', body: { topic_name: 'x', partitions_count: '3' }, code: 422 },
])('POST topics refuses $why with $code', async ({ body, code }) => {
  const response = await ask('POST', topics, body)
  expect(response.status).toBe(code === 422 ? 422 : 400)
  expect(await response.json()).toEqual({ error_code: code, message: expect.stringMatching(/\w/) })
})

test('POST topics refuses what is not JSON with 400, and what says so with 415', async () => {
  const json = { 'content-type': 'application/json' }
  expect((await ask('POST', topics, '{', json)).status).toBe(400)
  expect((await ask('POST', topics, '{}', { 'content-type': 'text/plain' })).status).toBe(415)
})

test('GET topics lists all of them', async () => {
  const list = await get<{ kind: string; data: { topic_name: string }[] }>(topics)
  expect(list).toMatchObject({
    kind: 'KafkaTopicList',
    metadata: { self: `http://broker${topics}`, next: null },
  })
  expect(list.data.map(({ topic_name }) => topic_name)).toContain('new')
})

test('PATCH a topic adds partitions, and never takes any away', async () => {
  await createTopic('grow')
  const grown = await ask('PATCH', `${topics}/grow`, { partitions_count: 4 })
  expect(await grown.json()).toMatchObject({ partitions_count: 4 })
  expect((await ask('PATCH', `${topics}/grow`, { partitions_count: 4 })).status).toBe(400)
  expect((await ask('PATCH', `${topics}/grow`, { partitions_count: 2 })).status).toBe(400)
})

test('DELETE a topic answers 204, then 404 in the words of v3', async () => {
  await createTopic('gone')
  expect((await ask('DELETE', `${topics}/gone`)).status).toBe(204)
  const again = await ask('DELETE', `${topics}/gone`)
  expect(await again.json()).toMatchObject({ error_code: 40403 })
})

test('Paths of another cluster answer 404', async () => {
  const response = await ask('GET', '/v3/clusters/another/topics')
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ error_code: 404 })
})
