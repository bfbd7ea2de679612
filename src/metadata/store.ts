// What metadata needs of the log that holds it. `mod.ts` hands in one over the storage engine.

/** A record to append. Keys are null except in control records. */
export interface NewStoredRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array
}

/** A record read back. */
export interface StoredRecord {
  readonly offset: number
  /** The leader epoch of its batch. */
  readonly epoch: number
  readonly isControl: boolean
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** What the `quorum-state` file says; what else is in it is the store's. */
export interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** The metadata log, `__cluster_metadata-0`. */
export interface MetadataStore {
  /** The offset that the next record gets. */
  readonly logEndOffset: number
  /**
   * Appends the records as one batch, synchronously. Throws a KafkaError (a full disk) or a StorageFault, and then
   * nothing was appended.
   */
  append(
    records: readonly NewStoredRecord[],
    options: { readonly epoch: number; readonly isControl: boolean },
  ): { readonly baseOffset: number; readonly lastOffset: number }
  /** Resolves when everything up to `lastOffset` is durable; rejects when that failed. Promises settle in order of offset. */
  committed(lastOffset: number): Promise<void>
  /**
   * The records of the newest snapshot, if there is one, then those of the log behind it. The records of a snapshot
   * carry its end offset − 1 and its epoch.
   */
  replay(): Iterable<StoredRecord>
  /** Undefined when there is no such file. */
  readQuorumState(): QuorumState | undefined
  /** Resolves when the file is durable. */
  writeQuorumState(state: QuorumState): Promise<void>
}
