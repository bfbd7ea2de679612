// One partition that this broker leads: its log, its leader epoch, and who waits for it.
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import type { AppendRequest, AppendResult } from '#storage/log/append.ts'
import type { ReadRequest } from '#storage/log/log-reader.ts'
import type { LogSlice } from '#storage/log/log-slice.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import type { Watched } from './waiting.ts'

/** How a partition is appended to by its leader; by a client when nothing is said. */
export interface PartitionAppend extends Pick<AppendRequest, 'needsDisk' | 'unpacked'> {
  readonly origin?: 'client' | 'coordinator'
}

/**
 * A led partition. It lives from the metadata delta that makes this broker its leader until the one that
 * removes the topic, or until its log's directory fails; after `close()` its calls throw and its waiters wake.
 */
export class Partition {
  readonly topicPartition: TopicPartition
  readonly topicId: string
  readonly log: PartitionLog
  #leaderEpoch: number
  /** Why it is closed. */
  #closed: KafkaError | undefined
  readonly #watchers = new Set<() => void>()
  readonly #stopListening: () => void

  constructor(log: PartitionLog, leaderEpoch: number) {
    this.log = log
    this.topicPartition = log.topicPartition
    this.topicId = log.topicId
    this.#leaderEpoch = leaderEpoch
    log.assignEpochStart(leaderEpoch)
    this.#stopListening = log.onAdvance(() => this.#wake())
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** Begins a newer leader epoch of this same leader. */
  raiseLeaderEpoch(leaderEpoch: number): void {
    if (leaderEpoch <= this.#leaderEpoch) return
    this.#leaderEpoch = leaderEpoch
    this.log.assignEpochStart(leaderEpoch)
    this.#wake()
  }

  /** False once the partition was removed from this broker, or its log's directory failed. */
  get isOpen(): boolean {
    return this.#closed === undefined
  }

  /** Throws why the partition is closed, if it is. */
  checkOpen(): void {
    if (this.#closed) throw this.#closed
  }

  /** Refuses a client that knows another leader epoch: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH. -1 knows none. */
  checkLeaderEpoch(known: number): void {
    if (known === -1 || known === this.#leaderEpoch) return
    const code = known < this.#leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
    const name = partitionName(this.topicPartition)
    throw new KafkaError(code, `${name} is in leader epoch ${this.#leaderEpoch}, not ${known}`)
  }

  /** Appends whole v2 batches, patching offsets and epoch in place. Throws what `PartitionLog.append` throws. */
  append(
    batches: Uint8Array,
    { needsDisk, origin = 'client', unpacked }: PartitionAppend,
  ): AppendResult {
    this.checkOpen()
    const leaderEpoch = this.#leaderEpoch
    return this.log.append(batches, { leaderEpoch, origin, needsDisk, unpacked })
  }

  /** Batches from the one that holds `offset` on, the first of them whole unless told otherwise. Throws OFFSET_OUT_OF_RANGE. */
  read(offset: number, { maxBytes, isolation, minOneBatch = true }: ReadRequest): LogSlice {
    this.checkOpen()
    return this.log.read(offset, { maxBytes, isolation, minOneBatch })
  }

  /** Calls `wake` whenever offsets, leader epoch or the partition's life have changed; returns how to stop that. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake)
    return () => void this.#watchers.delete(wake)
  }

  /** The offset that a consumer of this isolation level may read up to, exclusive. */
  readableEnd(isolation: ReadRequest['isolation']): number {
    if (isolation === 'log_end') return this.log.logEndOffset
    return isolation === 'read_committed' ? this.log.lastStableOffset : this.log.highWatermark
  }

  /** A position for `waitForAny`: ready when it can be read, or when reading it would fail. */
  at(offset: number, isolation: ReadRequest['isolation']): Watched {
    return {
      isReady: () =>
        !this.isOpen ||
        offset < this.readableEnd(isolation) ||
        offset < this.log.logStartOffset ||
        offset > this.log.logEndOffset,
      watch: (wake) => this.watch(wake),
    }
  }

  /** Ends the partition's life here and wakes all who wait for it. The log is the log manager's to close. */
  close(reason: KafkaError = removed(this.topicPartition)): void {
    this.#closed ??= reason
    this.#stopListening()
    this.#wake()
  }

  #wake(): void {
    if (this.#watchers.size === 0) return
    for (const wake of [...this.#watchers]) wake()
  }
}

function removed(at: TopicPartition): KafkaError {
  const detail = `Partition ${partitionName(at)} has been removed`
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', detail)
}
