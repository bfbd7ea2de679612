// The TCP adapter of the runtime that runs this, on real sockets: bytes, backpressure, both ways to close, the port.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { listen } from '#tcp'
import { openKafkaDoor } from '../../routes/kafka/server.ts'
import type { TcpConnection, TcpEvents, TcpListener } from '../../src/platform/tcp.ts'
import { systemClock } from '../../storage/base/world.ts'
import { DOOR_CONFIG } from '../routes/kafka/door-fixture.ts'
import { answered, echoApis, question } from '../routes/kafka/echo.ts'

const clients: Socket[] = []
const listeners: TcpListener[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  for (const listener of listeners.splice(0)) await listener.close()
})

/** What the owner of a connection has been told, in order; bytes apart. */
class Recorder implements TcpEvents {
  readonly calls: string[] = []
  readonly chunks: Uint8Array[] = []
  readonly connection: TcpConnection

  constructor(connection: TcpConnection) {
    this.connection = connection
  }

  opened(): void {
    this.calls.push('opened')
  }

  data(bytes: Uint8Array): void {
    this.chunks.push(bytes)
  }

  drained(): void {
    this.calls.push('drained')
  }

  ended(): void {
    this.calls.push('ended')
  }

  closed(): void {
    this.calls.push('closed')
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }
}

async function open(host = '127.0.0.1') {
  const accepted: Recorder[] = []
  const listener = await listen({ host, port: 0, backlog: 50 }, (connection) => {
    const recorder = new Recorder(connection)
    accepted.push(recorder)
    return recorder
  })
  listeners.push(listener)
  return { listener, accepted }
}

async function client(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host)
  socket.on('error', () => undefined)
  clients.push(socket)
  await once(socket, 'connect')
  return socket
}

async function pair() {
  const { listener, accepted } = await open()
  const socket = await client(listener.port)
  await until(() => accepted[0]?.calls.includes('opened') === true)
  const recorder = accepted[0]
  if (!recorder) throw new Error('Nobody came')
  return { socket, recorder, connection: recorder.connection, listener }
}

/** Waits for what other events bring about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Numbers, so that a lost, doubled or reused byte shows. */
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32BE(at, at)
  return bytes
}

test('listen() is the adapter of the runtime that runs it', async () => {
  const { listener } = await open()
  expect(listener.adapter).toBe(process.versions['bun'] ? 'Bun.listen' : 'node:net')
})

test('A connection knows both its ends', async () => {
  const { socket, connection, listener } = await pair()
  expect(connection).toMatchObject({
    remoteAddress: '127.0.0.1',
    remotePort: socket.localPort,
    localAddress: '127.0.0.1',
    localPort: listener.port,
  })
})

test('A listener on every address has IPv4 peers under their IPv4 addresses', async () => {
  const { listener, accepted } = await open('')
  await client(listener.port)
  await until(() => accepted.length === 1)
  const { remoteAddress, localAddress } = accepted[0]?.connection ?? {}
  expect([remoteAddress, localAddress]).toEqual(['127.0.0.1', '127.0.0.1'])
})

test('Nothing is received before the first resume() and after a pause(), and nothing is lost', async () => {
  const { socket, recorder, connection } = await pair()
  socket.write('early')
  const echo = await client((await open()).listener.port)
  // A round on another connection gives the first one time to be wrong.
  await new Promise<void>((resolve) => echo.end(() => resolve()))
  expect(recorder.chunks).toEqual([])
  connection.resume()
  await until(() => recorder.bytes.toString() === 'early')
  connection.pause()
  const sent = pattern(16 * 1024 * 1024)
  socket.write(sent)
  await until(() => socket.writableLength > 0)
  const before = recorder.bytes.length
  // A chunk that was on its way when it was paused may still come.
  expect(before).toBeLessThan(1024 * 1024)
  connection.resume()
  await until(() => recorder.bytes.length === 5 + sent.length)
  expect(Buffer.compare(recorder.bytes.subarray(5), sent)).toBe(0)
}, 30_000)

