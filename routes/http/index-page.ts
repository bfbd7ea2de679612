// What a browser or curl sees at the root.
import { Hono } from 'hono'
import type { Door, Env } from './door.ts'

/** `GET /`: what this is, and where to go from here. */
export function indexRoutes({ broker }: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/', (c) =>
    c.json({
      name: 'millrace',
      description: 'A durable, partitioned event log that keeps Apache Kafka’s own files',
      cluster_id: broker.clusterId,
      node_id: broker.nodeId,
      links: {
        topics: '/topics',
        cluster: `/v3/clusters/${broker.clusterId}`,
        api: '/openapi.json',
        metrics: '/metrics',
        ready: '/health/ready',
        recovery: '/recovery',
      },
    }),
  )
  return routes
}
