// Records that forget offsets, as many as should be written in one go.
import type { GroupRecord } from '../group-record.ts'
import { type OffsetPlace, offsetRecord } from './committed-offset.ts'

/** So many are planned, appended and applied at once: a few milliseconds of the event loop. */
const MAX_RECORDS = 1000

/** A bounded list of records. */
export class TombstoneBatch {
  readonly records: GroupRecord[] = []
  readonly #maxRecords: number
  #forgottenCount = 0
  #isFull = false

  constructor(maxRecords = MAX_RECORDS) {
    this.#maxRecords = maxRecords
  }

  /** True once something did not fit: there is more to do after this batch. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** How many offsets it forgets. */
  get forgottenCount(): number {
    return this.#forgottenCount
  }

  /** Adds the record that forgets an offset. False when it is left for the next batch. */
  forget(place: OffsetPlace): boolean {
    if (!this.#hasRoom()) return false
    this.records.push(offsetRecord(place, null))
    this.#forgottenCount++
    return true
  }

  /** Adds the records that remove a group. False when they are left for the next batch. */
  remove(tombstones: () => readonly GroupRecord[]): boolean {
    if (!this.#hasRoom()) return false
    this.records.push(...tombstones())
    return true
  }

  #hasRoom(): boolean {
    if (this.records.length >= this.#maxRecords) this.#isFull = true
    return !this.#isFull
  }
}
