// The checks of one append against the producer state, and its changes until they are applied.
import { KafkaError } from '../base/errors.ts'
import type { Int64 } from '../bytes/int64.ts'
import {
  type AppendedBatch,
  lastSequenceOf,
  newProducerEntry,
  type ProducerEntry,
  rememberBatch,
  sequenceBefore,
  setEpoch,
} from './producer-entry.ts'

/**
 * Who appends. A `client`'s sequences are checked; a `coordinator`'s and the `metadata` log's epochs only; `replication`
 * (and recovery) takes what the leader accepted.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'metadata' | 'replication'

/** What the checks need of a batch, offsets assigned. A `RecordBatch` has it. */
export interface ProducerBatch {
  readonly producerId: Int64
  readonly producerEpoch: number
  /** -1 when the batch has none. */
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: Int64
  readonly isTransactional: boolean
  readonly isControl: boolean
}

/** The content of a transaction marker (`EndTxnMarker`). */
export interface TransactionMarker {
  readonly isAbort: boolean
  readonly coordinatorEpoch: number
}

/** A batch that was appended before. */
export interface DuplicateBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly timestamp: Int64
}

/** A transaction that a marker ended. */
export interface EndedTransaction {
  readonly producerId: Int64
  readonly firstOffset: number
  /** The offset of the marker. */
  readonly lastOffset: number
  readonly isAborted: boolean
}

/** A transaction that a batch began. */
export interface StartedTransaction {
  readonly producerId: Int64
  readonly firstOffset: number
}

const NO_ENTRIES: ReadonlyMap<Int64, ProducerEntry> = new Map()
const NOTHING: readonly never[] = []

/**
 * One append, batch by batch. Nothing changes in the state until `ProducerState.apply` takes it, so a refusal in the
 * middle leaves no trace (Kafka's `ProducerAppendInfo`, for all producers of an append together).
 */
export class ProducerAppend {
  // Most appends have one producer or none, and no transaction: what they don't need is not made.
  #updated: Map<Int64, ProducerEntry> | undefined
  #started: StartedTransaction[] | undefined
  #ended: EndedTransaction[] | undefined
  readonly #current: ReadonlyMap<Int64, ProducerEntry>
  readonly #origin: AppendOrigin

  constructor(current: ReadonlyMap<Int64, ProducerEntry>, origin: AppendOrigin) {
    this.#current = current
    this.#origin = origin
  }

  /** Changed entries by producer; their `batches` hold only what this append added. */
  get updated(): ReadonlyMap<Int64, ProducerEntry> {
    return this.#updated ?? NO_ENTRIES
  }

  get started(): readonly StartedTransaction[] {
    return this.#started ?? NOTHING
  }

  get ended(): readonly EndedTransaction[] {
    return this.#ended ?? NOTHING
  }

  /**
   * Checks a batch and takes note of it. Returns the original when a client sent it before; then nothing of the append
   * may be written. A control batch needs its marker, unless compaction emptied it or it is none of a transaction.
   * Throws INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED.
   */
  add(batch: ProducerBatch, marker?: TransactionMarker): DuplicateBatch | undefined {
    if (batch.producerId < 0) return undefined
    if (batch.isControl) {
      if (marker) this.#addMarker(batch, marker)
      return undefined
    }
    return this.#duplicateOf(batch) ?? this.#addData(batch)
  }

  #duplicateOf(batch: ProducerBatch): DuplicateBatch | undefined {
    if (this.#origin !== 'client') return undefined
    const entry = this.#current.get(batch.producerId)
    if (!entry || entry.epoch !== batch.producerEpoch) return undefined
    const found = entry.batches.find((known) => isSameBatch(known, batch))
    if (!found) return undefined
    const { lastOffset, offsetDelta, timestamp } = found
    return { baseOffset: lastOffset - offsetDelta, lastOffset, timestamp }
  }

