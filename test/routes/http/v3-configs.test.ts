// Configs of topics and brokers as REST v3 shows and alters them.
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const { ask, get, createTopic, cluster } = await runningBroker()
await createTopic('t')
const configs = `${cluster}/topics/t/configs`
const configValue = async (name: string) =>
  (await get<{ value: string; is_default: boolean }>(`${configs}/${name}`)).value

test('GET configs lists them with their sources', async () => {
  const list = await get<{ kind: string; data: { name: string }[] }>(configs)
  expect(list.kind).toBe('KafkaTopicConfigList')
  expect(list.data.find(({ name }) => name === 'cleanup.policy')).toMatchObject({
    kind: 'KafkaTopicConfig',
    metadata: { self: `http://broker${configs}/cleanup.policy` },
    topic_name: 't',
    value: 'delete',
    is_default: true,
    is_sensitive: false,
    source: 'DEFAULT_CONFIG',
  })
})

test('PUT sets a config, DELETE gives the default back', async () => {
  const before = await configValue('retention.ms')
  expect((await ask('PUT', `${configs}/retention.ms`, { value: '5000' })).status).toBe(204)
  expect(await get(`${configs}/retention.ms`)).toMatchObject({
    value: '5000',
    is_default: false,
    source: 'DYNAMIC_TOPIC_CONFIG',
  })
  expect((await ask('DELETE', `${configs}/retention.ms`)).status).toBe(204)
  expect(await configValue('retention.ms')).toBe(before)
})

test('POST configs:alter changes all or none', async () => {
  const data = [
    { name: 'retention.ms', value: '7000' },
    { name: 'cleanup.policy', value: 'compact', operation: 'SET' },
  ]
  expect((await ask('POST', `${configs}:alter`, { data })).status).toBe(204)
  expect(await configValue('cleanup.policy')).toBe('compact')
  const broken = [
    { name: 'cleanup.policy', operation: 'DELETE' },
    { name: 'no.such.config', value: '1' },
  ]
  const refused = await ask('POST', `${configs}:alter`, { data: broken })
  expect(refused.status).toBe(400)
  expect(await configValue('cleanup.policy')).toBe('compact')
})

test('POST configs:alter with validate_only changes nothing', async () => {
  const data = [{ name: 'retention.ms', value: '9000' }]
  const response = await ask('POST', `${configs}:alter`, { data, validate_only: true })
  expect(response.status).toBe(204)
  expect(await configValue('retention.ms')).not.toBe('9000')
})

test('A config that does not exist answers 404, another path 404 too', async () => {
  expect((await ask('GET', `${configs}/no.such.config`)).status).toBe(404)
  expect((await ask('POST', `${configs}-other`, {})).status).toBe(404)
  expect((await ask('GET', `${cluster}/topics/none/configs`)).status).toBe(404)
})

test('Broker configs are listed for one broker and for all', async () => {
  const one = await get<{ kind: string; data: object[] }>(`${cluster}/brokers/1/configs`)
  expect(one.kind).toBe('KafkaBrokerConfigList')
  expect(one.data.length).toBeGreaterThan(0)
  const all = await get<{ kind: string }>(`${cluster}/broker-configs`)
  expect(all.kind).toBe('KafkaClusterConfigList')
})
