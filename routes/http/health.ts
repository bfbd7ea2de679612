// Is it alive, and may it be used?
import { Hono } from 'hono'
import type { Door, Env } from './door.ts'

/** `/health/live` answers while the process does; `/health/ready` from the end of start until stop begins. */
export function healthRoutes({ broker }: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/health/live', (c) => c.json({ status: 'live' }))
  routes.get('/health/ready', (c) => {
    if (broker.isReady()) return c.json({ status: 'ready' })
    return c.json({ error_code: 50301, message: 'The broker is starting or stopping' }, 503)
  })
  return routes
}
