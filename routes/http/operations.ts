// What /openapi.json says of each route.
import { type DescribeRouteOptions, resolver } from 'hono-openapi'
import { BODIES } from './schemas.ts'

type Parameter = Readonly<{
  name: string
  description: string
  schema?: object
  required?: boolean
}>

interface Operation {
  readonly summary: string
  readonly tag: string
  readonly query?: readonly Parameter[]
  /** A body that is checked against a schema, or the media types that are taken. */
  readonly body?: keyof typeof BODIES | readonly string[]
  /** Media types of the answer; JSON unless said otherwise, none for 204. */
  readonly answers?: readonly string[]
  readonly status?: number
}

const JSON_TYPE = 'application/json'
const V2_JSON = 'application/vnd.kafka.json.v2+json'
const V2_BINARY = 'application/vnd.kafka.binary.v2+json'
const NDJSON = 'application/x-ndjson'
const BYTES = 'application/octet-stream'
const SSE = 'text/event-stream'
const TOPICS = '/v3/clusters/:cluster/topics'

const ISOLATION = {
  name: 'isolation_level',
  description: 'What to do about open transactions',
  schema: { enum: ['read_uncommitted', 'read_committed'] },
}
const PRODUCE_QUERY = [
  { name: 'acks', description: 'When to answer', schema: { enum: ['0', '1', 'all'] } },
  { name: 'key', description: 'The key of a raw record' },
  { name: 'timestamp', description: 'The timestamp of a raw record, in ms or ISO 8601' },
]
const TAIL_QUERY = [
  { name: 'from', description: 'earliest, latest, a timestamp (ms or ISO 8601), or a cursor' },
  { name: 'group', description: 'The tail is a member of this group, and commits as it goes' },
  { name: 'lastEventId', description: 'A cursor, as the Last-Event-ID header' },
  ISOLATION,
]
const READ_QUERY = [
  { name: 'offset', description: 'earliest, latest, N, or -N for N before the end' },
  { name: 'timestamp', description: 'The first record at or after it, in ms or ISO 8601' },
  { name: 'max_bytes', description: 'Stored bytes to read, about', schema: { type: 'integer' } },
  { name: 'max_records', description: 'Records to return', schema: { type: 'integer' } },
  { name: 'timeout', description: 'Ms to wait for a first record', schema: { type: 'integer' } },
  ISOLATION,
]
const DELETE_QUERY = [
  {
    name: 'before',
    description: 'The first offset to keep: N, -N for the last N, latest for none',
  },
  {
    name: 'before_timestamp',
    description: 'Instead: keep from the first record at or after it on',
  },
]
const PRODUCE: Operation = {
  summary: 'Produce records',
  tag: 'Produce',
  query: PRODUCE_QUERY,
  body: [JSON_TYPE, V2_JSON, V2_BINARY, NDJSON, BYTES],
}

const CONSUMERS = 'Consumers (v2)'
const INSTANCE = '/consumers/:group/instances/:instance'
const CONSUMER_READ_QUERY = [
  { name: 'timeout', description: 'Ms to wait for a first record', schema: { type: 'integer' } },
  ...READ_QUERY.filter(({ name }) => name.startsWith('max_')),
]