test('What is received is plain bytes, whose slice() is a copy', async () => {
  const { socket, recorder, connection } = await pair()
  connection.resume()
  socket.write('abc')
  await until(() => recorder.bytes.length === 3)
  const [chunk] = recorder.chunks
  const copy = chunk?.slice()
  chunk?.fill(0)
  expect(copy).toEqual(Uint8Array.from(Buffer.from('abc')).subarray(0, copy?.length))
})

test('Chunks of every size arrive in order, and each write is told once that it was taken', async () => {
  const { socket, connection } = await pair()
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  const sizes = [1, 0, 100, 16_384, 16_385, 3, 3, 3, 700_000, 5, 262_144, 262_145, 2_000_000]
  const whole = pattern(sizes.reduce((sum, size) => sum + size, 0))
  const taken: number[] = []
  let position = 0
  for (const [write, size] of sizes.entries()) {
    const middle = position + (size >> 1)
    const end = position + size
    connection.write([whole.subarray(position, middle), whole.subarray(middle, end)], () =>
      taken.push(write),
    )
    position = end
  }
  await until(() => Buffer.concat(received).length === whole.length && taken.length >= sizes.length)
  expect(Buffer.compare(Buffer.concat(received), whole)).toBe(0)
  // Small chunks are copied, and so may be taken before a large one that is still on its way.
  expect(taken.sort((left, right) => left - right)).toEqual(sizes.map((_, write) => write))
}, 30_000)

test('A peer that does not read makes write() give false; drained() says when it has read all', async () => {
  const { socket, connection, recorder } = await pair()
  socket.pause()
  const whole = pattern(32 * 1024 * 1024)
  let isTaken = false
  expect(connection.write([whole], () => (isTaken = true))).toBe(false)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect([isTaken, recorder.calls]).toEqual([false, ['opened']])
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
  })
  socket.resume()
  await until(() => recorder.calls.includes('drained'))
  expect(isTaken).toBe(true)
  await until(() => received === whole.length)
}, 30_000)

test('end() sends what was written, then ends, although the peer has sent what nobody read', async () => {
  const { socket, connection, recorder } = await pair()
  socket.write(pattern(300_000))
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  const whole = pattern(8 * 1024 * 1024)
  connection.write([whole])
  connection.end()
  await once(socket, 'end')
  expect(Buffer.compare(Buffer.concat(received), whole)).toBe(0)
  await until(() => recorder.calls.includes('closed'))
}, 30_000)

test('destroy() closes at once and gives every byte back', async () => {
  const { socket, connection, recorder } = await pair()
  socket.pause()
  let taken = 0
  connection.write([pattern(32 * 1024 * 1024)], () => taken++)
  connection.write([pattern(100)], () => taken++)
  connection.destroy()
  await until(() => recorder.calls.includes('closed'))
  expect(taken).toBe(2)
  connection.write([pattern(100)], () => taken++)
  expect(taken).toBe(3)
  connection.pause()
  connection.resume()
  connection.end()
  connection.destroy()
  expect(recorder.calls.filter((call) => call === 'closed')).toHaveLength(1)
}, 30_000)

test('A peer that goes is told as ended() when it closes its side, and as closed()', async () => {
  const { socket, connection, recorder } = await pair()
  connection.resume()
  socket.end('bye')
  await until(() => recorder.calls.includes('ended'))
  expect(recorder.bytes.toString()).toBe('bye')
  // Its side is closed, ours is not.
  connection.write([Buffer.from('answer')])
  connection.end()
  const [answer] = await once(socket, 'data')
  expect(answer.toString()).toBe('answer')
  await until(() => recorder.calls.includes('closed'))
  expect(recorder.calls).toEqual(['opened', 'ended', 'closed'])
})

test('A peer that has closed its side gets all that is sent to it, however slowly it reads', async () => {
  const { socket, connection, recorder } = await pair()
  connection.resume()
  const received: Buffer[] = []
  socket.pause()
  socket.end('question')
  await until(() => recorder.calls.includes('ended'))
  const whole = pattern(8 * 1024 * 1024)
  connection.write([whole])
  connection.end()
  socket.on('data', (chunk) => {
    received.push(chunk)
    socket.pause()
    setImmediate(() => socket.resume())
  })
  socket.resume()
  await once(socket, 'end')
  expect(Buffer.compare(Buffer.concat(received), whole)).toBe(0)
  await until(() => recorder.calls.includes('closed'))
}, 30_000)

