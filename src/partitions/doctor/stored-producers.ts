// What a partition knows of its producers, read from its files as they lie there.
import { KafkaError } from '#storage/base/errors.ts'
import { type Int64, maxInt64 } from '#storage/bytes/int64.ts'
import type { Files } from '#storage/fs/files.ts'
import {
  type ProducerSnapshotEntry,
  parseProducerSnapshot,
} from '#storage/state/producer-snapshot.ts'
import { storedBatches, storedSegments } from './stored-batches.ts'

/** Where the coordinators of transactions keep their state: where there is none, nobody can have begun one. */
export const TRANSACTION_TOPIC = '__transaction_state'

const SNAPSHOT = /^(\d{20})\.snapshot$/

/** The producers of one partition. */
export interface StoredProducers {
  /** The transactions that nobody has ended, by producer, and where each began. */
  readonly open: ReadonlyMap<Int64, number>
  /** The greatest producer id that was seen; −1 for none. */
  readonly greatestId: Int64
  /** Snapshots that can't be read, and why. */
  readonly damaged: readonly { readonly name: string; readonly problem: string }[]
}

/**
 * Takes the newest snapshot that can be read, and the batches behind it; after a clean stop there are none that matter
 * (`isClean`), and the log is not read.
 */
export function storedProducers(
  files: Files,
  directory: string,
  { isClean }: { readonly isClean: boolean },
): StoredProducers {
  const damaged: { name: string; problem: string }[] = []
  const { offset, entries } = newestSnapshot(files, directory, damaged)
  const open = new Map<Int64, number>()
  let greatestId: Int64 = -1
  for (const { producerId, currentTxnFirstOffset } of entries) {
    greatestId = maxInt64(greatestId, producerId)
    if (currentTxnFirstOffset >= 0) open.set(producerId, currentTxnFirstOffset)
  }
  if (isClean) return { open, greatestId, damaged }
  for (const batch of storedBatches(files, storedSegments(files, directory), offset)) {
    const { producerId } = batch
    greatestId = maxInt64(greatestId, producerId)
    if (batch.isControl) open.delete(producerId)
    else if (batch.isTransactional && !open.has(producerId)) open.set(producerId, batch.baseOffset)
  }
  return { open, greatestId, damaged }
}

function newestSnapshot(
  files: Files,
  directory: string,
  damaged: { name: string; problem: string }[],
): { readonly offset: number; readonly entries: readonly ProducerSnapshotEntry[] } {
  const names = files.list(directory).map(({ name }) => name)
  for (const name of names
    .filter((each) => SNAPSHOT.test(each))
    .sort()
    .reverse()) {
    try {
      const bytes = files.readFile(`${directory}/${name}`) ?? new Uint8Array()
      return { offset: Number(SNAPSHOT.exec(name)?.[1]), entries: parseProducerSnapshot(bytes) }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      damaged.push({ name, problem: error.message })
    }
  }
  return { offset: 0, entries: [] }
}
