// Consumer groups as REST v3 shows them.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic, cluster } = await runningBroker()
const clusterId = cluster.split('/').at(-1)
const groups = `${cluster}/consumer-groups`
const url = (path: string) => `http://broker${path}`

test('A group that does not exist is 404 in every one of its resources', async () => {
  for (const path of ['', '/consumers', '/consumers/c', '/lag-summary', '/lags']) {
    const response = await ask('GET', `${groups}/nobody${path}`)
    expect([path, response.status]).toEqual([path, 404])
    expect(await response.json()).toEqual({
      error_code: 404,
      message: 'Group nobody does not exist',
    })
  }
  expect(await get(groups)).toEqual({
    kind: 'KafkaConsumerGroupList',
    metadata: { self: url(groups), next: null },
    data: [],
  })
})

test('A group is shown with its consumers, their assignments and their lags', async () => {
  await createTopic('orders', 2)
  const records = [0, 0, 0, 1].map((partition) => ({ value: 1, partition }))
  await ask('POST', '/topics/orders', { records })
  const start = { to: 'offset', offset: 1, topics: ['orders'] }
  await ask('POST', '/groups/readers/reset', start)
  await ask('POST', '/consumers/readers', { name: 'one', 'auto.commit.enable': 'false' })
  const instance = '/consumers/readers/instances/one'
  await ask('POST', `${instance}/subscription`, { topics: ['orders'] })

  const self = url(`${groups}/readers`)
  const group = {
    kind: 'KafkaConsumerGroup',
    metadata: { self, resource_name: `crn:///kafka=${clusterId}/consumer-group=readers` },
    cluster_id: clusterId,
    consumer_group_id: 'readers',
    is_simple: false,
    partition_assignor: 'uniform',
    state: 'STABLE',
    type: 'CONSUMER',
    is_mixed_consumer_group: false,
    coordinator: { related: url(`${cluster}/brokers/1`) },
    consumers: { related: `${self}/consumers` },
    lag_summary: { related: `${self}/lag-summary` },
  }
  expect(await get(`${groups}/readers`)).toEqual(group)
  expect(await get(groups)).toMatchObject({ data: [group] })

  const { data: consumers } = await get<{ data: { consumer_id: string }[] }>(
    `${groups}/readers/consumers`,
  )
  const id = consumers[0]?.consumer_id ?? ''
  const consumer = {
    kind: 'KafkaConsumer',
    metadata: {
      self: `${self}/consumers/${id}`,
      resource_name: `crn:///kafka=${clusterId}/consumer-group=readers/consumer=${id}`,
    },
    cluster_id: clusterId,
    consumer_group_id: 'readers',
    consumer_id: id,
    instance_id: null,
    client_id: 'one',
    assignments: { related: `${self}/consumers/${id}/assignments` },
  }
  expect(consumers).toEqual([consumer])
  expect(await get(`${groups}/readers/consumers/${id}`)).toEqual(consumer)
  expect((await ask('GET', `${groups}/readers/consumers/none`)).status).toBe(404)

  const assignments = `${groups}/readers/consumers/${id}/assignments`
  const second = {
    kind: 'KafkaConsumerAssignment',
    metadata: {
      self: url(`${assignments}/orders/partitions/1`),
      resource_name: `crn:///kafka=${clusterId}/consumer-group=readers/consumer=${id}/assignment=orders/partition=1`,
    },
    cluster_id: clusterId,
    consumer_group_id: 'readers',
    consumer_id: id,
    topic_name: 'orders',
    partition_id: 1,
    partition: { related: url(`${cluster}/topics/orders/partitions/1`) },
    lag: { related: `${self}/lags/orders/partitions/1` },
  }
  expect(await get(assignments)).toMatchObject({
    kind: 'KafkaConsumerAssignmentList',
    data: [{ partition_id: 0 }, second],
  })
  expect(await get(`${assignments}/orders/partitions/1`)).toEqual(second)
  expect((await ask('GET', `${assignments}/orders/partitions/2`)).status).toBe(404)

  const lag = {
    kind: 'KafkaConsumerLag',
    metadata: {
      self: `${self}/lags/orders/partitions/0`,
      resource_name: `crn:///kafka=${clusterId}/consumer-group=readers/lag=orders/partition=0`,
    },
    cluster_id: clusterId,
    consumer_group_id: 'readers',
    topic_name: 'orders',
    partition_id: 0,
    consumer_id: id,
    instance_id: null,
    client_id: 'one',
    current_offset: 1,
    log_end_offset: 3,
    lag: 2,
  }
  expect(await get(`${groups}/readers/lags`)).toMatchObject({ data: [lag, { lag: 0 }] })
  expect(await get(`${groups}/readers/lags/orders/partitions/0`)).toEqual(lag)
  expect((await ask('GET', `${groups}/readers/lags/none/partitions/0`)).status).toBe(404)
  expect(await get(`${groups}/readers/lag-summary`)).toEqual({
    kind: 'KafkaConsumerGroupLagSummary',
    metadata: {
      self: `${self}/lag-summary`,
      resource_name: `crn:///kafka=${clusterId}/consumer-group=readers/lag-summary`,
    },
    cluster_id: clusterId,
    consumer_group_id: 'readers',
    max_lag_consumer_id: id,
    max_lag_instance_id: null,
    max_lag_client_id: 'one',
    max_lag_topic_name: 'orders',
    max_lag_partition_id: 0,
    max_lag: 2,
    total_lag: 2,
    max_lag_consumer: { related: `${self}/consumers/${id}` },
    max_lag_partition: { related: url(`${cluster}/topics/orders/partitions/0`) },
  })
  await ask('DELETE', instance)
  expect(await get(`${groups}/readers`)).toMatchObject({ state: 'EMPTY' })
})

test('A group of offsets alone is simple, and its lags have no consumer', async () => {
  await createTopic('alone')
  await ask('POST', '/groups/simple/reset', { to: 'latest', topics: ['alone'] })
  const group = await get(`${groups}/simple`)
  expect(group).toMatchObject({ is_simple: true, state: 'EMPTY', partition_assignor: '' })
  const lag = await get(`${groups}/simple/lags/alone/partitions/0`)
  expect(lag).toMatchObject({ consumer_id: '', instance_id: null, client_id: '', lag: 0 })
})