/** Every route, by method and path. A test holds that none is missing. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /': { summary: 'What this is', tag: 'Operations' },
  'GET /health/live': { summary: 'The process is alive', tag: 'Operations' },
  'GET /health/ready': { summary: 'The broker may be used', tag: 'Operations' },
  'GET /metrics': {
    summary: 'Metrics for Prometheus',
    tag: 'Operations',
    answers: ['text/plain'],
  },
  'GET /recovery': { summary: 'What the last start found and did', tag: 'Operations' },
  'GET /openapi.json': { summary: 'This description', tag: 'Operations' },
  'GET /topics': { summary: 'Names of topics', tag: 'Topics (v2)' },
  'GET /topics/:topic': { summary: 'A topic', tag: 'Topics (v2)' },
  'GET /topics/:topic/partitions': { summary: 'Partitions of a topic', tag: 'Topics (v2)' },
  'GET /topics/:topic/partitions/:partition': { summary: 'A partition', tag: 'Topics (v2)' },
  'GET /topics/:topic/partitions/:partition/offsets': {
    summary: 'First offset and end of a partition',
    tag: 'Topics (v2)',
  },
  'GET /brokers': { summary: 'Ids of brokers', tag: 'Topics (v2)' },
  'POST /topics/:topic': PRODUCE,
  'POST /topics/:topic/partitions/:partition': {
    ...PRODUCE,
    summary: 'Produce records to one partition',
  },
  [`POST ${TOPICS}/:topic/records`]: {
    summary: 'Produce JSON objects one behind another, answered one by one',
    tag: 'Produce',
    query: PRODUCE_QUERY.slice(0, 1),
    body: [JSON_TYPE],
  },
  'GET /topics/:topic/partitions/:partition/records': {
    summary: 'Read records of a partition',
    tag: 'Read',
    query: READ_QUERY,
    answers: [JSON_TYPE, V2_JSON, V2_BINARY, NDJSON, BYTES],
  },
  'DELETE /topics/:topic/partitions/:partition/records': {
    summary: 'Delete the oldest records of a partition',
    tag: 'Topics (v2)',
    query: DELETE_QUERY,
  },
  'GET /topics/:topic/records': {
    summary: 'Follow a topic (also as WebSocket)',
    tag: 'Read',
    query: TAIL_QUERY,
    answers: [NDJSON, SSE],
  },
  'GET /records': {
    summary: 'Follow several topics (also as WebSocket)',
    tag: 'Read',
    query: [{ name: 'topics', description: 'Names, with commas', required: true }, ...TAIL_QUERY],
    answers: [NDJSON, SSE],
  },
  ...consumerOperations(),
  'GET /v3/clusters': { summary: 'The cluster, as a list', tag: 'Cluster (v3)' },
  'GET /v3/clusters/:cluster': { summary: 'The cluster', tag: 'Cluster (v3)' },
  'GET /v3/clusters/:cluster/brokers': { summary: 'Brokers', tag: 'Cluster (v3)' },
  'GET /v3/clusters/:cluster/brokers/:broker': { summary: 'A broker', tag: 'Cluster (v3)' },
  [`GET ${TOPICS}`]: { summary: 'Topics', tag: 'Topics (v3)' },
  [`POST ${TOPICS}`]: {
    summary: 'Create a topic',
    tag: 'Topics (v3)',
    body: 'CreateTopic',
    status: 201,
  },
  [`GET ${TOPICS}/:topic`]: { summary: 'A topic', tag: 'Topics (v3)' },
  [`PATCH ${TOPICS}/:topic`]: { summary: 'Add partitions', tag: 'Topics (v3)', body: 'GrowTopic' },
  [`DELETE ${TOPICS}/:topic`]: { summary: 'Delete a topic', tag: 'Topics (v3)', status: 204 },
  [`GET ${TOPICS}/:topic/partitions`]: { summary: 'Partitions', tag: 'Topics (v3)' },
  [`GET ${TOPICS}/:topic/partitions/:partition`]: { summary: 'A partition', tag: 'Topics (v3)' },
  [`GET ${TOPICS}/:topic/partitions/:partition/replicas`]: {
    summary: 'Replicas of a partition',
    tag: 'Topics (v3)',
  },
  [`GET ${TOPICS}/:topic/partitions/:partition/replicas/:broker`]: {
    summary: 'A replica of a partition',
    tag: 'Topics (v3)',
  },
  ...groupOperations(),
  ...configOperations(`${TOPICS}/:topic`, 'configs', 'of a topic'),
  ...configOperations('/v3/clusters/:cluster/brokers/:broker', 'configs', 'of a broker'),
  ...configOperations('/v3/clusters/:cluster', 'broker-configs', 'of all brokers'),
}

function consumerOperations(): Record<string, Operation> {
  const tag = CONSUMERS
  return {
    'POST /consumers/:group': { summary: 'Create a consumer', tag, body: [JSON_TYPE] },
    [`DELETE ${INSTANCE}`]: { summary: 'Close a consumer', tag, status: 204 },
    [`POST ${INSTANCE}/subscription`]: {
      summary: 'Join the group, for topics or a pattern',
      tag,
      body: 'ConsumerSubscription',
      status: 204,
    },
    [`GET ${INSTANCE}/subscription`]: { summary: 'The topics subscribed to', tag },
    [`DELETE ${INSTANCE}/subscription`]: { summary: 'Leave the group', tag, status: 204 },
    [`POST ${INSTANCE}/assignments`]: {
      summary: 'Take partitions by hand',
      tag,
      body: 'ConsumerPartitions',
      status: 204,
    },
    [`GET ${INSTANCE}/assignments`]: { summary: 'The partitions of the consumer', tag },
    [`GET ${INSTANCE}/records`]: {
      summary: 'The next records',
      tag,
      query: CONSUMER_READ_QUERY,
      answers: [V2_JSON, V2_BINARY, JSON_TYPE],
    },
    [`POST ${INSTANCE}/offsets`]: {
      summary: 'Commit records that were dealt with, or all that were read',
      tag,
      body: 'ConsumerOffsets',
    },
    [`GET ${INSTANCE}/offsets`]: {
      summary: 'What the group has committed',
      tag,
      query: [{ name: 'partitions', description: 'As orders:0,orders:1; its own unless given' }],
    },
    [`POST ${INSTANCE}/positions`]: {
      summary: 'Go on elsewhere, by offset or time',
      tag,
      body: 'ConsumerPositions',
      status: 204,
    },
    [`POST ${INSTANCE}/positions/beginning`]: {
      summary: 'Go on at the first record',
      tag,
      body: 'ConsumerPartitions',
      status: 204,
    },
    [`POST ${INSTANCE}/positions/end`]: {
      summary: 'Go on behind the last record',
      tag,
      body: 'ConsumerPartitions',
      status: 204,
    },
  }
}

function groupOperations(): Record<string, Operation> {
  const own = { tag: 'Groups' }
  const v3 = { tag: 'Groups (v3)' }
  const groups = '/v3/clusters/:cluster/consumer-groups'
  const consumer = `${groups}/:group/consumers/:consumer`
  return {
    'GET /groups': {
      ...own,
      summary: 'Groups',
      query: [
        { name: 'state', description: 'Only groups in these states, with commas' },
        { name: 'type', description: 'Only groups of these types, with commas' },
      ],
    },
    'GET /groups/:group': { ...own, summary: 'A group: members, assignments, offsets, lag' },
    'DELETE /groups/:group': { ...own, summary: 'Delete a group without members', status: 204 },
    'POST /groups/:group/reset': {
      ...own,
      summary: 'Set where a group goes on reading, or show what that would do',
      body: 'ResetOffsets',
    },
    'DELETE /groups/:group/offsets': {
      ...own,
      summary: 'Forget committed offsets',
      body: 'ForgetOffsets',
    },
    [`GET ${groups}`]: { ...v3, summary: 'Consumer groups' },
    [`GET ${groups}/:group`]: { ...v3, summary: 'A consumer group' },
    [`GET ${groups}/:group/consumers`]: { ...v3, summary: 'Members of a group' },
    [`GET ${consumer}`]: { ...v3, summary: 'A member of a group' },
    [`GET ${consumer}/assignments`]: { ...v3, summary: 'What a member is assigned' },
    [`GET ${consumer}/assignments/:topic/partitions/:partition`]: {
      ...v3,
      summary: 'A partition that a member is assigned',
    },
    [`GET ${groups}/:group/lag-summary`]: { ...v3, summary: 'The largest lag, and the sum' },
    [`GET ${groups}/:group/lags`]: { ...v3, summary: 'Lags of a group, the largest first' },
    [`GET ${groups}/:group/lags/:topic/partitions/:partition`]: {
      ...v3,
      summary: 'The lag of a partition',
    },
  }
}

function configOperations(base: string, name: string, owner: string): Record<string, Operation> {
  const tag = 'Configs (v3)'
  const path = `${base}/${name}`
  return {
    [`GET ${path}`]: { summary: `Configs ${owner}`, tag },
    [`POST ${path}:alter`]: {
      summary: `Alter configs ${owner}, all or none`,
      tag,
      body: 'AlterConfigs',
      status: 204,
    },
    [`GET ${path}/:name`]: { summary: `A config ${owner}`, tag },
    [`PUT ${path}/:name`]: {
      summary: `Set a config ${owner}`,
      tag,
      body: 'SetConfig',
      status: 204,
    },
    [`DELETE ${path}/:name`]: { summary: `Reset a config ${owner}`, tag, status: 204 },
  }
}

/** What all operations share. */
export const COMPONENTS = {
  schemas: {
    Error: {
      type: 'object' as const,
      required: ['error_code', 'message'],
      properties: {
        error_code: {
          type: 'integer' as const,
          description: 'The HTTP status, or the status and two digits',
        },
        message: { type: 'string' as const },
      },
    },
  },
}

/** The OpenAPI operation of a route. A route that is not described is shown by its path alone. */
export function operationOf(method: string, path: string): DescribeRouteOptions {
  const operation = OPERATIONS[`${method} ${path}`]
  if (operation === undefined) return {}
  const { summary, tag, query = [], body, answers = [JSON_TYPE], status = 200 } = operation
  return {
    summary,
    tags: [tag],
    parameters: query.map((parameter) => ({
      in: 'query',
      schema: { type: 'string' },
      ...parameter,
    })),
    ...(body === undefined ? {} : { requestBody: { required: true, content: bodyContent(body) } }),
    responses: {
      [status]: {
        description: status === 204 ? 'Done' : summary,
        ...(status === 204 ? {} : { content: mediaTypes(answers) }),
      },
      default: {
        description: 'A refusal',
        content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function bodyContent(body: keyof typeof BODIES | readonly string[]) {
  if (typeof body !== 'string') return mediaTypes(body)
  return { [JSON_TYPE]: { schema: resolver(BODIES[body]) } }
}

function mediaTypes(types: readonly string[]): Record<string, object> {
  return Object.fromEntries(types.map((type) => [type, {}]))
}
