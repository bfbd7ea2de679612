// `GET /openapi.json`, generated from the routes that there are. Its libraries are loaded when first asked.
import { Hono } from 'hono'
import { lateModule } from '#storage/base/late-modules.ts'
import type { Env } from './door.ts'

/** The API's description. The work is done once. */
export function openApiRoutes(app: Hono<Env>): Hono<Env> {
  const description = lateModule(() => describe(app))
  const routes = new Hono<Env>()
  routes.get('/openapi.json', async (c) => {
    return c.body(await description(), 200, { 'content-type': 'application/json' })
  })
  return routes
}

/** Describes a twin of the app, so that no describing middleware stands in the way of a real request. */
async function describe(app: Hono<Env>): Promise<string> {
  const { describeRoute, generateSpecs } = await import('hono-openapi')
  const { operationOf, COMPONENTS } = await import('./operations.ts')
  const twin = new Hono()
  for (const { method, path } of app.routes) {
    if (method === 'ALL') continue
    const readable = path.replace(/:\w+\{([^}]+)\}/, '$1')
    twin.on(method, readable, describeRoute(operationOf(method, readable)), (c) => c.body(null))
  }
  const specification = await generateSpecs(twin, {
    excludeStaticFile: false,
    documentation: {
      info: {
        title: 'Millrace',
        version: '0.1.0',
        description: 'A durable, partitioned event log. REST Proxy v2 and v3, and streams.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: COMPONENTS,
    },
  })
  return JSON.stringify(specification)
}
