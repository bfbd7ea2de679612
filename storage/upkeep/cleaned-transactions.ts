// What is known of transactions while a log is read from the beginning by its cleaner.
import { CONTROL_TYPE, controlType } from '../batch/control-record.ts'
import { readRecords } from '../batch/record.ts'
import type { RecordBatch } from '../batch/record-batch.ts'
import type { Int64 } from '../bytes/int64.ts'
import type { AbortedTransaction } from '../segment/transaction-index.ts'

interface OngoingAbort {
  readonly transaction: AbortedTransaction
  /** Batches of it are still in the log. */
  hasBatches: boolean
}

/**
 * Which batches belong to aborted transactions, and of which transactions only the marker is left (Kafka's
 * `CleanedTransactionMetadata`). Batches must come in the order of the log.
 */
export class CleanedTransactions {
  readonly #onKept: (aborted: AbortedTransaction) => void
  /** Not reached yet, by first offset. */
  #coming: AbortedTransaction[] = []
  readonly #aborted = new Map<Int64, OngoingAbort>()
  readonly #committed = new Set<Int64>()

  /** `onKept` hears of aborted transactions that leave batches behind: their entry in the transaction index stays. */
  constructor(onKept: (aborted: AbortedTransaction) => void = () => undefined) {
    this.#onKept = onKept
  }

  /** Adds the aborted transactions that overlap what is read next. One that is known already does no harm. */
  add(aborted: readonly AbortedTransaction[]): void {
    if (aborted.length === 0) return
    this.#coming = [...this.#coming, ...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** A batch of records comes by. True when it was aborted: none of its records stays. */
  readBatch(batch: RecordBatch): boolean {
    this.#reach(batch.lastOffset)
    if (!batch.isTransactional) return false
    const aborted = this.#aborted.get(batch.producerId)
    if (aborted) aborted.hasBatches = true
    else this.#committed.add(batch.producerId)
    return aborted !== undefined
  }

  /** A control batch comes by. True when nothing is left of what it ended. Throws CORRUPT_MESSAGE. */
  readControl(batch: RecordBatch): boolean {
    this.#reach(batch.lastOffset)
    const [record] = readRecords(batch)
    if (!record) return true
    const { producerId } = batch
    const type = controlType(record)
    if (type === CONTROL_TYPE.commit) return !this.#committed.delete(producerId)
    if (type !== CONTROL_TYPE.abort) return false
    const aborted = this.#aborted.get(producerId)
    this.#aborted.delete(producerId)
    if (!aborted?.hasBatches) return true
    this.#onKept(aborted.transaction)
    return false
  }

  #reach(offset: number): void {
    for (;;) {
      const [next] = this.#coming
      if (!next || next.firstOffset > offset) return
      this.#coming.shift()
      if (this.#aborted.has(next.producerId)) continue
      this.#aborted.set(next.producerId, { transaction: next, hasBatches: false })
    }
  }
}
