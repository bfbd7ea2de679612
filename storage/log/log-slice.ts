// What a read hands out: a run of bytes in one segment, not yet touched.
import { KafkaError, StorageFault, systemCode } from '../base/errors.ts'
import type { ByteLease } from '../fs/byte-lease.ts'
import { storageError } from '../fs/failures.ts'
import type { MapCache, SealedFile } from '../fs/map-cache.ts'
import type { ReadBufferPool } from '../fs/read-buffer.ts'
import type { Segment } from '../segment/segment.ts'
import type { AbortedTransaction } from '../segment/transaction-index.ts'

/** How slices get at their bytes. */
export interface SliceSource {
  readonly maps: MapCache
  readonly buffers: ReadBufferPool
}

/** The same, of one log. */
export interface LogSliceSource extends SliceSource {
  /** Bytes could not be read: the log must not go on as if nothing were. */
  onFault(fault: StorageFault): void
}

/** The offsets that frame a read, as they were when it was made. */
export interface LogBounds {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logEndOffset: number
}

/** What a slice is made of. */
export interface SliceParts {
  readonly segment: Segment
  readonly position: number
  readonly size: number
  /** False while the segment may still be written to. */
  readonly isSealed: boolean
}

/** So near its end an active segment is read positionally: that part changes, and readers at the tail read little. */
const TAIL_BYTES = 1_048_576
/** Maps of active segments reach beyond their ends, in powers of two from here on: a new map for each append would cost more. */
const LEAST_MAP_BYTES = 64 * 1_048_576
/** Segments are not larger. */
const MOST_MAP_BYTES = 2 ** 31

/**
 * Batches from the one that holds the offset asked for on; the last may be cut, as Kafka cuts it. Empty when there is
 * nothing to read yet. The bytes never reach beyond what the reader's isolation lets it see.
 *
 * A slice is for soon: its segment may be deleted, and after `file.delete.delay.ms` its bytes are gone.
 */
export class LogSlice {
  readonly bounds: LogBounds
  /** For read_committed: every aborted transaction that overlaps the slice. Undefined for other isolations. */
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined
  readonly #source: LogSliceSource
  readonly #parts: SliceParts | undefined

  constructor(
    source: LogSliceSource,
    bounds: LogBounds,
    content: { parts?: SliceParts; abortedTransactions?: readonly AbortedTransaction[] } = {},
  ) {
    this.#source = source
    this.bounds = bounds
    this.#parts = content.parts
    this.abortedTransactions = content.abortedTransactions
  }

  /** In bytes. */
  get size(): number {
    return this.#parts?.size ?? 0
  }

  /** Where the bytes begin in the segment's file. */
  get position(): number {
    return this.#parts?.position ?? 0
  }

  get segmentBaseOffset(): number | undefined {
    return this.#parts?.segment.baseOffset
  }

  /** Whether the bytes lie in a segment that is no longer written to: more than them may wait behind it. */
  get isSealed(): boolean {
    return this.#parts?.isSealed === true
  }

  /** Whether `lease` would have to wait for the disk, and so stall the loop: await `warm` first. False when it would fail. */
  get isCold(): boolean {
    const parts = this.#parts
    const file = parts && mappable(parts)
    if (!file) return false
    try {
      return this.#source.maps.isCold(file, parts)
    } catch (error) {
      this.#told(parts, error)
      return false
    }
  }

  /** Brings the bytes into memory, off this thread. */
  async warm(): Promise<void> {
    const parts = this.#parts
    const file = parts && mappable(parts)
    if (!file) return
    try {
      await this.#source.maps.warm(file, parts)
    } catch (error) {
      throw this.#told(parts, error)
    }
  }

  /**
   * The bytes, lent: a view of the map where there is one, else a pooled buffer. They hold still until the lease is
   * released, and not a moment longer: after that a map may be gone, and touching it ends the process.
   */
  lease(): ByteLease {
    const parts = this.#parts
    if (!parts) return EMPTY
    try {
      const file = mappable(parts)
      const mapped = file && this.#source.maps.lease(file, parts)
      if (mapped) return mapped
      const buffer = this.#source.buffers.lease(parts.size)
      readInto(buffer.bytes, parts)
      return buffer
    } catch (error) {
      throw this.#told(parts, error)
    }
  }

  /** The bytes, in memory of the caller's own. */
  bytes(): Uint8Array {
    const parts = this.#parts
    if (!parts) return new Uint8Array(0)
    const bytes = new Uint8Array(parts.size)
    try {
      readInto(bytes, parts)
      return bytes
    } catch (error) {
      throw this.#told(parts, error)
    }
  }

  /** The error to throw. A disk that can't be read takes the log offline; a file that is gone was deleted meanwhile. */
  #told({ segment }: SliceParts, error: unknown): unknown {
    const reported = storageError(error, `Reading ${segment.path}`)
    const isGone = systemCode(error) === 'ENOENT'
    if (reported instanceof StorageFault && !isGone) this.#source.onFault(reported)
    return reported
  }
}

const EMPTY: ByteLease = { bytes: new Uint8Array(0), release: () => undefined }

/** What of the segment may be mapped; undefined at the end of one that grows. */
function mappable({ segment, position, size, isSealed }: SliceParts): SealedFile | undefined {
  if (isSealed) return segment
  if (position + size + TAIL_BYTES > segment.size) return undefined
  let mapBytes = LEAST_MAP_BYTES
  while (mapBytes < segment.size && mapBytes < MOST_MAP_BYTES) mapBytes *= 2
  return { path: segment.path, size: mapBytes }
}

function readInto(target: Uint8Array, { segment, position }: SliceParts): void {
  const count = segment.withFile((file) => file.read(target, position))
  if (count === target.length) return
  const detail = `${segment.path} ends at ${position + count}, below ${position + target.length}`
  throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
}
