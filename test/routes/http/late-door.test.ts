// The door whose app comes with the first request: who waits for it, what is told to it, and what happens when it can't be had.
import { expect, test } from 'vitest'
import { startBroker } from '../../../mod.ts'
import type { HttpDoor, HttpDoorOptions } from '../../../routes/http/app.ts'
import { LateDoor } from '../../../routes/http/late-door.ts'
import { systemClock } from '../../../storage/base/world.ts'

interface Fake extends HttpDoor {
  readonly told: string[]
}

function fakeDoor(): Fake {
  const told: string[] = []
  return {
    told,
    routes: [],
    fetch: (request) => {
      told.push(`fetch ${new URL(request.url).pathname}`)
      return Promise.resolve(new Response('answered'))
    },
    mountWebSockets: () => told.push('mount'),
    endStreams: () => told.push('end'),
  }
}

function options(onBug: (error: unknown) => void = () => undefined): HttpDoorOptions {
  // Nothing of a broker is asked before there is a door.
  return { broker: {} as HttpDoorOptions['broker'], clock: systemClock, onBug }
}

const get = (path: string) => new Request(`http://localhost${path}`)

test('LateDoor loads the app with the first request, once for all that come meanwhile', async () => {
  const door = fakeDoor()
  let loads = 0
  const late = new LateDoor(options(), () => {
    loads++
    return Promise.resolve(door)
  })
  expect(loads).toBe(0)
  await Promise.all([late.fetch(get('/a')), late.fetch(get('/b'))])
  await late.fetch(get('/c'))
  expect(loads).toBe(1)
  expect(door.told).toEqual(['fetch /a', 'fetch /b', 'fetch /c'])
})

test('LateDoor gives WebSockets to the app before its first request, and to one that is there', async () => {
  const door = fakeDoor()
  const late = new LateDoor(options(), () => Promise.resolve(door))
  late.mountWebSockets(() => Promise.reject(new Error('not asked')))
  await late.fetch(get('/a'))
  late.mountWebSockets(() => Promise.reject(new Error('not asked')))
  expect(door.told).toEqual(['mount', 'fetch /a', 'mount'])
})

test('LateDoor ends the streams of an app that comes after the end', async () => {
  const door = fakeDoor()
  const loaded = Promise.withResolvers<HttpDoor>()
  const late = new LateDoor(options(), () => loaded.promise)
  const answer = late.fetch(get('/a'))
  late.endStreams()
  loaded.resolve(door)
  await answer
  expect(door.told).toEqual(['end', 'fetch /a'])
  late.endStreams()
  expect(door.told).toEqual(['end', 'fetch /a', 'end'])
})

test('LateDoor answers 500 and says why when the app can not be loaded, and tries again', async () => {
  const door = fakeDoor()
  const bugs: unknown[] = []
  let loads = 0
  const late = new LateDoor(
    options((error) => bugs.push(error)),
    () => (++loads === 1 ? Promise.reject(new Error('No such module')) : Promise.resolve(door)),
  )
  const [first, second] = await Promise.all([late.fetch(get('/a')), late.fetch(get('/b'))])
  for (const response of [first, second]) {
    expect(response.status).toBe(500)
    expect(await response.json()).toEqual({
      error_code: 500,
      message: 'The HTTP door could not be loaded',
    })
  }
  expect(bugs).toEqual([new Error('No such module')])
  expect(await (await late.fetch(get('/c'))).text()).toBe('answered')
  expect(loads).toBe(2)
})

test('LateDoor loads the real app, over a socket and without one', async () => {
  await using broker = await startBroker()
  const answers = await Promise.all([
    fetch(`${broker.url}/health/live`),
    broker.fetch(get('/health/live')),
    fetch(`${broker.url}/topics`),
  ])
  for (const answer of answers) {
    expect(answer.status).toBe(200)
    await answer.text()
  }
})
