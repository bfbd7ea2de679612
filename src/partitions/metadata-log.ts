// The log that metadata asks for, over the storage engine: `__cluster_metadata-0`, its snapshots and its quorum-state.
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Clock } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { CONTROL_TYPE, controlType } from '#storage/batch/control-record.ts'
import { readRecords } from '#storage/batch/record.ts'
import { type RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import { replaceFile } from '#storage/fs/atomic-file.ts'
import type { Files } from '#storage/fs/files.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import {
  parseQuorumState,
  QUORUM_STATE_FILE,
  serializeQuorumState,
} from '#storage/state/quorum-state.ts'
import type {
  MetadataStore,
  NewStoredRecord,
  QuorumState,
  StoredRecord,
} from '../metadata/store.ts'

/** Snapshots are named `<end offset>-<epoch>.checkpoint`. */
const SNAPSHOT_NAME = /^(\d{20})-(\d{10})\.checkpoint$/
const READ_BYTES = 1_048_576

/** `MetadataStore` over a partition log. The log stays its opener's to close. */
export class MetadataLog implements MetadataStore {
  readonly #log: PartitionLog
  readonly #files: Files
  readonly #clock: Clock

  constructor(parts: { log: PartitionLog; files: Files; clock: Clock }) {
    this.#log = parts.log
    this.#files = parts.files
    this.#clock = parts.clock
  }

  get logEndOffset(): number {
    return this.#log.logEndOffset
  }

  append(
    records: readonly NewStoredRecord[],
    { epoch, isControl }: { readonly epoch: number; readonly isControl: boolean },
  ): { readonly baseOffset: number; readonly lastOffset: number } {
    const timestamp = this.#clock.now()
    const stamped = records.map(({ key, value }) => ({ key, value, timestamp }))
    return this.#log.append(buildBatch(stamped, { isControl }), {
      leaderEpoch: epoch,
      origin: 'metadata',
      needsDisk: true,
    })
  }

  committed(lastOffset: number): Promise<void> {
    return this.#log.whenCommitted(lastOffset)
  }

  *replay(): Generator<StoredRecord> {
    const snapshot = this.#newestSnapshot()
    let next = 0
    if (snapshot) {
      yield* this.#snapshotRecords(snapshot)
      next = snapshot.endOffset
    } else if (this.#log.logStartOffset > 0) {
      const missing = `[0, ${this.#log.logStartOffset})`
      throw new KafkaError(
        'KAFKA_STORAGE_ERROR',
        `The metadata log lacks ${missing}, and ${this.#log.directory} has no snapshot of it`,
      )
    }
    next = Math.max(next, this.#log.logStartOffset)
    while (next < this.#log.logEndOffset) {
      // A batch may be larger than what is read at a time.
      const request = { maxBytes: READ_BYTES, isolation: 'log_end', minOneBatch: true } as const
      const slice = this.#log.read(next, request)
      const before = next
      for (const batch of readBatches(slice.bytes())) {
        for (const record of storedRecords(batch)) if (record.offset >= next) yield record
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

  #path(name: string): string {
    return `${this.#log.directory}/${name}`
  }

  #newestSnapshot(): Snapshot | undefined {
    const names = this.#files.list(this.#log.directory).map(({ name }) => name)
    const newest = names
      .filter((name) => SNAPSHOT_NAME.test(name))
      .sort()
      .at(-1)
    const parts = SNAPSHOT_NAME.exec(newest ?? '')
    if (!newest || !parts) return undefined
    return { name: newest, endOffset: Number(parts[1]), epoch: Number(parts[2]) }
  }

  /** Offsets inside a snapshot mean nothing: its records carry its end offset - 1, and its epoch. */
  *#snapshotRecords({ name, endOffset, epoch }: Snapshot): Generator<StoredRecord> {
    const bytes = this.#files.readFile(this.#path(name)) ?? new Uint8Array()
    let isWhole = false
    for (const batch of readBatches(bytes)) {
      for (const record of storedRecords(batch)) {
        isWhole = record.isControl && controlType(record) === CONTROL_TYPE.snapshotFooter
        yield { ...record, offset: endOffset - 1, epoch }
      }
    }
    // What a cut snapshot lacks would look as if it had been deleted.
    if (isWhole) return
    const detail = `The metadata snapshot ${this.#path(name)} is cut short: it has no footer`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }
}

interface Snapshot {
  readonly name: string
  readonly endOffset: number
  readonly epoch: number
}

function* storedRecords(batch: RecordBatch): Generator<StoredRecord> {
  if (!batch.isCrcValid()) {
    throw new KafkaError(
      'CORRUPT_MESSAGE',
      `The metadata batch at offset ${batch.baseOffset} fails its checksum`,
    )
  }
  const { isControl, partitionLeaderEpoch: epoch } = batch
  for (const { offset, key, value } of readRecords(batch))
    yield { offset, epoch, isControl, key, value }
}
