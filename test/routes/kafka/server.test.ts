// The door: listeners, limits, idle connections, and the stop.
import { expect, test } from 'vitest'
import { api } from '#routes/kafka/api.ts'
import { openKafkaDoor } from '#routes/kafka/server.ts'
import { message } from '#src/protocol/codec/message.ts'
import { string } from '#src/protocol/codec/primitives.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'
import { DOOR_CONFIG, openDoor } from './door-fixture.ts'
import { answered, echoApis, question } from './echo.ts'
import { fakeNetwork } from './fake-tcp.ts'

async function open(options: Parameters<typeof openDoor>[1] = {}) {
  const echo = echoApis()
  return { ...echo, ...(await openDoor(echo.apis, options)) }
}

test('Clients that come before the door serves wait for it', async () => {
  const { door, connect } = await open({ isServing: false })
  const socket = connect()
  expect(socket.isReading).toBe(false)
  door.serve({} as Parameters<typeof door.serve>[0])
  socket.send(question('a', { id: 1 }))
  expect(socket.answers.map(answered)).toEqual([[1, 'a']])
})

test('A door that stops before it served closes those that waited', async () => {
  const { door, connect } = await open({ isServing: false })
  const socket = connect()
  await door.stop()
  expect(socket.isClosed).toBe(true)
})

test('A listener that cannot be bound frees those that were', async () => {
  const { listen, connect } = fakeNetwork()
  const refusing = openKafkaDoor({
    listeners: [
      { name: 'A', host: 'a', port: 1 },
      { name: 'B', host: 'b', port: 2 },
    ],
    config: DOOR_CONFIG,
    clock: new VirtualClock(),
    say: () => undefined,
    listen: (options, accept) => {
      if (options.host === 'b') return Promise.reject(new Error('Port 2 is in use'))
      return listen(options, accept)
    },
  })
  await expect(refusing).rejects.toThrow('Port 2 is in use')
  expect(() => connect()).toThrow('Nobody listens')
})

test('Handlers know the listener, what it advertises, who asks, and where they came to', async () => {
  const whereabouts = api({
    request: message({ key: 902, versions: [0, 0] }, {}),
    response: message({ key: 902, versions: [0, 0] }, { text: string() }),
    handle: ({ listener: { name, host, port }, session }) => ({
      text: `${name} ${host}:${port} ${session.clientAddress} ${session.clientId}`,
    }),
    refuse: () => ({ text: '' }),
  })
  const { connect, door } = await openDoor([whereabouts], {
    listeners: [
      { name: 'INSIDE', host: '', port: 0 },
      { name: 'OUTSIDE', host: '', port: 0, advertised: { host: 'kafka.example', port: 443 } },
    ],
  })
  const ask = Buffer.from('0000000b 0386 0000 00000001 0001 78'.replaceAll(' ', ''), 'hex')
  const texts = [0, 1].map((listener) => {
    const socket = connect('192.0.2.7', listener)
    socket.send(ask)
    return socket.answers.map((frame) => answered(frame)[1])
  })
  expect(texts).toEqual([
    ['INSIDE 10.0.0.1:9092 192.0.2.7 x'],
    ['OUTSIDE kafka.example:443 192.0.2.7 x'],
  ])
  expect(door.listeners.map(({ name, port }) => [name, port])).toEqual([
    ['INSIDE', 40_001],
    ['OUTSIDE', 40_002],
  ])
})

test('max.connections closes what comes too late, and counts down', async () => {
  const { connect, said, door } = await open({ config: { maxConnections: 2 } })
  const [first, , third] = [connect('192.0.2.1'), connect('192.0.2.2'), connect('192.0.2.3')]
  expect(third?.isClosed).toBe(true)
  expect(said).toEqual([expect.stringContaining('max.connections is 2')])
  first?.destroy()
  expect(connect('192.0.2.4').isClosed).toBe(false)
  expect(door.connectionCount).toBe(2)
})

