// Reads the batches of a sealed segment for its cleaner: whole, checked, and without stalling the loop.
import { KafkaError } from '../base/errors.ts'
import { announcedSize, RecordBatch } from '../batch/record-batch.ts'
import type { FilePool } from '../fs/file-pool.ts'
import type { MapCache, SealedFile } from '../fs/map-cache.ts'

/** How much of a segment is brought into memory at a time when it is cold. */
const WARM_BYTES = 4 * 1_048_576

/** The batches of one segment from a position on. */
export class SegmentReader {
  readonly #segment: SealedFile
  readonly #pool: FilePool
  readonly #maps: MapCache
  #buffer: Uint8Array
  #position: number
  /** The part of the buffer that was read and not taken. */
  #from = 0
  #to = 0
  #warmUntil = 0
  #nextOffset = 0

  /** `bufferBytes` are read at a time, or one batch if that is larger. */
  constructor(
    segment: SealedFile,
    options: { pool: FilePool; maps: MapCache; position: number; bufferBytes: number },
  ) {
    this.#segment = segment
    this.#pool = options.pool
    this.#maps = options.maps
    this.#position = options.position
    this.#buffer = new Uint8Array(Math.max(64, Math.min(options.bufferBytes, segment.size)))
  }

  /** Reads on; how many bytes, 0 at the end. What is cold is read off this thread first. Throws CORRUPT_MESSAGE. */
  async fill(): Promise<number> {
    const left = this.#segment.size - this.#position
    if (left === 0) return 0
    await this.#warm()
    let size = this.#load(left)
    const announced = announcedSize(this.#buffer.subarray(0, size), 0)
    if (announced === undefined || announced > left) throw this.#corrupt('is not whole')
    if (announced > size) {
      this.#buffer = new Uint8Array(announced)
      size = this.#load(left)
    }
    return size
  }

  /** The next batch of what was read, valid until the next `fill`; undefined when there is none. Throws CORRUPT_MESSAGE. */
  take(): RecordBatch | undefined {
    const rest = this.#buffer.subarray(this.#from, this.#to)
    const size = announcedSize(rest, 0)
    if (size === undefined || size > rest.length) return undefined
    const batch = new RecordBatch(rest)
    if (!batch.isCrcValid()) throw this.#corrupt('has a wrong checksum')
    if (batch.baseOffset < this.#nextOffset || batch.lastOffset < batch.baseOffset) {
      throw this.#corrupt(`holds offset ${batch.baseOffset}, below ${this.#nextOffset}`)
    }
    this.#nextOffset = batch.nextOffset
    this.#from += size
    this.#position += size
    return batch
  }

  #load(left: number): number {
    const size = Math.min(left, this.#buffer.length)
    const target = this.#buffer.subarray(0, size)
    const count = this.#pool.use(this.#segment.path, (file) => file.read(target, this.#position))
    if (count < size) throw this.#corrupt('is beyond the end of the file')
    this.#from = 0
    this.#to = size
    return size
  }

  async #warm(): Promise<void> {
    const position = this.#position
    if (position + this.#buffer.length <= this.#warmUntil) return
    const { size } = this.#segment
    const range = { position, size: Math.min(WARM_BYTES, size - position) }
    this.#warmUntil = position + range.size
    if (this.#maps.isCold(this.#segment, range)) await this.#maps.warm(this.#segment, range)
  }

  #corrupt(what: string): KafkaError {
    const detail = `The batch at position ${this.#position} of ${this.#segment.path} ${what}`
    return new KafkaError('CORRUPT_MESSAGE', detail)
  }
}
