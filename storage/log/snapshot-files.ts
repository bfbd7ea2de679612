// The producer snapshots of one partition directory.
import { KafkaError } from '../base/errors.ts'
import type { Files } from '../fs/files.ts'
import { parseSegmentFileName, segmentPath } from '../segment/segment-files.ts'
import {
  type ProducerSnapshotEntry,
  parseProducerSnapshot,
  serializeProducerSnapshot,
} from '../state/producer-snapshot.ts'

/** A snapshot that could be read. */
export interface ProducerSnapshot {
  readonly offset: number
  readonly entries: readonly ProducerSnapshotEntry[]
}

/**
 * The `.snapshot` files of one partition. They have a checksum, and whatever they miss is replayed from the log, so none
 * of them is synced before the recovery point passes it.
 */
export class SnapshotFiles {
  readonly #files: Files
  readonly #directory: string
  readonly #offsets = new Set<number>()
  readonly #damaged = new Set<number>()

  /** `names` are those of the directory. From here on nobody else makes or removes snapshots in it. */
  constructor(files: Files, directory: string, names: Iterable<string>) {
    this.#files = files
    this.#directory = directory
    for (const name of names) {
      const file = parseSegmentFileName(name)
      if (file?.kind === 'snapshot' && file.suffix === '') this.#offsets.add(file.offset)
    }
  }

  /** The offsets of all snapshots, ascending. */
  offsets(): number[] {
    return [...this.#offsets].sort((left, right) => left - right)
  }

  /** The offsets of those that were looked at and made no sense, ascending. */
  get damaged(): number[] {
    return [...this.#damaged].sort((left, right) => left - right)
  }

  /** Writes the state as of `offset`, without syncing it. */
  write(offset: number, entries: readonly ProducerSnapshotEntry[]): void {
    const bytes = serializeProducerSnapshot(entries)
    this.#offsets.add(offset)
    const file = this.#files.open(this.path(offset), 'write')
    try {
      file.write(bytes, 0)
      file.truncate(bytes.length)
    } finally {
      file.close()
    }
  }

  /** True when there is a file for `offset`. */
  has(offset: number): boolean {
    return this.#offsets.has(offset)
  }

  /** The entries of the snapshot at `offset`; undefined when there is none that can be read. */
  at(offset: number): readonly ProducerSnapshotEntry[] | undefined {
    return this.#offsets.has(offset) ? this.#read(offset) : undefined
  }

  /** The readable snapshots at or below `offset`, newest first. Unreadable ones are removed on the way. */
  *newestFirst(offset: number): Generator<ProducerSnapshot> {
    for (const candidate of this.offsets().reverse()) {
      if (candidate > offset) continue
      const entries = this.#read(candidate)
      if (entries) yield { offset: candidate, entries }
      else this.remove(candidate)
    }
  }

  /** Removes one. */
  remove(offset: number): void {
    this.#files.remove(this.path(offset))
    this.#offsets.delete(offset)
  }

  /** Removes those for which `isUnwanted` holds. */
  removeWhere(isUnwanted: (offset: number) => boolean): void {
    for (const offset of this.offsets()) if (isUnwanted(offset)) this.remove(offset)
  }

  path(offset: number): string {
    return segmentPath(this.#directory, offset, 'snapshot')
  }

  #read(offset: number): ProducerSnapshotEntry[] | undefined {
    const bytes = this.#files.readFile(this.path(offset))
    if (!bytes) return undefined
    try {
      return parseProducerSnapshot(bytes)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#damaged.add(offset)
      return undefined
    }
  }
}
