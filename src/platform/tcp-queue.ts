// What waits to be sent on one connection, handed out in pieces that suit a socket.

/** Larger writes cost twice the CPU time on Bun, and save nothing elsewhere. */
const PIECE_BYTES = 256 * 1024
/** Chunks up to here are copied together: one write, and one system call, for many. */
const SMALL_CHUNK_BYTES = 16 * 1024
const GATHERED_BYTES = 64 * 1024

/** A chunk; `onTaken` belongs to the last one of a write. */
interface Waiting {
  readonly bytes: Uint8Array
  readonly onTaken: (() => void) | undefined
}

/** Bytes for one write to the socket. `onTaken` is to be called when the system has them. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly onTaken: (() => void) | undefined
}

/** Chunks in the order in which they were written. */
export class TcpQueue {
  readonly #chunks: Waiting[] = []
  /** Bytes of the first chunk that have been handed out. */
  #position = 0

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  push(chunks: readonly Uint8Array[], onTaken?: () => void): void {
    const last = chunks.length - 1
    for (const [at, bytes] of chunks.entries()) {
      this.#chunks.push({ bytes, onTaken: at === last ? onTaken : undefined })
    }
    if (last === -1) onTaken?.()
  }

  /** The next piece, which leaves the queue; undefined when it is empty. */
  next(): Piece | undefined {
    const [first] = this.#chunks
    if (first === undefined) return undefined
    if (this.#position === 0 && first.bytes.length <= SMALL_CHUNK_BYTES) return this.#gather(first)
    const { length } = first.bytes
    const start = this.#position
    const end = Math.min(start + PIECE_BYTES, length)
    const isLast = end === length
    if (isLast) this.#chunks.shift()
    this.#position = isLast ? 0 : end
    const onTaken = isLast ? first.onTaken : undefined
    return { bytes: first.bytes.subarray(start, end), onTaken }
  }

  /** Forgets everything, as if it had been taken. */
  clear(): void {
    for (const { onTaken } of this.#chunks.splice(0)) onTaken?.()
    this.#position = 0
  }

  /** A small chunk alone goes as it is; several are copied into one. */
  #gather(first: Waiting): Piece {
    let count = 0
    let size = 0
    for (const { bytes } of this.#chunks) {
      if (bytes.length > SMALL_CHUNK_BYTES || size + bytes.length > GATHERED_BYTES) break
      size += bytes.length
      count++
    }
    const gathered = this.#chunks.splice(0, count)
    if (count === 1) return first
    const bytes = new Uint8Array(size)
    let position = 0
    for (const chunk of gathered) {
      bytes.set(chunk.bytes, position)
      position += chunk.bytes.length
      chunk.onTaken?.()
    }
    return { bytes, onTaken: undefined }
  }
}