  #addData(batch: ProducerBatch): undefined {
    const entry = this.#entryOf(batch.producerId)
    this.#checkEpoch(entry, batch)
    if (this.#origin === 'client') this.#checkSequence(entry, batch)
    const { producerId, baseOffset: firstOffset } = batch
    const isOpen = entry.currentTxnFirstOffset >= 0
    if (isOpen && !batch.isTransactional && this.#origin !== 'replication') {
      const detail = `Producer ${producerId} must write transactionally at offset ${firstOffset}: its transaction is open since ${entry.currentTxnFirstOffset}`
      throw new KafkaError('INVALID_TXN_STATE', detail)
    }
    setEpoch(entry, batch.producerEpoch)
    rememberBatch(entry, {
      lastSequence: batch.lastSequence,
      lastOffset: batch.lastOffset,
      offsetDelta: batch.lastOffset - firstOffset,
      timestamp: batch.maxTimestamp,
    })
    entry.lastTimestamp = batch.maxTimestamp
    if (isOpen || !batch.isTransactional) return
    entry.currentTxnFirstOffset = firstOffset
    this.#started ??= []
    this.#started.push({ producerId, firstOffset })
  }

  #addMarker(batch: ProducerBatch, marker: TransactionMarker): void {
    const entry = this.#entryOf(batch.producerId)
    this.#checkEpoch(entry, batch)
    if (entry.coordinatorEpoch > marker.coordinatorEpoch && this.#origin !== 'replication') {
      const detail = `Coordinator epoch ${marker.coordinatorEpoch} for producer ${batch.producerId} is older than ${entry.coordinatorEpoch}`
      throw new KafkaError('TRANSACTION_COORDINATOR_FENCED', detail)
    }
    if (entry.currentTxnFirstOffset >= 0) {
      this.#ended ??= []
      this.#ended.push({
        producerId: batch.producerId,
        firstOffset: entry.currentTxnFirstOffset,
        lastOffset: batch.baseOffset,
        isAborted: marker.isAbort,
      })
    }
    setEpoch(entry, batch.producerEpoch)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestamp = batch.maxTimestamp
    entry.currentTxnFirstOffset = -1
  }

  #checkEpoch(entry: ProducerEntry, batch: ProducerBatch): void {
    if (batch.producerEpoch >= entry.epoch || this.#origin === 'replication') return
    const detail = `Epoch ${batch.producerEpoch} of producer ${batch.producerId} is older than ${entry.epoch}`
    throw new KafkaError('INVALID_PRODUCER_EPOCH', detail)
  }

  #checkSequence(entry: ProducerEntry, batch: ProducerBatch): void {
    const { producerId, baseSequence } = batch
    if (batch.producerEpoch !== entry.epoch) {
      // After expiry or DeleteRecords nothing is known: then any sequence may come first.
      if (baseSequence === 0 || entry.epoch === -1) return
      const detail = `Producer ${producerId} begins epoch ${batch.producerEpoch} with sequence ${baseSequence}, not 0`
      throw new KafkaError('OUT_OF_ORDER_SEQUENCE_NUMBER', detail)
    }
    // The epoch is known from this append, or from a marker or a snapshot, which may hold no batch.
    const known = entry.batches.length > 0 ? entry : this.#current.get(producerId)
    const last = known && known.epoch === entry.epoch ? lastSequenceOf(known) : -1
    if (baseSequence === (last === 2_147_483_647 ? 0 : last + 1)) return
    const detail = `Producer ${producerId} sent sequence ${baseSequence} after ${last}`
    throw new KafkaError('OUT_OF_ORDER_SEQUENCE_NUMBER', detail)
  }

  #entryOf(producerId: Int64): ProducerEntry {
    let entry = this.#updated?.get(producerId)
    if (entry) return entry
    const known = this.#current.get(producerId)
    entry = known ? { ...known, batches: [] } : newProducerEntry(producerId)
    this.#updated ??= new Map()
    this.#updated.set(producerId, entry)
    return entry
  }
}

function isSameBatch(known: AppendedBatch, batch: ProducerBatch): boolean {
  if (known.lastSequence !== batch.lastSequence) return false
  return sequenceBefore(known.lastSequence, known.offsetDelta) === batch.baseSequence
}
