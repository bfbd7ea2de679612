// One checkpoint file of a data directory, replaced as a whole and at most once at a time.
import { partitionName, type TopicPartition } from './base/topic-partition.ts'
import { replaceFile, replaceFileNow } from './fs/atomic-file.ts'
import type { Files } from './fs/files.ts'
import {
  type PartitionOffset,
  parseOffsetCheckpoint,
  serializeSummedCheckpoint,
} from './state/offset-checkpoint.ts'

/**
 * A checkpoint file and what it holds. Writes that come while one is under way share the next one; a write that would
 * change nothing is left out.
 */
export class CheckpointFile {
  readonly path: string
  readonly #files: Files
  readonly #name: string
  /** Undefined when the file's content is not known to be what follows from it. */
  #written: ReadonlyMap<string, number> | undefined
  #pending: () => readonly PartitionOffset[] = () => []
  /** A write that has not begun, because another is under way. */
  #queued: Promise<void> | undefined
  /** The last write that has begun; never rejects. */
  #running: Promise<void> = Promise.resolve()
  /** Changes with every `writeNow`. */
  #overtakings = 0

  constructor(files: Files, directory: string, name: string) {
    this.#files = files
    this.#name = name
    this.path = `${directory}/${name}`
  }

  /** Reads the offsets by partition name. Throws `StorageFault` when the file is malformed or damaged. */
  read(): ReadonlyMap<string, number> {
    const bytes = this.#files.readFile(this.path)
    const offsets = parseOffsetCheckpoint(bytes, this.#name)
    if (bytes) this.#written = offsets
    return offsets
  }

  /** Takes a file that is not there for an empty one: it is not made before there is something to write. */
  assumeEmpty(): void {
    this.#written = new Map()
  }

  /** Whether the file may hold a line for this partition. */
  mayHold(topicPartition: TopicPartition): boolean {
    return this.#written?.has(partitionName(topicPartition)) ?? true
  }

  /** Whether the file may hold an offset beyond this one. */
  mayExceed(topicPartition: TopicPartition, offset: number): boolean {
    return !this.#written || (this.#written.get(partitionName(topicPartition)) ?? 0) > offset
  }

  /**
   * Replaces the content by what `offsets` gives when its turn comes; on disk when it resolves. Throws the system's error,
   * and the old content stays.
   */
  async write(offsets: () => readonly PartitionOffset[]): Promise<void> {
    this.#pending = offsets
    this.#queued ??= this.#begin()
    await this.#queued
  }

  /**
   * The same on this thread, and before all writes that are under way: for what must be on disk before something else
   * changes. What is written later must say it too.
   */
  writeNow(offsets: readonly PartitionOffset[]): void {
    this.#overtakings++
    this.#written = undefined
    replaceFileNow(this.#files, this.path, serializeSummedCheckpoint(offsets))
    this.#written = contentOf(offsets)
  }

  /** Resolves when no write is under way, whatever became of it. */
  async idle(): Promise<void> {
    await this.#queued?.catch(() => undefined)
    await this.#running
  }

  async #begin(): Promise<void> {
    await this.#running
    // From here on a write is not served by this one any more.
    this.#queued = undefined
    const replaced = this.#replace(this.#pending())
    this.#running = replaced.catch(() => undefined)
    await replaced
  }

  async #replace(offsets: readonly PartitionOffset[]): Promise<void> {
    const next = contentOf(offsets)
    if (this.#written && isEqual(this.#written, next)) return
    const overtakings = this.#overtakings
    this.#written = undefined
    await replaceFile(this.#files, this.path, serializeSummedCheckpoint(offsets))
    if (overtakings === this.#overtakings) this.#written = next
  }
}

function contentOf(offsets: readonly PartitionOffset[]): ReadonlyMap<string, number> {
  return new Map(offsets.map((line) => [partitionName(line), line.offset]))
}

function isEqual(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): boolean {
  if (left.size !== right.size) return false
  for (const [name, offset] of left) if (right.get(name) !== offset) return false
  return true
}
