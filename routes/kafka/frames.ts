// Cuts a stream of bytes into requests: four bytes of length, then that many bytes.
import { KafkaError } from '#storage/base/errors.ts'
import { freeBuffer } from '#storage/bytes/free-buffer.ts'

const LENGTH_BYTES = 4
/** Buffers come in powers of two from here on, so that requests of about one size share them. */
const SMALLEST_BUFFER_BYTES = 64 * 1024
/** Larger requests get a buffer of their own, which is not kept. */
const LARGEST_KEPT_BYTES = 4 * 1024 * 1024
/** What a connection keeps for its next requests. */
const KEPT_BYTES = 8 * 1024 * 1024
/** Smaller chunks are left to the garbage collector. */
const SMALLEST_FREED_BYTES = 16 * 1024

/** Bytes as they came, and who still reads them. */
interface Chunk {
  readonly bytes: Uint8Array
  /** Frames that are views of it and have not been given back. */
  views: number
  /** Everything has been cut from it. */
  isSpent: boolean
}

/** One whole request, without its length. */
export interface Frame {
  readonly bytes: Uint8Array
  /** What it was assembled in; undefined when it lies in a chunk as it came. */
  readonly buffer: Uint8Array | undefined
  /** The chunk that it is a view of. */
  readonly chunk: Chunk | undefined
}

/**
 * The frames of one connection. A frame that came in one chunk is a view of it; any other is copied once, into a buffer
 * that `recycle` gives back. A large chunk is freed as soon as nobody reads it: left to the garbage collector, its pages have
 * gone back to the system before the next chunk comes, and each has to be had anew.
 */
export class FrameReader {
  readonly #maxBytes: number
  #chunks: Chunk[] = []
  /** The position in the first chunk. */
  #position = 0
  #buffer: Uint8Array | undefined
  #size = 0
  #filled = 0
  #spares: Uint8Array[] = []

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of the frame that is being put together; 0 between frames. */
  get assemblingBytes(): number {
    return this.#buffer === undefined ? 0 : this.#size
  }

  /** Takes bytes over. Chunks are kept, not copied, until `next` has gone over them. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push({ bytes: chunk, views: 0, isSpent: false })
  }

  /** The next whole frame; undefined when more bytes are needed. Throws INVALID_REQUEST on a length that can't be. */
  next(): Frame | undefined {
    if (this.#buffer) return this.#fill(this.#buffer)
    const size = this.#readLength()
    if (size === undefined) return undefined
    const [chunk] = this.#chunks
    const start = this.#position
    if (chunk && chunk.bytes.length - start >= size) {
      chunk.views += 1
      this.#skip(size)
      return { bytes: chunk.bytes.subarray(start, start + size), buffer: undefined, chunk }
    }
    this.#size = size
    this.#filled = 0
    this.#buffer = this.#takeBuffer(size)
    return this.#fill(this.#buffer)
  }

  /** Gives the bytes of a frame back: nobody reads them any more. */
  recycle({ buffer, chunk }: Frame): void {
    if (chunk) {
      chunk.views -= 1
      freeIfUnread(chunk)
    }
    if (buffer === undefined || buffer.length > LARGEST_KEPT_BYTES) return
    const kept = this.#spares.reduce((sum, spare) => sum + spare.length, 0)
    if (kept + buffer.length <= KEPT_BYTES) this.#spares.push(buffer)
  }

  /** Lets go of the memory that waits for further requests. */
  trim(): void {
    this.#spares = []
  }

  #fill(buffer: Uint8Array): Frame | undefined {
    for (let [chunk] = this.#chunks; chunk && this.#filled < this.#size; [chunk] = this.#chunks) {
      const start = this.#position
      const count = Math.min(chunk.bytes.length - start, this.#size - this.#filled)
      buffer.set(chunk.bytes.subarray(start, start + count), this.#filled)
      this.#filled += count
      this.#skip(count)
    }
    if (this.#filled < this.#size) return undefined
    this.#buffer = undefined
    return { bytes: buffer.subarray(0, this.#size), buffer, chunk: undefined }
  }

  /** The length before a frame, which may be spread over chunks; undefined, and nothing read, when it is not whole. */
  #readLength(): number | undefined {
    const [first] = this.#chunks
    if (first === undefined) return undefined
    let available = first.bytes.length - this.#position
    for (let at = 1; at < this.#chunks.length && available < LENGTH_BYTES; at++) {
      available += this.#chunks[at]?.bytes.length ?? 0
    }
    if (available < LENGTH_BYTES) return undefined
    let size = 0
    for (let at = 0; at < LENGTH_BYTES; at++) {
      size = (size << 8) | (this.#chunks[0]?.bytes[this.#position] ?? 0)
      this.#skip(1)
    }
    if (size >= 0 && size <= this.#maxBytes) return size
    const sentence = `A request of ${size} bytes is outside [0, ${this.#maxBytes}]`
    throw new KafkaError('INVALID_REQUEST', `${sentence}${strangerOf(size)}`)
  }

  #skip(count: number): void {
    this.#position += count
    const [first] = this.#chunks
    if (first && this.#position >= first.bytes.length) {
      this.#chunks.shift()
      this.#position = 0
      first.isSpent = true
      freeIfUnread(first)
    }
  }

  #takeBuffer(size: number): Uint8Array {
    const at = this.#spares.findIndex((spare) => spare.length >= size)
    const [spare] = at === -1 ? [] : this.#spares.splice(at, 1)
    if (spare) return spare
    if (size > LARGEST_KEPT_BYTES) return new Uint8Array(size)
    // 2^n is the first power of two that holds it.
    const rounded = 2 ** Math.ceil(Math.log2(Math.max(size, SMALLEST_BUFFER_BYTES)))
    return new Uint8Array(rounded)
  }
}

function freeIfUnread({ bytes, views, isSpent }: Chunk): void {
  if (isSpent && views === 0 && bytes.length >= SMALLEST_FREED_BYTES) freeBuffer(bytes)
}

/** What else a client may speak whose first bytes give this length; most who come to the wrong port do. */
function strangerOf(length: number): string {
  if (length >>> 8 === 0x160301 || length >>> 8 === 0x160303) return ': the client speaks TLS'
  const text = String.fromCharCode(length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255)
  return ['GET', 'POS', 'PUT', 'HEA', 'DEL', 'OPT'].includes(text) ? ': the client speaks HTTP' : ''
}
