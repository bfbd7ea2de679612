// REST v3: the cluster and its brokers.
import { type Context, Hono } from 'hono'
import type { BrokerDescription } from '#src/broker/broker.ts'
import { type Door, type Env, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { Resources } from './v3-resource.ts'

/** REST v3 clusters and brokers, under /v3. */
export function clusterRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/v3/clusters', (c) => {
    const resources = new Resources(door, c)
    const self = resources.cluster.slice(0, resources.cluster.lastIndexOf('/'))
    return c.json({
      kind: 'KafkaClusterList',
      metadata: { self, next: null },
      data: [clusterResource(door, c)],
    })
  })
  routes.get('/v3/clusters/:cluster', (c) => c.json(clusterResource(door, c)))
  routes.get('/v3/clusters/:cluster/brokers', (c) => {
    const resources = new Resources(door, c)
    const brokers = door.broker.listBrokers(sessionOf(door, c))
    const data = brokers.map((broker) => brokerResource(resources, broker))
    return c.json(resources.list('KafkaBrokerList', ['brokers'], data))
  })
  routes.get('/v3/clusters/:cluster/brokers/:broker', (c) => {
    const resources = new Resources(door, c)
    const asked = c.req.param('broker')
    const brokers = door.broker.listBrokers(sessionOf(door, c))
    const broker = brokers.find(({ id }) => String(id) === asked)
    if (broker === undefined) throw new HttpError(404, `Broker ${asked} cannot be found`)
    return c.json(brokerResource(resources, broker))
  })
  return routes
}

function clusterResource(door: Door, c: Context<Env>): object {
  const resources = new Resources(door, c)
  return resources.resource('KafkaCluster', [], {
    controller: resources.related('brokers', door.broker.nodeId),
    brokers: resources.related('brokers'),
    broker_configs: resources.related('broker-configs'),
    topics: resources.related('topics'),
  })
}

function brokerResource(resources: Resources, broker: BrokerDescription): object {
  const endpoint = broker.endpoints[0]
  return resources.resource('KafkaBroker', [['brokers', broker.id]], {
    broker_id: broker.id,
    host: endpoint?.host ?? null,
    port: endpoint?.port ?? null,
    rack: broker.rack,
    configs: resources.related('brokers', broker.id, 'configs'),
  })
}
