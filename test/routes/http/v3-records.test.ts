// REST v3's produce: objects one behind another, a report for each.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic, cluster } = await runningBroker()
const JSON_TYPE = { 'content-type': 'application/json' }
await createTopic('t', 2)
const path = `${cluster}/topics/t/records`

async function reports(body: string): Promise<Record<string, unknown>[]> {
  const response = await ask('POST', path, body, JSON_TYPE)
  expect(response.status).toBe(200)
  const text = await response.text()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('POST records reports on each of many objects, in order', async () => {
  const answers = await reports(
    '{"partition_id":1,"key":{"type":"STRING","data":"k"},"value":{"type":"JSON","data":{"n":1}},' +
      '"headers":[{"name":"h","value":"aGk="}],"timestamp":"2021-02-05T19:14:42Z"}' +
      '{"partition_id":1,"value":{"type":"BINARY","data":"/w=="}} {"partition_id":1}',
  )
  expect(answers).toHaveLength(3)
  expect(answers[0]).toEqual({
    error_code: 200,
    cluster_id: cluster.split('/').at(-1),
    topic_name: 't',
    partition_id: 1,
    offset: 0,
    timestamp: '2021-02-05T19:14:42.000Z',
    key: { size: 1 },
    value: { size: 7 },
  })
  expect(answers.map(({ offset }) => offset)).toEqual([0, 1, 2])
  expect(await get('/topics/t/partitions/1/records')).toMatchObject([
    { key: 'k', value: { n: 1 }, headers: [{ name: 'h', value: 'hi' }], timestamp: 1612552482000 },
    { key: null, value: '/w==', value_encoding: 'base64' },
    { key: null, value: null },
  ])
})

test('POST records reports a record that is refused and goes on', async () => {
  const answers = await reports(
    '{"partition_id":9}{"value":{"type":"AVRO","data":1}}{"partition_id":0}',
  )
  expect(answers.map(({ error_code }) => error_code)).toEqual([40403, 42206, 200])
})

test('POST records ends with a report on what is not JSON', async () => {
  const answers = await reports('{"partition_id":0} nonsense')
  expect(answers.at(-1)).toMatchObject({ error_code: 400 })
})

test('POST records refuses other types with 415', async () => {
  expect((await ask('POST', path, '{}', { 'content-type': 'text/plain' })).status).toBe(415)
})
