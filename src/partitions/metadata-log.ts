// The log that metadata asks for, over the storage engine: `__cluster_metadata-0`, its snapshots and its quorum-state.
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Clock } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { replaceFile } from '#storage/fs/atomic-file.ts'
import type { Files } from '#storage/fs/files.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import {
  parseQuorumState,
  QUORUM_STATE_FILE,
  serializeQuorumState,
} from '#storage/state/quorum-state.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type {
  MetadataStore,
  NewStoredRecord,
  QuorumState,
  StoredRecord,
} from '../metadata/store.ts'
import {
  listSnapshots,
  readSnapshot,
  removeLeftovers,
  type SnapshotId,
  snapshotName,
  storedRecords,
  writeSnapshot,
} from './metadata-snapshot-file.ts'

const READ_BYTES = 1_048_576
/** The newest may turn out to be damaged. */
const KEPT_SNAPSHOTS = 2

/** `MetadataStore` over a partition log. The log stays its opener's to close. */
export class MetadataLog implements MetadataStore {
  readonly #log: PartitionLog
  readonly #files: Files
  readonly #clock: Clock
  #bytesSinceSnapshot = 0

  constructor(parts: {
    log: PartitionLog
    files: Files
    clock: Clock
    /** What was read of it already, so that it need not be replayed. */
    found?: { readonly endOffset: number; readonly bytesSinceSnapshot: number } | undefined
  }) {
    this.#log = parts.log
    this.#files = parts.files
    this.#clock = parts.clock
    removeLeftovers(this.#files, this.#log.directory)
    this.#catchUp()
    const { found } = parts
    if (found?.endOffset === this.logEndOffset) this.#bytesSinceSnapshot = found.bytesSinceSnapshot
  }

  get logEndOffset(): number {
    return this.#log.logEndOffset
  }

  /** How much a start would have to replay behind the newest snapshot. */
  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot
  }

