// Compares the entries of a segment's two indexes with its log while the log is read.

import type { BatchHeader } from '#storage/segment/batch-header.ts'
import type { OffsetIndex } from '#storage/segment/offset-index.ts'
import type { TimeIndex } from '#storage/segment/time-index.ts'
import { fault, type ProblemEvent } from './inspect-event.ts'

/** Reported at most, for each index. */
const MAX_PROBLEMS = 10

/** Takes the batches of a log in order and says which index entries don't fit them. */
export class IndexCheck {
  readonly #path: string
  readonly #index: OffsetIndex | undefined
  readonly #times: TimeIndex | undefined
  #nextEntry = 0
  #nextTime = 0
  #offsetProblems = 0
  #timeProblems = 0

  constructor(path: string, index: OffsetIndex | undefined, times: TimeIndex | undefined) {
    this.#path = path
    this.#index = index
    this.#times = times
  }

  /** The entries that this batch should bear out, and does not. */
  *batch(header: BatchHeader): Generator<ProblemEvent> {
    yield* this.#offsetEntries(header)
    yield* this.#timeEntries(header)
  }

  /** The entries that point beyond the last batch. */
  *end(): Generator<ProblemEvent> {
    const offsets = (this.#index?.entries ?? 0) - this.#nextEntry
    const times = (this.#times?.entries ?? 0) - this.#nextTime
    if (offsets > 0) yield fault(this.#path, `${offsets} offset index entries lie beyond the log`)
    if (times > 0) yield fault(this.#path, `${times} time index entries lie beyond the log`)
  }

  *#offsetEntries(header: BatchHeader): Generator<ProblemEvent> {
    const index = this.#index
    while (index !== undefined && this.#nextEntry < index.entries) {
      const { offset, position } = index.entryAt(this.#nextEntry)
      if (position >= header.position + header.sizeInBytes) return
      this.#nextEntry++
      // Kafka 3 wrote one entry for several batches: the offset may lie behind the batch at the position.
      if (position === header.position && offset >= header.baseOffset) continue
      if (this.#offsetProblems++ >= MAX_PROBLEMS) continue
      const what = `Index entry ${offset} at position ${position} points`
      yield fault(
        this.#path,
        position === header.position
          ? `${what} to a batch that begins at offset ${header.baseOffset}`
          : `${what} into the batch at position ${header.position}`,
      )
    }
  }

  *#timeEntries(header: BatchHeader): Generator<ProblemEvent> {
    const times = this.#times
    while (times !== undefined && this.#nextTime < times.entries) {
      const { timestamp, offset } = times.entryAt(this.#nextTime)
      if (offset > header.lastOffset) return
      this.#nextTime++
      if (timestamp === header.maxTimestamp || this.#timeProblems++ >= MAX_PROBLEMS) continue
      yield fault(
        this.#path,
        `Time index entry ${timestamp} of offset ${offset} belongs to a batch whose largest timestamp is ${header.maxTimestamp}`,
      )
    }
  }
}
