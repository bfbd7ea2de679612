// REST v2's view of topics, partitions and brokers, at the root.
import { type Context, Hono } from 'hono'
import type { PartitionDescription, TopicDescription } from '#src/broker/broker.ts'
import { type Door, type Env, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { MEDIA, mediaType } from './negotiate.ts'
import { partitionOf, topicOf } from './parameters.ts'

const JSON_HEADERS = { 'content-type': MEDIA.json }
const V2_HEADERS = { 'content-type': MEDIA.v2 }

/** REST v2 metadata: `/topics`, a topic, its partitions and their offsets, `/brokers`. */
export function topicRoutes(door: Door): Hono<Env> {
  const { broker } = door
  const routes = new Hono<Env>()

  routes.get('/topics', (c) => {
    const topics = broker.listTopics(sessionOf(door, c))
    return answer(
      c,
      topics.map(({ name }) => name),
    )
  })
  routes.get('/topics/:topic', (c) => {
    const session = sessionOf(door, c)
    const topic = broker.describeTopic(session, topicOf(c))
    const configs = broker.describeConfigs(session, { type: 'topic', name: topic.name })
    return answer(c, {
      name: topic.name,
      configs: Object.fromEntries(configs.map(({ name, value }) => [name, value])),
      partitions: topic.partitions.map(partitionResource),
    })
  })
  routes.get('/topics/:topic/partitions', (c) => {
    const topic = broker.describeTopic(sessionOf(door, c), topicOf(c))
    return answer(c, topic.partitions.map(partitionResource))
  })
  routes.get('/topics/:topic/partitions/:partition', (c) => {
    const topic = broker.describeTopic(sessionOf(door, c), topicOf(c))
    return answer(c, partitionResource(findPartition(topic, partitionOf(c))))
  })
  routes.get('/topics/:topic/partitions/:partition/offsets', (c) => {
    const session = sessionOf(door, c)
    const topic = broker.describeTopic(session, topicOf(c))
    const { partition } = findPartition(topic, partitionOf(c))
    const offsets = broker.partitionOffsets(session, topic.name, partition)
    return answer(c, {
      beginning_offset: offsets.logStartOffset,
      end_offset: offsets.highWatermark,
    })
  })
  routes.get('/brokers', (c) => {
    const brokers = broker.listBrokers(sessionOf(door, c))
    return answer(c, { brokers: brokers.map(({ id }) => id) })
  })
  return routes
}

/** One partition of a topic. Throws 404, which REST Proxy tells apart from a missing topic. */
export function findPartition(topic: TopicDescription, partition: number): PartitionDescription {
  const found = topic.partitions.find((candidate) => candidate.partition === partition)
  if (found !== undefined) return found
  throw new HttpError(40402, `Topic ${topic.name} has no partition ${partition}`)
}

/** JSON under the type the client asks for: plain JSON unless it names REST Proxy's. */
export function answer(c: Context<Env>, body: unknown, status = 200): Response {
  return answerText(c, JSON.stringify(body), status)
}

/** As `answer`, for a text that is JSON. */
export function answerText(c: Context<Env>, text: string, status = 200): Response {
  const accept = c.req.raw.headers.get('accept')
  const wantsV2 =
    accept?.toLowerCase().includes('v2+json') && accept.split(',').map(mediaType).includes(MEDIA.v2)
  return new Response(text, { status, headers: wantsV2 ? V2_HEADERS : JSON_HEADERS })
}

function partitionResource(partition: PartitionDescription): object {
  return {
    partition: partition.partition,
    leader: partition.leader,
    replicas: partition.replicas.map((id) => ({
      broker: id,
      leader: id === partition.leader,
      in_sync: partition.isr.includes(id),
    })),
  }
}
