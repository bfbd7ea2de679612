// Partitions and replicas as REST v3 shows them.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic, cluster } = await runningBroker()
await createTopic('t', 2)
const partitions = `${cluster}/topics/t/partitions`

test('GET partitions lists them with links to leader and replicas', async () => {
  const list = await get<{ kind: string; data: object[] }>(partitions)
  expect(list.kind).toBe('KafkaPartitionList')
  expect(list.data).toHaveLength(2)
  expect(list.data[1]).toMatchObject({
    kind: 'KafkaPartition',
    metadata: { self: `http://broker${partitions}/1` },
    topic_name: 't',
    partition_id: 1,
    leader: { related: `http://broker${partitions}/1/replicas/1` },
    replicas: { related: `http://broker${partitions}/1/replicas` },
  })
  expect(await get(`${partitions}/1`)).toEqual(list.data[1])
})

test('GET replicas shows who leads and who is in sync', async () => {
  const list = await get<{ data: object[] }>(`${partitions}/0/replicas`)
  expect(list.data).toHaveLength(1)
  expect(list.data[0]).toMatchObject({ broker_id: 1, is_leader: true, is_in_sync: true })
  expect(await get(`${partitions}/0/replicas/1`)).toEqual(list.data[0])
  expect((await ask('GET', `${partitions}/0/replicas/2`)).status).toBe(404)
})

test('GET clusters and brokers show this broker', async () => {
  const list = await get<{ data: { cluster_id: string }[] }>('/v3/clusters')
  expect(list.data[0]).toEqual(await get(cluster))
  expect(list.data[0]?.cluster_id).toBe(cluster.split('/').at(-1))
  const brokers = await get<{ data: object[] }>(`${cluster}/brokers`)
  expect(brokers.data[0]).toMatchObject({ kind: 'KafkaBroker', broker_id: 1 })
  expect(await get(`${cluster}/brokers/1`)).toEqual(brokers.data[0])
  expect((await ask('GET', `${cluster}/brokers/2`)).status).toBe(404)
})

test('A partition that does not exist answers 404', async () => {
  expect((await ask('GET', `${partitions}/2`)).status).toBe(404)
})