  append(
    records: readonly NewStoredRecord[],
    { epoch, isControl }: { readonly epoch: number; readonly isControl: boolean },
  ): { readonly baseOffset: number; readonly lastOffset: number } {
    const timestamp = this.#clock.now()
    const stamped = records.map(({ key, value }) => ({ key, value, timestamp }))
    const batch = buildBatch(stamped, { isControl })
    this.#bytesSinceSnapshot += batch.length
    return this.#log.append(batch, {
      leaderEpoch: epoch,
      origin: 'metadata',
      needsDisk: true,
    })
  }

  committed(lastOffset: number): Promise<void> {
    return this.#log.whenCommitted(lastOffset)
  }

  *replay(): Generator<StoredRecord> {
    this.#bytesSinceSnapshot = 0
    const snapshot = this.#newestSnapshot()
    let next = this.#log.logStartOffset
    if (snapshot) {
      yield* snapshot.records
      next = Math.max(next, snapshot.id.endOffset)
    }
    while (next < this.#log.logEndOffset) {
      // A batch may be larger than what is read at a time.
      const request = { maxBytes: READ_BYTES, isolation: 'log_end', minOneBatch: true } as const
      const slice = this.#log.read(next, request)
      const before = next
      for (const batch of readBatches(slice.bytes())) {
        for (const record of storedRecords(batch)) if (record.offset >= next) yield record
        this.#bytesSinceSnapshot += batch.sizeInBytes
        next = batch.nextOffset
      }
      if (next === before) {
        // To go on without the rest would make strays of its partitions.
        const detail = `The metadata log of ${this.#log.directory} can't be read at offset ${next}`
        throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
      }
    }
  }

  readQuorumState(): QuorumState | undefined {
    const bytes = this.#files.readFile(this.#path(QUORUM_STATE_FILE))
    return bytes ? parseQuorumState(bytes) : undefined
  }

  async writeQuorumState({ leaderId, leaderEpoch }: QuorumState): Promise<void> {
    const bytes = serializeQuorumState({
      leaderId,
      leaderEpoch,
      votedId: -1,
      votedDirectoryId: ZERO_UUID,
    })
    await replaceFile(this.#files, this.#path(QUORUM_STATE_FILE), bytes)
  }

  /** Writes the image, which must be committed, as a snapshot, unless `signal` aborts. Rejects with the system's error. */
  async snapshot(image: MetadataImage, signal: AbortSignal): Promise<void> {
    const before = this.#bytesSinceSnapshot
    const world = { files: this.#files, clock: this.#clock, signal }
    const lastTimestamp = this.#timeOf(image.offset)
    await writeSnapshot(world, this.#log.directory, { image, lastTimestamp })
    if (signal.aborted) return
    // What came while it was written stands behind it.
    this.#bytesSinceSnapshot -= before
  }

  /**
   * Removes the oldest snapshots, and the segments that only they need, for as long as log and snapshots take more than
   * `retentionBytes` or the snapshot is older than `retentionMs`. The newest two stay.
   */
  prune({ retentionBytes, retentionMs }: { retentionBytes: number; retentionMs: number }): void {
    const { directory } = this.#log
    const snapshots = listSnapshots(this.#files, directory).map((id) => {
      const path = this.#path(snapshotName(id))
      const { size = 0, modifiedMs = 0 } = this.#files.status(path) ?? {}
      return { ...id, path, size, modifiedMs }
    })
    let size = this.#log.sizeInBytes + snapshots.reduce((sum, one) => sum + one.size, 0)
    for (const [index, snapshot] of snapshots.slice(0, -KEPT_SNAPSHOTS).entries()) {
      const isOld = snapshot.modifiedMs < this.#clock.now() - retentionMs
      if (size <= retentionBytes && !isOld) return
      // The log behind the next one is enough.
      const { endOffset } = snapshots[index + 1] ?? snapshot
      this.#files.remove(snapshot.path)
      const before = this.#log.sizeInBytes
      this.#log.deleteRecordsBefore(Math.max(endOffset, this.#log.logStartOffset))
      this.#log.deleteOldSegments(this.#clock.now())
      size -= snapshot.size + before - this.#log.sizeInBytes
    }
  }

  /** When the batch was appended that holds the offset. */
  #timeOf(offset: number): Int64 {
    if (offset < this.#log.logStartOffset) return this.#clock.now()
    const request = { maxBytes: 1, isolation: 'log_end', minOneBatch: true } as const
    const [batch] = readBatches(this.#log.read(offset, request).bytes())
    return batch?.maxTimestamp ?? this.#clock.now()
  }

  #path(name: string): string {
    return `${this.#log.directory}/${name}`
  }

  /** A snapshot that came from another node holds what the log lacks: the log goes on behind it, as in Kafka. */
  #catchUp(): void {
    const newest = listSnapshots(this.#files, this.#log.directory).at(-1)
    if (!newest || newest.endOffset <= this.#log.logEndOffset) return
    readSnapshot(this.#files, this.#log.directory, newest)
    this.#log.truncateFullyAndStartAt(newest.endOffset)
  }

  /**
   * The newest snapshot that can be read and that the log follows on. Where there is none, the log must be whole: a
   * snapshot alone that is damaged costs a longer replay, not the start.
   */
  #newestSnapshot():
    | { readonly id: SnapshotId; readonly records: readonly StoredRecord[] }
    | undefined {
    const { logStartOffset, directory } = this.#log
    let problem: unknown
    for (const id of listSnapshots(this.#files, directory).reverse()) {
      if (id.endOffset < logStartOffset) break
      try {
        return { id, records: readSnapshot(this.#files, directory, id) }
      } catch (error) {
        problem ??= error
      }
    }
    if (logStartOffset === 0) return undefined
    const missing = `[0, ${logStartOffset})`
    const detail = `The metadata log lacks ${missing}, and ${directory} has no snapshot of it that can be read`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail, { cause: problem })
  }
}
