// Topics and partitions as REST v2 shows them.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic } = await runningBroker()
await createTopic('b', 2)
await createTopic('a')

test('GET /topics lists names in order', async () => {
  expect(await get('/topics')).toEqual(['a', 'b'])
})

test('GET /topics/{topic} shows configs and partitions as REST v2 does', async () => {
  const topic = await get<{ configs: Record<string, string> }>('/topics/b')
  expect(topic).toMatchObject({
    name: 'b',
    partitions: [
      { partition: 0, leader: 1, replicas: [{ broker: 1, leader: true, in_sync: true }] },
      { partition: 1, leader: 1, replicas: [{ broker: 1, leader: true, in_sync: true }] },
    ],
  })
  expect(topic.configs['cleanup.policy']).toBe('delete')
})

test('GET /topics/{topic}/partitions/{partition} shows one', async () => {
  const [first, second] = await get<object[]>('/topics/b/partitions')
  expect(await get('/topics/b/partitions/0')).toEqual(first)
  expect(await get('/topics/b/partitions/1')).toEqual(second)
})

test('GET …/offsets shows the first offset and the end', async () => {
  expect(await get('/topics/a/partitions/0/offsets')).toEqual({
    beginning_offset: 0,
    end_offset: 0,
  })
  await ask('POST', '/topics/a', { records: [{ value: 1 }, { value: 2 }] })
  expect(await get('/topics/a/partitions/0/offsets')).toEqual({
    beginning_offset: 0,
    end_offset: 2,
  })
})

test('GET /brokers lists ids', async () => {
  expect(await get('/brokers')).toEqual({ brokers: [1] })
})

test.each([
  { path: '/topics/none', code: 40401 },
  { path: '/topics/none/partitions', code: 40401 },
  { path: '/topics/a/partitions/1', code: 40402 },
  { path: '/topics/a/partitions/x', code: 40402 },
  { path: '/topics/a/partitions/99999999999/offsets', code: 40402 },
  { path: '/nowhere', code: 404 },
])('GET $path answers 404 with $code', async ({ path, code }) => {
  const response = await ask('GET', path)
  expect(response.status).toBe(404)
  expect(await response.json()).toEqual({ error_code: code, message: expect.stringMatching(/\w/) })
})

test('A path with other methods answers 405 and names them', async () => {
  const response = await ask('PUT', '/topics/a')
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'POST'])
  expect(await response.json()).toMatchObject({ error_code: 405 })
})

test('The metadata type of REST v2 is answered in kind', async () => {
  const type = 'application/vnd.kafka.v2+json'
  const response = await ask('GET', '/topics', undefined, { accept: `${type}, */*;q=0.1` })
  expect(response.headers.get('content-type')).toBe(type)
})
