// Who may reach the door from a browser, and by which name (RULES 21).
import { expect, test } from 'vitest'
import { runningBroker } from './running.ts'

const local = await runningBroker()
const open = await runningBroker({
  isLoopback: false,
  corsOrigins: ['https://listed.example'],
})
const named = await runningBroker({ allowedHosts: ['log.internal'] })

test.each([
  { why: 'no header of a browser', headers: {}, status: 200 },
  {
    why: 'its own origin',
    headers: { origin: 'http://localhost:8082', host: 'localhost:8082' },
    status: 200,
  },
  { why: 'a page of another site', headers: { origin: 'https://evil.example' }, status: 403 },
  {
    why: 'a page on another local port',
    headers: { origin: 'http://localhost:3000', host: 'localhost:8082' },
    status: 403,
  },
  { why: 'a page without an origin', headers: { origin: 'null' }, status: 403 },
  { why: 'an image on another site', headers: { 'sec-fetch-site': 'cross-site' }, status: 403 },
  { why: 'an address that was typed', headers: { 'sec-fetch-site': 'none' }, status: 200 },
  {
    why: 'an upgrade from another site',
    headers: { origin: 'https://evil.example', upgrade: 'websocket', connection: 'upgrade' },
    status: 403,
  },
])('The door answers $status to $why', async ({ headers, status }) => {
  const path = 'upgrade' in headers ? '/records?topics=t' : '/topics'
  const response = await local.ask('GET', path, undefined, headers)
  expect(response.status).toBe(status)
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})

test('A page of another site can neither produce nor delete', async () => {
  const origin = { origin: 'https://evil.example', 'content-type': 'text/plain' }
  expect((await local.ask('POST', '/topics/t', 'x', origin)).status).toBe(403)
  expect((await local.ask('DELETE', `${local.cluster}/topics/t`, undefined, origin)).status).toBe(
    403,
  )
  expect(await local.get('/topics')).toEqual([])
})

test.each([
  { host: 'localhost', status: 200 },
  { host: 'LOCALHOST:8082', status: 200 },
  { host: '127.0.0.1:8082', status: 200 },
  { host: '[::1]:8082', status: 200 },
  { host: 'evil.example:8082', status: 403 },
  { host: 'localhost.evil.example', status: 403 },
  { host: 'log.internal:8082', status: 403 },
])('A loopback door answers $status to Host $host', async ({ host, status }) => {
  expect((await local.ask('GET', '/topics', undefined, { host })).status).toBe(status)
})

test('A loopback door answers to the names it was given', async () => {
  expect((await named.ask('GET', '/topics', undefined, { host: 'log.internal:8082' })).status).toBe(
    200,
  )
})

test('A door on other addresses answers to any Host', async () => {
  expect((await open.ask('GET', '/topics', undefined, { host: 'any.example' })).status).toBe(200)
})

test('A listed origin gets CORS headers, preflight included', async () => {
  const origin = { origin: 'https://listed.example' }
  const response = await open.ask('GET', '/topics', undefined, origin)
  expect(response.headers.get('access-control-allow-origin')).toBe('https://listed.example')
  const preflight = await open.ask('OPTIONS', '/topics/t', undefined, {
    ...origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
    'sec-fetch-site': 'cross-site',
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
  expect(preflight.headers.get('access-control-allow-headers')).toContain('Content-Type')
  const refused = await open.ask('OPTIONS', '/topics/t', undefined, {
    origin: 'https://evil.example',
  })
  expect(refused.status).toBe(403)
})
