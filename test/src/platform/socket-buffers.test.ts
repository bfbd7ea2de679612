// The send buffer that accepted sockets inherit from their listener, asked of the system.
import { connect, createServer } from 'node:net'
import koffi from 'koffi'
import { expect, test } from 'vitest'
import { setSendBuffer } from '#src/platform/socket-buffers.ts'

const isLinux = process.platform === 'linux'
const SOL_SOCKET = 1
const SO_SNDBUF = 7

function sendBufferOf(fd: number): number {
  const prototype = 'int getsockopt(int fd, int level, int name, void *value, void *size)'
  const value = new Int32Array(1)
  koffi.load('libc.so.6').func(prototype)(fd, SOL_SOCKET, SO_SNDBUF, value, new Int32Array([4]))
  return value[0] ?? 0
}

test.skipIf(!isLinux)('setSendBuffer() sets what accepted connections have', async () => {
  const accepted = Promise.withResolvers<number | undefined>()
  const server = createServer((socket) => {
    accepted.resolve((socket as unknown as { _handle?: { fd?: number } })._handle?.fd)
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { fd } = (server as unknown as { _handle: { fd?: number } })._handle
  const isSet = setSendBuffer(fd, 65_536)
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  client.on('error', () => undefined)
  await accepted.promise
  // Only Node tells the descriptor of a node:net server. Linux doubles the number, for its own needs.
  expect(isSet).toBe(fd !== undefined && fd >= 0)
  if (isSet && fd !== undefined) expect(sendBufferOf(fd)).toBe(131_072)
  client.destroy()
  server.close()
})

test.skipIf(!process.versions['bun'])(
  'setSendBuffer() reaches connections of Bun.listen',
  async () => {
    interface BunServer {
      readonly fd: number
      readonly port: number
      stop(isNow: boolean): void
    }
    const { Bun } = globalThis as unknown as { Bun: { listen(options: object): BunServer } }
    const accepted = Promise.withResolvers<number>()
    const server = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        open: (socket: { fd: number }) => accepted.resolve(sendBufferOf(socket.fd)),
        data: () => undefined,
      },
    })
    expect(setSendBuffer(server.fd, 65_536)).toBe(true)
    const client = connect(server.port, '127.0.0.1')
    expect(await accepted.promise).toBe(131_072)
    client.destroy()
    server.stop(true)
  },
)

test('setSendBuffer() leaves a socket alone that it is not told, and the size to the system when it is -1', () => {
  expect([setSendBuffer(undefined, 1000), setSendBuffer(-1, 1000)]).toEqual([false, false])
  expect(setSendBuffer(0, -1)).toBe(false)
  expect(setSendBuffer(1_000_000, 1000)).toBe(false)
})