test('A peer that resets the connection is told as closed()', async () => {
  const { socket, connection, recorder } = await pair()
  connection.resume()
  socket.resetAndDestroy()
  await until(() => recorder.calls.includes('closed'))
})

test('close() frees the port and leaves connections alone', async () => {
  const { socket, connection, listener } = await pair()
  await listener.close()
  const again = await listen({ host: '127.0.0.1', port: listener.port, backlog: 50 }, () => {
    throw new Error('Nobody should come')
  })
  await again.close()
  connection.write([Buffer.from('still here')])
  const [bytes] = await once(socket, 'data')
  expect(bytes.toString()).toBe('still here')
})

test('listen() says in a sentence that a port is taken', async () => {
  const { listener } = await open()
  const taken = listen({ host: '127.0.0.1', port: listener.port, backlog: 50 }, () => {
    throw new Error('Nobody should come')
  })
  await expect(taken).rejects.toThrow(
    `Port ${listener.port} on 127.0.0.1 is in use by another process`,
  )
})

async function openDoor() {
  const echo = echoApis()
  const said: string[] = []
  const door = await openKafkaDoor({
    listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }],
    config: { ...DOOR_CONFIG, socketRequestMaxBytes: 10_000_000 },
    listen,
    clock: systemClock,
    say: (line) => said.push(line),
    apis: echo.apis,
  })
  door.serve({} as Parameters<typeof door.serve>[0])
  const socket = await client(door.listeners[0]?.port ?? 0)
  return { ...echo, door, said, socket }
}

test('A Kafka client that pipelines without reading costs bounded memory, and gets everything later', async () => {
  const { door, socket, started, releasedCount } = await openDoor()
  socket.pause()
  const count = 400
  for (let id = 0; id < count; id++) socket.write(question('lend 1000000', { id }))
  let before = -1
  while (before !== started.length) {
    before = started.length
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  // What the sockets of both sides hold, and one answer beyond.
  expect(started.length).toBeLessThan(30)
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
  })
  socket.resume()
  await until(() => releasedCount() === count)
  await until(() => received > count * 1_000_000)
  await door.stop({ drainMs: 0 })
}, 60_000)

test('A request of many megabytes in small pieces is answered like any other', async () => {
  const { door, socket, said } = await openDoor()
  const text = `big ${'x'.repeat(30_000)}`
  const frame = Buffer.concat([question(text, { id: 3 }), Buffer.alloc(9_000_000)])
  frame.writeInt32BE(frame.length - 4)
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  for (let at = 0; at < frame.length; at += 70_001) socket.write(frame.subarray(at, at + 70_001))
  await until(() => Buffer.concat(received).length > text.length)
  expect(answered(Buffer.concat(received).subarray(4))).toEqual([3, text])
  expect(said).toEqual([])
  await door.stop({ drainMs: 0 })
}, 30_000)

test('stop() of a Kafka door sends the answers under way, then frees the port', async () => {
  const { door, socket, parked } = await openDoor()
  socket.write(question('park', { id: 1 }))
  await until(() => parked.length === 1)
  parked[0]?.signal.addEventListener('abort', () => parked[0]?.answer())
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  const ended = once(socket, 'end')
  await door.stop()
  await ended
  expect(answered(Buffer.concat(received).subarray(4))).toEqual([1, 'park'])
  expect(door.connectionCount).toBe(0)
})

test('A connection that its peer has reset is closed, also when it is paused and learns of it by writing', async () => {
  const { socket, recorder, connection } = await pair()
  connection.pause()
  socket.resetAndDestroy()
  let isReleased = false
  connection.write([new Uint8Array(4 * 1024 * 1024)], () => {
    isReleased = true
  })
  await until(() => recorder.calls.includes('closed'))
  expect(recorder.calls.filter((call) => call === 'closed')).toHaveLength(1)
  expect(isReleased).toBe(true)
})
