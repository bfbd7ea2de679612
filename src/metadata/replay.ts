// Reads the metadata log into an image: data records, transactions around them, control records between them.
import { KafkaError } from '#storage/base/errors.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import {
  CONTROL_RECORD_TYPES,
  decodeControlKey,
  KRaftVersionRecord,
  LeaderChangeMessage,
  VotersRecord,
} from '../protocol/records/control-records.ts'
import { decodeMetadataRecord, type MetadataRecord } from '../protocol/records/metadata-record.ts'
import { EMPTY_IMAGE, type MetadataImage } from './image.ts'
import { ImageBuilder } from './image-builder.ts'
import type { StoredRecord } from './store.ts'

/** What a replay found. */
export interface ReplayedMetadata {
  readonly image: MetadataImage
  /** The log ends inside a transaction, whose records are not in the image: it has to be aborted. */
  readonly isTransactionOpen: boolean
}

/**
 * The image that the records make. A record type or version beyond metadata.version 30 throws UNSUPPORTED_VERSION;
 * records that contradict each other throw CORRUPT_MESSAGE. Both name the offset.
 */
export function replayMetadata(records: Iterable<StoredRecord>): ReplayedMetadata {
  const replay = new Replay()
  for (const record of records) {
    try {
      replay.apply(record)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const message = `Metadata record at offset ${record.offset}: ${error.message}`
      throw new KafkaError(error.code, message, { cause: error })
    }
  }
  return replay.finish()
}

class Replay {
  #builder = new ImageBuilder(EMPTY_IMAGE)
  /** The image before the open transaction. */
  #beforeTransaction: MetadataImage | undefined
  #position = { offset: -1, epoch: -1 }

  apply({ offset, epoch, isControl, key, value }: StoredRecord): void {
    if (value === null) throw new KafkaError('CORRUPT_MESSAGE', 'The record has no value')
    if (isControl) this.#applyControl(key, value)
    else this.#applyData(decodeMetadataRecord(value))
    this.#position = { offset, epoch }
  }

  finish(): ReplayedMetadata {
    const isTransactionOpen = this.#beforeTransaction !== undefined
    if (isTransactionOpen) this.#forget()
    return { image: this.#builder.build(this.#position), isTransactionOpen }
  }

  #applyData(record: MetadataRecord): void {
    switch (record.type) {
      case 'BeginTransactionRecord':
        this.#expectTransaction(false)
        this.#beforeTransaction = this.#builder.build(this.#position)
        return
      case 'EndTransactionRecord':
        this.#expectTransaction(true)
        this.#beforeTransaction = undefined
        return
      case 'AbortTransactionRecord':
        this.#expectTransaction(true)
        this.#forget()
        return
      default:
        this.#builder.apply(record)
        return
    }
  }

  /** Goes back to before the transaction; what control records said since then stays. */
  #forget(): void {
    const { quorum } = this.#builder.build(this.#position).state
    this.#builder = new ImageBuilder(this.#beforeTransaction ?? EMPTY_IMAGE)
    this.#builder.setQuorum(quorum)
    this.#beforeTransaction = undefined
  }

  #expectTransaction(isOpen: boolean): void {
    if (isOpen === (this.#beforeTransaction !== undefined)) return
    const detail = isOpen ? 'No transaction is open' : 'A transaction is open already'
    throw new KafkaError('CORRUPT_MESSAGE', detail)
  }

  #applyControl(key: Uint8Array | null, value: Uint8Array): void {
    if (key === null) throw new KafkaError('CORRUPT_MESSAGE', 'The control record has no key')
    const type = decodeControlKey(key)
    // The value's first field is its own version.
    const version = new ByteReader(value).int16()
    if (type === CONTROL_RECORD_TYPES.LEADER_CHANGE) {
      this.#builder.setQuorum({ leaderId: LeaderChangeMessage.decode(value, version).leaderId })
    } else if (type === CONTROL_RECORD_TYPES.KRAFT_VERSION) {
      const { kRaftVersion } = KRaftVersionRecord.decode(value, version)
      this.#builder.setQuorum({ kRaftVersion })
    } else if (type === CONTROL_RECORD_TYPES.KRAFT_VOTERS) {
      this.#builder.setQuorum({ voters: VotersRecord.decode(value, version).voters })
    }
  }
}
