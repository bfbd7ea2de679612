// Asks a broker which APIs it serves, with a request written by hand: a check of ours should not lean on our own encoder.
import { connect } from 'node:net'

/** The versions of an API. */
export type VersionRange = readonly [min: number, max: number]

/** ApiVersions v0: no body; answered with a correlation id, an error code, and an array of key, min and max. */
export function askApiVersions(bootstrap: string): Promise<ReadonlyMap<number, VersionRange>> {
  const [host = '', port = ''] = bootstrap.split(':')
  const socket = connect(Number(port), host)
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('The connection was closed before the answer')))
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes as Uint8Array])
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
      socket.destroy()
      const ranges = new Map<number, VersionRange>()
      for (let at = 14; at < received.length; at += 6) {
        const range = [received.readInt16BE(at + 2), received.readInt16BE(at + 4)] as const
        ranges.set(received.readInt16BE(at), range)
      }
      resolve(ranges)
    })
    // Size, key 18, version 0, correlation id 1, no client id.
    socket.write(Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255]))
  })
}
