// How soon a broker answers: asks for Metadata until it does.
import { connect } from 'node:net'

/** Metadata v1 about no topic: size, key 3, version 1, correlation id 1, no client id, no topics. */
const question = new Uint8Array([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 255, 255, 0, 0, 0, 0])

/** Resolves when the broker on a port of loopback has answered with at least one broker in it; asks every 5 ms. */
export async function firstMetadata(port: number, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    if (await isAnswered(port)) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`Port ${port} did not answer a Metadata request within ${patienceMs / 1000} s`)
}

function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = Buffer.alloc(0)
    const end = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.setNoDelay(true)
    socket.setTimeout(1000, () => end(false))
    socket.on('connect', () => socket.write(question))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes as Uint8Array])
      // Size, correlation id, and the number of brokers.
      if (received.length >= 12) end(received.readInt32BE(8) > 0)
    })
  })
}
