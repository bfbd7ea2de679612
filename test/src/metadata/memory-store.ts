// A metadata log in memory: what was appended, what of it is durable, and a crash that keeps only that.
import type {
  MetadataStore,
  NewStoredRecord,
  QuorumState,
  StoredRecord,
} from '../../../src/metadata/store.ts'

interface Waiter {
  readonly lastOffset: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A batch as it was appended. */
export interface Batch {
  readonly isControl: boolean
  readonly epoch: number
  readonly count: number
}

/** Commits at once unless `holdsCommits`; then `commit()` or `failCommits()` decides. */
export class MemoryStore implements MetadataStore {
  readonly records: StoredRecord[]
  readonly batches: Batch[] = []
  holdsCommits = false
  /** Thrown by the next append. */
  nextAppendError: Error | undefined
  quorumState: QuorumState | undefined
  #durableEnd: number
  #waiters: Waiter[] = []

  constructor(records: readonly StoredRecord[] = [], quorumState?: QuorumState) {
    this.records = [...records]
    this.quorumState = quorumState
    this.#durableEnd = records.length
  }

  get logEndOffset(): number {
    return this.records.length
  }

  append(
    records: readonly NewStoredRecord[],
    { epoch, isControl }: { epoch: number; isControl: boolean },
  ) {
    const error = this.nextAppendError
    this.nextAppendError = undefined
    if (error !== undefined) throw error
    const baseOffset = this.logEndOffset
    for (const record of records) {
      this.records.push({ ...record, offset: this.logEndOffset, epoch, isControl })
    }
    this.batches.push({ isControl, epoch, count: records.length })
    return { baseOffset, lastOffset: this.logEndOffset - 1 }
  }

  committed(lastOffset: number): Promise<void> {
    if (!this.holdsCommits) this.#durableEnd = this.logEndOffset
    if (lastOffset < this.#durableEnd) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ lastOffset, resolve, reject }))
  }

  replay(): Iterable<StoredRecord> {
    return this.records
  }

  readQuorumState(): QuorumState | undefined {
    return this.quorumState
  }

  writeQuorumState(state: QuorumState): Promise<void> {
    this.quorumState = state
    return Promise.resolve()
  }

  /** Makes everything so far durable. */
  commit(): void {
    this.#durableEnd = this.logEndOffset
    for (const waiter of this.#waiters.splice(0)) waiter.resolve()
  }

  /** The disk fails under everything that waits. */
  failCommits(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }

  /** What a start after a power loss finds. */
  afterCrash(): MemoryStore {
    return new MemoryStore(this.records.slice(0, this.#durableEnd), this.quorumState)
  }
}