test('max.connections.per.ip counts each address, and its overrides win', async () => {
  const perAddress = new Map([['192.0.2.9', 3]])
  const { connect } = await open({ config: { maxPerAddress: 1, perAddress } })
  const isClosed = (address: string) => connect(address).isClosed
  expect(['192.0.2.1', '192.0.2.1', '192.0.2.2'].map(isClosed)).toEqual([false, true, false])
  expect(Array(4).fill('192.0.2.9').map(isClosed)).toEqual([false, false, false, true])
})

test('connections.max.idle.ms closes what is silent, not what is being worked on', async () => {
  const { connect, clock, parked, said } = await open({ config: { connectionsMaxIdleMs: 60_000 } })
  const [idle, busy, waiting] = [connect(), connect(), connect()]
  waiting.send(question('park', { id: 1 }))
  clock.advance(40_000)
  busy.send(question('a'))
  clock.advance(30_000)
  expect([idle.isClosed, busy.isClosed, waiting.isClosed]).toEqual([true, false, false])
  clock.advance(600_000)
  expect([busy.isClosed, waiting.isClosed]).toEqual([true, false])
  parked[0]?.answer()
  await settle()
  expect(waiting.answers.map(answered)).toEqual([[1, 'park']])
  clock.advance(50_000)
  expect(waiting.isClosed).toBe(false)
  clock.advance(20_000)
  expect(waiting.isClosed).toBe(true)
  expect(said).toEqual([])
})

test('A peer that never reads its answer counts as silent', async () => {
  const { connect, clock } = await open({ config: { connectionsMaxIdleMs: 60_000 } })
  const socket = connect()
  socket.isStuck = true
  socket.send(question('a'))
  clock.advance(70_000)
  expect(socket.isClosed).toBe(true)
})

test('A connection that was ended does not wait for ever for its peer', async () => {
  const { connect, clock } = await open()
  const socket = connect()
  socket.send(question('a'))
  socket.events?.ended()
  expect([socket.isEnded, socket.isClosed]).toEqual([true, false])
  clock.advance(10_000)
  expect(socket.isClosed).toBe(true)
})

test('One timer serves all connections and requests', async () => {
  const { connect, clock, door } = await open()
  for (let count = 0; count < 20; count++) connect().send(question('park'))
  expect(clock.pendingTimers).toBe(1)
  const stopped = door.stop({ drainMs: 10 })
  await settle()
  clock.advance(10)
  await stopped
  expect(clock.pendingTimers).toBe(0)
})

test('stop() ends waits, lets answers under way leave, and takes no new requests', async () => {
  const { connect, door, parked } = await open()
  const [busy, idle] = [connect(), connect()]
  busy.send(question('park', { id: 1 }))
  const stopped = door.stop()
  await settle()
  expect(parked[0]?.signal.aborted).toBe(true)
  expect([idle.isEnded, busy.isEnded, busy.isReading]).toEqual([true, false, false])
  expect(() => connect()).toThrow('Nobody listens')
  parked[0]?.answer()
  await settle()
  expect(busy.answers.map(answered)).toEqual([[1, 'park']])
  expect(busy.isEnded).toBe(true)
  for (const socket of [busy, idle]) socket.destroy()
  await stopped
  expect(door.connectionCount).toBe(0)
})

test('stop() cuts what has not left in time', async () => {
  const { connect, door, clock } = await open()
  const [parked, stuck] = [connect(), connect()]
  parked.send(question('park'))
  stuck.isStuck = true
  stuck.send(question('lend 100000'))
  const stopped = door.stop({ drainMs: 3_000 })
  await settle()
  clock.advance(2_999)
  expect([parked.isClosed, stuck.isClosed]).toEqual([false, false])
  clock.advance(1)
  await stopped
  expect([parked.isClosed, stuck.isClosed]).toEqual([true, true])
})
