// Which leader epoch began at which offset, and the `leader-epoch-checkpoint` file that keeps it.
import { assert } from '../base/errors.ts'
import { parseCheckpoint, parseCheckpointNumber, serializeCheckpoint } from './checkpoint-text.ts'

/** The file's name in a partition directory. */
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint'

/** A leader epoch and the offset of the first record written in it. */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/** A leader epoch and where it ends (exclusive); -1 and -1 stand for "unknown". */
export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

/**
 * The leader epochs of one partition (Kafka's `LeaderEpochFileCache`).
 * Invariant: epochs strictly increase, start offsets too.
 */
export class LeaderEpochCache {
  #entries: EpochStart[]
  #revision = 0

  /** Takes entries as a checkpoint holds them; what breaks the invariant gives way to what comes later. */
  constructor(entries: readonly EpochStart[] = []) {
    this.#entries = []
    for (const entry of entries) this.assign(entry)
    this.#revision = 0
  }

  /** Grows with each change: what is on disk is stale when it was written at a lower one. */
  get revision(): number {
    return this.#revision
  }

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  get earliest(): EpochStart | undefined {
    return this.#entries[0]
  }

  get latest(): EpochStart | undefined {
    return this.#entries.at(-1)
  }

  /** Undefined when nothing is known. */
  get latestEpoch(): number | undefined {
    return this.latest?.epoch
  }

  /**
   * Notes that `epoch` began at `startOffset`; true when that was news. Entries that contradict it, with a higher epoch
   * or a later start, are dropped.
   */
  assign({ epoch, startOffset }: EpochStart): boolean {
    assert(epoch >= 0 && startOffset >= 0, `Epoch ${epoch} at ${startOffset} must not be negative`)
    const { latest } = this
    if (latest && latest.epoch === epoch && startOffset >= latest.startOffset) return false
    const kept = this.#entries.filter(
      (entry) => entry.epoch < epoch && entry.startOffset < startOffset,
    )
    this.#replace([...kept, { epoch, startOffset }])
    return true
  }

  /**
   * Where `epoch` ends, as OffsetForLeaderEpoch answers: the log end for the latest; for one between two known ones,
   * the largest below it and the start of the next; the first start for one before all; (-1, -1) for one beyond all.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch < 0) return { epoch: -1, endOffset: -1 }
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const higher = this.#entries.findIndex((entry) => entry.epoch > epoch)
    const next = this.#entries[higher]
    if (!next) return { epoch: -1, endOffset: -1 }
    return { epoch: this.#entries[higher - 1]?.epoch ?? epoch, endOffset: next.startOffset }
  }

  /** The epoch in which `offset` was written; undefined below the first known. */
  epochOf(offset: number): number | undefined {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch
  }

  /** The log was cut: forgets the epochs that begin at or beyond `endOffset`. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset)
    if (kept.length < this.#entries.length) this.#replace(kept)
  }

  /** The log begins later now: epochs at or below `startOffset` collapse into the last of them, which starts there. */
  truncateFromStart(startOffset: number): void {
    const last = this.#entries.findLast((entry) => entry.startOffset <= startOffset)
    if (!last || (last === this.earliest && last.startOffset === startOffset)) return
    const later = this.#entries.filter((entry) => entry.startOffset > startOffset)
    this.#replace([{ epoch: last.epoch, startOffset }, ...later])
  }

  /** Forgets everything. */
  clear(): void {
    if (this.#entries.length > 0) this.#replace([])
  }

  #replace(entries: EpochStart[]): void {
    this.#entries = entries
    this.#revision++
  }
}

/** The file's content: `epoch startOffset` a line, ascending. */
export function serializeLeaderEpochs(entries: readonly EpochStart[]): Uint8Array {
  return serializeCheckpoint(entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
}

/** Reads the file. Throws `StorageFault` when it is malformed; the epochs are then rebuilt from the batches. */
export function parseLeaderEpochs(bytes: Uint8Array): EpochStart[] {
  const name = LEADER_EPOCH_CHECKPOINT
  return parseCheckpoint(bytes, name, 2).map(([epoch, startOffset]) => ({
    epoch: parseCheckpointNumber(epoch, name),
    startOffset: parseCheckpointNumber(startOffset, name),
  }))
}
