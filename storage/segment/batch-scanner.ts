// Reads a segment file batch by batch and trusts nothing: for recovery.
import { KafkaError } from '../base/errors.ts'
import { isLegacyMessage } from '../batch/legacy-message.ts'
import { FIELD, RecordBatch } from '../batch/record-batch.ts'
import { crc32c } from '../bytes/crc32c.ts'
import type { ByteLease } from '../fs/byte-lease.ts'
import type { OpenFile } from '../fs/files.ts'
import type { ReadBufferPool } from '../fs/read-buffer.ts'
import { type BatchHeader, parseBatchHeader } from './batch-header.ts'

const WINDOW_BYTES = 1_048_576
/** Enough to tell whether a place looks like a batch. */
const HEADER_BYTES = 61
const MAGIC = 2

/** A batch whose checksum is right. */
export interface IntactBatch {
  readonly header: BatchHeader
  /** The whole batch, valid until the next call; undefined for a message of an old format. */
  readonly batch: RecordBatch | undefined
}

/** Walks the first `end` bytes of a file in windows of 1 MiB; a larger batch is only held when its checksum is right. */
export class BatchScanner {
  readonly #file: OpenFile
  readonly #end: number
  readonly #lease: ByteLease
  readonly #window: Uint8Array
  readonly #view: DataView
  #start = 0
  #size = 0

  /** Borrows its window: `release` gives it back. */
  constructor(file: OpenFile, end: number, buffers: ReadBufferPool) {
    this.#file = file
    this.#end = end
    this.#lease = buffers.lease(Math.min(WINDOW_BYTES, end))
    this.#window = this.#lease.bytes
    const { buffer, byteOffset, length } = this.#window
    this.#view = new DataView(buffer, byteOffset, length)
  }

  /** No call after this one. */
  release(): void {
    this.#lease.release()
  }

  /** The batch at `position`; undefined when there is none that is whole and intact. */
  read(position: number): IntactBatch | undefined {
    this.#need(position, Math.min(HEADER_BYTES, this.#end - position))
    const known = new DataView(this.#view.buffer, this.#view.byteOffset, this.#size)
    const header = parseBatchHeader(known, position - this.#start, position)
    if (!header || position + header.sizeInBytes > this.#end) return undefined
    if (header.sizeInBytes > WINDOW_BYTES && !this.#isCrcValid(header)) return undefined
    const bytes = this.#bytes(header)
    if (!bytes) return undefined
    if (header.magic < MAGIC)
      return isLegacyMessage(bytes) ? { header, batch: undefined } : undefined
    const batch = toBatch(bytes)
    return batch?.isCrcValid() ? { header, batch } : undefined
  }

  /**
   * Looks for an intact batch that begins beyond `position` and holds offsets from `minOffset` on, one window at a time.
   * Returns where it stands, or how far it has looked.
   */
  search(position: number, minOffset: number): { found?: IntactBatch; searchedTo: number } {
    const last = Math.min(this.#end - HEADER_BYTES, position + WINDOW_BYTES)
    for (let at = position + 1; at <= last; at++) {
      if (!this.#need(at, HEADER_BYTES)) break
      const index = at - this.#start
      if (this.#window[index + FIELD.magic] !== MAGIC) continue
      // Offsets of a segment lie within 2^31; most impostors end here, before a checksum is computed.
      const header = parseBatchHeader(this.#view, index, at)
      if (!header || header.baseOffset < minOffset) continue
      if (header.lastOffset - minOffset > 2_147_483_647) continue
      const found = this.read(at)
      if (found) return { found, searchedTo: at }
    }
    return { searchedTo: last < position + WINDOW_BYTES ? this.#end : last }
  }

  #bytes({ position, sizeInBytes }: BatchHeader): Uint8Array | undefined {
    if (sizeInBytes > WINDOW_BYTES) {
      const whole = new Uint8Array(sizeInBytes)
      return this.#file.read(whole, position) === sizeInBytes ? whole : undefined
    }
    if (!this.#need(position, sizeInBytes)) return undefined
    const at = position - this.#start
    return this.#window.subarray(at, at + sizeInBytes)
  }

  /** The checksum of a batch that is larger than the window, without holding it. */
  #isCrcValid({ position, sizeInBytes }: BatchHeader): boolean {
    const expected = this.#view.getUint32(position - this.#start + FIELD.crc)
    const end = position + sizeInBytes
    let crc = 0
    for (let at = position + FIELD.attributes; at < end; at += WINDOW_BYTES) {
      const size = Math.min(WINDOW_BYTES, end - at)
      if (!this.#need(at, size)) return false
      const from = at - this.#start
      crc = crc32c(this.#window, from, from + size, crc)
    }
    return crc === expected
  }

  /** Loads the window so that it holds the range; false at the end of the file. */
  #need(position: number, size: number): boolean {
    if (position < this.#start || position + size > this.#start + this.#size) {
      const wanted = Math.min(WINDOW_BYTES, this.#end - position)
      this.#start = position
      this.#size = this.#file.read(this.#window.subarray(0, wanted), position)
    }
    return position + size <= this.#start + this.#size
  }
}

function toBatch(bytes: Uint8Array): RecordBatch | undefined {
  try {
    return new RecordBatch(bytes)
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}
