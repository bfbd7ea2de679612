// When the metadata log is summed up: after so many bytes of records, and after so long a time (KIP-630).
import type { Clock, Timer } from '#storage/base/world.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { MetadataLog } from './metadata-log.ts'

/** Kafka's `metadata.log.max.record.bytes.between.snapshots` and its neighbours. */
export interface SnapshotPolicy {
  readonly maxBytes: number
  /** 0 is no limit. */
  readonly maxIntervalMs: number
  readonly retentionBytes: number
  readonly retentionMs: number
}

/** Takes snapshots of the image in the background, one at a time, and removes old ones. */
export class MetadataSnapshots {
  readonly #log: MetadataLog
  readonly #clock: Clock
  readonly #policy: SnapshotPolicy
  readonly #image: () => MetadataImage
  readonly #onProblem: (error: unknown) => void
  #timer: Timer | undefined
  #underWay: Promise<void> | undefined
  readonly #closed = new AbortController()

  constructor(parts: {
    log: MetadataLog
    clock: Clock
    policy: SnapshotPolicy
    /** The newest committed image. */
    image: () => MetadataImage
    /** Told of a snapshot that could not be written. The next one is tried when it is due. */
    onProblem: (error: unknown) => void
  }) {
    this.#log = parts.log
    this.#clock = parts.clock
    this.#policy = parts.policy
    this.#image = parts.image
    this.#onProblem = parts.onProblem
    this.#wait()
    this.consider()
  }

  /** Something was committed: takes a snapshot if enough has come since the last. */
  consider(): void {
    if (this.#log.bytesSinceSnapshot >= this.#policy.maxBytes) this.#begin()
  }

  /** Gives up a snapshot that is under way, and resolves when that is done; none is begun any more. */
  async close(): Promise<void> {
    this.#closed.abort()
    this.#timer?.cancel()
    await this.#underWay
  }

  #wait(): void {
    const { maxIntervalMs } = this.#policy
    if (maxIntervalMs === 0 || this.#closed.signal.aborted) return
    this.#timer = this.#clock.after(maxIntervalMs, () => {
      if (this.#log.bytesSinceSnapshot > 0) this.#begin()
      this.#wait()
    })
  }

  #begin(): void {
    if (this.#underWay || this.#closed.signal.aborted) return
    this.#underWay = this.#take().finally(() => {
      this.#underWay = undefined
    })
  }

  /** Never rejects. */
  async #take(): Promise<void> {
    try {
      await this.#log.snapshot(this.#image(), this.#closed.signal)
      this.#log.prune(this.#policy)
    } catch (error) {
      this.#onProblem(error)
    }
  }
}
