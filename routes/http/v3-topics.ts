// REST v3: topics. List, create, describe, grow, delete.
import { Hono } from 'hono'
import type { NewTopic, TopicDescription } from '#src/broker/broker.ts'
import { readChecked } from './checked-body.ts'
import { type Door, type Env, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { topicOf } from './parameters.ts'
import type { Body } from './schemas.ts'
import { Resources } from './v3-resource.ts'

/** REST v3 topics, under /v3/clusters/{id}/topics. */
export function v3TopicRoutes(door: Door): Hono<Env> {
  const { broker } = door
  const routes = new Hono<Env>().basePath('/v3/clusters/:cluster/topics')
  routes.get('/', (c) => {
    const resources = new Resources(door, c)
    const topics = broker.listTopics(sessionOf(door, c))
    const data = topics.map((topic) => topicResource(resources, topic))
    return c.json(resources.list('KafkaTopicList', ['topics'], data))
  })
  routes.post('/', async (c) => {
    const resources = new Resources(door, c)
    const body = await readChecked(door, c.req.raw, 'CreateTopic')
    const validateOnly = body.validate_only ?? false
    const options = { validateOnly }
    const topic = await broker.createTopic(sessionOf(door, c), newTopic(body), options)
    return c.json(topicResource(resources, topic), validateOnly ? 200 : 201, {
      location: resources.url('topics', topic.name),
    })
  })
  routes.get('/:topic', (c) => {
    const resources = new Resources(door, c)
    return c.json(topicResource(resources, broker.describeTopic(sessionOf(door, c), topicOf(c))))
  })
  routes.patch('/:topic', async (c) => {
    const resources = new Resources(door, c)
    const { partitions_count } = await readChecked(door, c.req.raw, 'GrowTopic')
    const session = sessionOf(door, c)
    const topic = await broker.createPartitions(session, topicOf(c), partitions_count)
    return c.json(topicResource(resources, topic))
  })
  routes.delete('/:topic', async (c) => {
    new Resources(door, c)
    await broker.deleteTopic(sessionOf(door, c), topicOf(c))
    return c.body(null, 204)
  })
  return routes
}

function newTopic(body: Body<'CreateTopic'>): NewTopic {
  const { partitions_count, replication_factor, replicas_assignments, configs } = body
  return {
    name: body.topic_name,
    // -1 is Kafka's way to say "the broker's default".
    ...((partitions_count ?? -1) === -1 ? {} : { partitionCount: Number(partitions_count) }),
    ...((replication_factor ?? -1) === -1 ? {} : { replicationFactor: Number(replication_factor) }),
    ...(replicas_assignments ? { assignments: assignmentsOf(replicas_assignments) } : {}),
    ...(configs
      ? { configs: Object.fromEntries(configs.map(({ name, value }) => [name, value ?? null])) }
      : {}),
  }
}

function assignmentsOf(
  list: readonly { readonly partition_id: number; readonly broker_ids: readonly number[] }[],
): readonly (readonly number[])[] {
  const sorted = list.toSorted((left, right) => left.partition_id - right.partition_id)
  if (sorted.some(({ partition_id }, index) => partition_id !== index)) {
    throw new HttpError(40002, 'replicas_assignments must name each partition from 0 on, once')
  }
  return sorted.map(({ broker_ids }) => broker_ids)
}

function topicResource(resources: Resources, topic: TopicDescription): object {
  const { name } = topic
  return resources.resource('KafkaTopic', [['topics', name]], {
    topic_name: name,
    topic_id: topic.topicId,
    is_internal: topic.isInternal,
    replication_factor: topic.partitions[0]?.replicas.length ?? 0,
    partitions_count: topic.partitions.length,
    partitions: resources.related('topics', name, 'partitions'),
    configs: resources.related('topics', name, 'configs'),
    partition_reassignments: resources.related('topics', name, 'partitions', '-', 'reassignments'),
  })
}
