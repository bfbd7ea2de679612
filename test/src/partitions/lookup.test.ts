// Partitions by what clients call them, again and again, while topics come and go.
import { expect, test } from 'vitest'
import { BrokerConfig } from '#src/config/broker-config.ts'
import { startEngine } from '#src/partitions/engine.ts'
import { PartitionLookup } from '#src/partitions/lookup.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

async function lookupOf() {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/a')
  const { provider, partitions } = await startEngine({
    config: BrokerConfig.load({ flags: {} }),
    logDirs: ['/a'],
    endpoints: [],
    files: disk,
    clock: new VirtualClock(),
    random: new SeededRandom(7),
    onOffline: () => undefined,
    onProblem: () => undefined,
  })
  provider.onDelta((delta) => partitions.apply(delta))
  const change = async (kind: 'createTopics' | 'deleteTopics', name: string) => {
    const topics = [{ name, partitionCount: 2 }]
    const [result] = await provider.submit({ kind, topics })
    if (result?.error) throw result.error
    await partitions.settled()
    return provider.image.topic(name)?.id ?? ZERO_UUID
  }
  return { lookup: new PartitionLookup(partitions, provider), partitions, change }
}

function found(get: () => unknown): unknown {
  try {
    return get()
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}

test('PartitionLookup finds the same partition by name and by id, the second time too', async () => {
  const { lookup, partitions, change } = await lookupOf()
  const topicId = await change('createTopics', 'orders')
  for (const partition of [0, 1, 0, 1]) {
    const expected = partitions.get({ topic: 'orders', partition })
    expect(lookup.get({ topic: 'orders', topicId: ZERO_UUID, partition })).toBe(expected)
    expect(lookup.get({ topic: '', topicId, partition })).toBe(expected)
    expect(lookup.whenReady({ topic: '', topicId, partition })).toBeUndefined()
  }
  expect(found(() => lookup.get({ topic: '', topicId, partition: 2 }))).toBe(
    'UNKNOWN_TOPIC_OR_PARTITION',
  )
})

test('PartitionLookup takes no name for an id, even where a topic is called like one', async () => {
  const { lookup, partitions, change } = await lookupOf()
  const topicId = await change('createTopics', 'orders')
  expect(lookup.get({ topic: '', topicId, partition: 0 })).toBeDefined()
  const byName = { topic: topicId, topicId: ZERO_UUID, partition: 0 }
  expect(found(() => lookup.get(byName))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  await change('createTopics', topicId)
  expect(lookup.get(byName)).toBe(partitions.get({ topic: topicId, partition: 0 }))
  expect(lookup.get(byName).topicPartition.topic).toBe(topicId)
  const byId = { topic: '', topicId, partition: 0 }
  expect(lookup.get(byId).topicPartition.topic).toBe('orders')
  expect(lookup.get(byName).topicPartition.topic).toBe(topicId)
})

test('PartitionLookup forgets a topic that was deleted, and finds the one that took its name', async () => {
  const { lookup, partitions, change } = await lookupOf()
  const first = await change('createTopics', 'orders')
  const byName = { topic: 'orders', topicId: ZERO_UUID, partition: 0 }
  const before = lookup.get(byName)
  expect(lookup.get({ topic: '', topicId: first, partition: 0 })).toBe(before)
  await change('deleteTopics', 'orders')
  expect(found(() => lookup.get(byName))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  await change('createTopics', 'orders')
  expect(lookup.get(byName)).toBe(partitions.get({ topic: 'orders', partition: 0 }))
  expect(lookup.get(byName)).not.toBe(before)
  expect(found(() => lookup.get({ topic: '', topicId: first, partition: 0 }))).toBe(
    'UNKNOWN_TOPIC_ID',
  )
})

test('PartitionLookup tells why a partition whose directory has failed is not here', async () => {
  const { lookup, partitions, change } = await lookupOf()
  await change('createTopics', 'orders')
  const byName = { topic: 'orders', topicId: ZERO_UUID, partition: 0 }
  expect(lookup.get(byName)).toBeDefined()
  partitions.takeOffline([{ topic: 'orders', partition: 0 }])
  expect(found(() => lookup.get(byName))).toBe('KAFKA_STORAGE_ERROR')
})
