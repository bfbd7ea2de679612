// The limit of a fetch: a server on Bun that answers the raw client's Fetch requests (v11, one partition) with slices of one mapped
// segment and does nothing else: no topics, no rights, no checks.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

interface Socket {
  data: { received: Uint8Array; length: number; queue: Uint8Array[] }
  write(bytes: Uint8Array): number
}

declare const Bun: {
  mmap(path: string): Uint8Array
  listen(options: object): { readonly port: number }
}

/** The mapped segment, and where its batches begin. */
interface Segment {
  readonly map: Uint8Array
  readonly offsets: readonly number[]
  readonly positions: readonly number[]
  /** The offset behind the last record. */
  readonly end: number
}

/** Serves a segment on a free port of loopback, which it returns, until the process ends. */
export function serveBare(path: string): number {
  const segment = { map: Bun.mmap(path), ...batchesOf(path) }
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket: Socket) {
        socket.data = { received: new Uint8Array(4096), length: 0, queue: [] }
      },
      data(socket: Socket, bytes: Uint8Array) {
        const { data } = socket
        data.received.set(bytes, data.length)
        data.length += bytes.length
        const view = new DataView(data.received.buffer, 0, data.length)
        if (data.length < 4 || data.length < 4 + view.getInt32(0)) return
        // The client has one request in flight.
        data.length = 0
        data.queue.push(...answer(segment, view))
        flush(socket)
      },
      drain: flush,
    },
  })
  return server.port
}

/** The place of every batch, from its header: 61 bytes of each are read. */
function batchesOf(file: string): { offsets: number[]; positions: number[]; end: number } {
  const fd = openSync(file, 'r')
  const { size } = fstatSync(fd)
  const header = Buffer.alloc(61)
  const found = { offsets: [] as number[], positions: [] as number[], end: 0 }
  for (let position = 0; position + 61 <= size; position += 12 + header.readInt32BE(8)) {
    readSync(fd, header, 0, 61, position)
    const base = Number(header.readBigInt64BE(0))
    found.offsets.push(base)
    found.positions.push(position)
    found.end = base + header.readInt32BE(23) + 1
  }
  closeSync(fd)
  return found
}

/** Where the batch of an offset begins. */
function positionOf({ offsets, positions }: Segment, offset: number): number {
  let [low, high] = [0, offsets.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((offsets[middle] ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return positions[low - 1] ?? 0
}

/** The answer to one request: what stands in front of the records, and the records. */
function answer(segment: Segment, request: DataView): [Uint8Array, Uint8Array] {
  // From the back: no rack (2), no forgotten topics (4), max bytes (4), log start (8), the offset (8).
  const at = request.byteLength - 2 - 4 - 4 - 8 - 8
  const maxBytes = request.getInt32(at + 16)
  const { map, end } = segment
  const position = positionOf(segment, Number(request.getBigInt64(at)))
  const records = map.subarray(position, Math.min(position + maxBytes, map.length))
  const front = Buffer.alloc(4 + 4 + 4 + 2 + 4 + 4 + 2 + 4 + 4 + 2 + 8 + 8 + 8 + 4 + 4 + 4)
  front.writeInt32BE(front.length - 4 + records.length, 0)
  front.writeInt32BE(request.getInt32(8), 4)
  // One topic of no name, with one partition.
  front.writeInt32BE(1, 18)
  front.writeInt32BE(1, 24)
  front.writeBigInt64BE(BigInt(end), 34)
  front.writeBigInt64BE(BigInt(end), 42)
  front.writeInt32BE(-1, 62)
  front.writeInt32BE(records.length, 66)
  return [front, records]
}

function flush(socket: Socket): void {
  const { queue } = socket.data
  for (let next = queue[0]; next !== undefined; next = queue[0]) {
    const taken = Math.max(0, socket.write(next))
    if (taken < next.length) {
      queue[0] = next.subarray(taken)
      return
    }
    queue.shift()
  }
}
