// REST v3: configs of topics, of one broker, and of all brokers.
import { type Context, Hono } from 'hono'
import type { ConfigChange, ConfigEntry, ConfigResource } from '#src/broker/broker.ts'
import { readChecked } from './checked-body.ts'
import { type Door, type Env, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { topicOf } from './parameters.ts'
import { Resources } from './v3-resource.ts'

/** Where configs hang: the resource they belong to, its path, and how v3 names it. */
interface Owner {
  readonly kind: string
  readonly resource: ConfigResource
  readonly path: readonly (readonly [collection: string, name: string | number])[]
  readonly collection: string
  readonly members: object
}

type OwnerOf = (c: Context<Env>) => Owner

/** REST v3 configs, under /v3/clusters/{id}. */
export function v3ConfigRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  const root = '/v3/clusters/:cluster'
  mount(door, routes, { base: `${root}/topics/:topic`, collection: 'configs', owner: topicOwner })
  mount(door, routes, {
    base: `${root}/brokers/:broker`,
    collection: 'configs',
    owner: brokerOwner,
  })
  mount(door, routes, { base: root, collection: 'broker-configs', owner: clusterOwner })
  return routes
}

function mount(
  door: Door,
  routes: Hono<Env>,
  { base, collection, owner }: { base: string; collection: string; owner: OwnerOf },
): void {
  const { broker } = door
  const change = async (c: Context<Env>, changes: ConfigChange[], validateOnly = false) => {
    new Resources(door, c)
    await broker.alterConfigs(sessionOf(door, c), owner(c).resource, changes, { validateOnly })
    return c.body(null, 204)
  }
  routes.get(`${base}/${collection}`, (c) => {
    const resources = new Resources(door, c)
    const of = owner(c)
    const entries = broker.describeConfigs(sessionOf(door, c), of.resource)
    const data = entries.map((entry) => configResource(resources, of, entry))
    return c.json(resources.list(`${of.kind}List`, [...of.path.flat(), collection], data))
  })
  // Hono would take the `:alter` of a plain path for a parameter.
  routes.post(`${base}/:action{${collection}:alter}`, async (c) => {
    const body = await readChecked(door, c.req.raw, 'AlterConfigs')
    const changes = body.data.map(({ name, value, operation }) => ({
      name,
      value: value ?? null,
      operation: OPERATIONS[operation ?? 'SET'],
    }))
    return change(c, changes, body.validate_only ?? false)
  })
  routes.get(`${base}/${collection}/:name`, (c) => {
    const resources = new Resources(door, c)
    const of = owner(c)
    const name = c.req.param('name')
    const entries = broker.describeConfigs(sessionOf(door, c), of.resource)
    const entry = entries.find((candidate) => candidate.name === name)
    if (entry === undefined) throw new HttpError(404, `Config ${name} cannot be found`)
    return c.json(configResource(resources, of, entry))
  })
  routes.put(`${base}/${collection}/:name`, async (c) => {
    const { value } = await readChecked(door, c.req.raw, 'SetConfig')
    return change(c, [{ name: c.req.param('name') ?? '', operation: 'set', value: value ?? null }])
  })
  routes.delete(`${base}/${collection}/:name`, (c) =>
    change(c, [{ name: c.req.param('name') ?? '', operation: 'delete', value: null }]),
  )
}

const OPERATIONS = { SET: 'set', DELETE: 'delete', APPEND: 'append', SUBTRACT: 'subtract' } as const

function topicOwner(c: Context<Env>): Owner {
  const topic = topicOf(c)
  return {
    kind: 'KafkaTopicConfig',
    resource: { type: 'topic', name: topic },
    path: [['topics', topic]],
    collection: 'configs',
    members: { topic_name: topic },
  }
}

function brokerOwner(c: Context<Env>): Owner {
  const id = c.req.param('broker') ?? ''
  if (!/^\d{1,10}$/.test(id)) throw new HttpError(404, `Broker ${id} cannot be found`)
  return {
    kind: 'KafkaBrokerConfig',
    resource: { type: 'broker', name: id },
    path: [['brokers', id]],
    collection: 'configs',
    members: { broker_id: Number(id) },
  }
}

function clusterOwner(): Owner {
  return {
    kind: 'KafkaClusterConfig',
    resource: { type: 'broker', name: '' },
    path: [],
    collection: 'broker-configs',
    members: { config_type: 'BROKER' },
  }
}

function configResource(resources: Resources, owner: Owner, entry: ConfigEntry): object {
  const path = [...owner.path, [owner.collection, entry.name] as const]
  return resources.resource(owner.kind, path, {
    ...owner.members,
    name: entry.name,
    value: entry.value,
    is_default: entry.source === 'DEFAULT_CONFIG',
    is_read_only: entry.isReadOnly,
    is_sensitive: entry.isSensitive,
    source: entry.source,
    synonyms: entry.synonyms.map(({ name, value, source }) => ({ name, value, source })),
  })
}
