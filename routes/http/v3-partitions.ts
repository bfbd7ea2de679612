// REST v3: partitions and their replicas.
import { Hono } from 'hono'
import type { PartitionDescription } from '#src/broker/broker.ts'
import { type Door, type Env, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { partitionOf, topicOf } from './parameters.ts'
import { findPartition } from './topics.ts'
import { Resources } from './v3-resource.ts'

/** REST v3 partitions, under /v3/clusters/{id}/topics/{topic}/partitions. */
export function v3PartitionRoutes(door: Door): Hono<Env> {
  const { broker } = door
  const routes = new Hono<Env>().basePath('/v3/clusters/:cluster/topics/:topic/partitions')
  routes.get('/', (c) => {
    const resources = new Resources(door, c)
    const topic = broker.describeTopic(sessionOf(door, c), topicOf(c))
    const data = topic.partitions.map((entry) => partitionResource(resources, topic.name, entry))
    return c.json(resources.list('KafkaPartitionList', ['topics', topic.name, 'partitions'], data))
  })
  routes.get('/:partition', (c) => {
    const resources = new Resources(door, c)
    const topic = broker.describeTopic(sessionOf(door, c), topicOf(c))
    const partition = findPartition(topic, partitionOf(c))
    return c.json(partitionResource(resources, topic.name, partition))
  })
  routes.get('/:partition/replicas', (c) => {
    const resources = new Resources(door, c)
    const topic = broker.describeTopic(sessionOf(door, c), topicOf(c))
    const entry = findPartition(topic, partitionOf(c))
    const data = entry.replicas.map((id) => replicaResource(resources, topic.name, entry, id))
    const path = ['topics', topic.name, 'partitions', entry.partition, 'replicas']
    return c.json(resources.list('KafkaReplicaList', path, data))
  })
  routes.get('/:partition/replicas/:broker', (c) => {
    const resources = new Resources(door, c)
    const topic = broker.describeTopic(sessionOf(door, c), topicOf(c))
    const entry = findPartition(topic, partitionOf(c))
    const asked = c.req.param('broker')
    const id = entry.replicas.find((replica) => String(replica) === asked)
    if (id === undefined) throw new HttpError(404, `Replica ${asked} cannot be found`)
    return c.json(replicaResource(resources, topic.name, entry, id))
  })
  return routes
}

function partitionResource(
  resources: Resources,
  topic: string,
  { partition, leader }: PartitionDescription,
): object {
  const path = ['topics', topic, 'partitions', partition] as const
  const parts = [
    ['topics', topic],
    ['partitions', partition],
  ] as const
  return resources.resource('KafkaPartition', parts, {
    topic_name: topic,
    partition_id: partition,
    leader: leader === -1 ? null : resources.related(...path, 'replicas', leader),
    replicas: resources.related(...path, 'replicas'),
    reassignment: resources.related(...path, 'reassignment'),
  })
}

function replicaResource(
  resources: Resources,
  topic: string,
  { partition, leader, isr }: PartitionDescription,
  id: number,
): object {
  const parts = [
    ['topics', topic],
    ['partitions', partition],
    ['replicas', id],
  ] as const
  return resources.resource('KafkaReplica', parts, {
    topic_name: topic,
    partition_id: partition,
    broker_id: id,
    is_leader: id === leader,
    is_in_sync: isr.includes(id),
    broker: resources.related('brokers', id),
  })
}
