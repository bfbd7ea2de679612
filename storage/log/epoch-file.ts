// Keeps the leader-epoch-checkpoint up to date, off the append path.
import { replaceFile, replaceFileNow } from '../fs/atomic-file.ts'
import type { Files } from '../fs/files.ts'
import {
  LEADER_EPOCH_CHECKPOINT,
  type LeaderEpochCache,
  serializeLeaderEpochs,
} from '../state/leader-epoch-cache.ts'

/** The `leader-epoch-checkpoint` of one partition. Recovery rebuilds what it lacks from the batches (RULES 5). */
export class EpochFile {
  readonly #files: Files
  readonly #path: string
  readonly #epochs: LeaderEpochCache
  #savedRevision: number
  #saving: Promise<void> | undefined

  constructor(files: Files, directory: string, epochs: LeaderEpochCache, isSaved: boolean) {
    this.#files = files
    this.#path = `${directory}/${LEADER_EPOCH_CHECKPOINT}`
    this.#epochs = epochs
    this.#savedRevision = isSaved ? epochs.revision : -1
  }

  /** Resolves when the file on disk holds what the cache held at the call, or later. */
  async save(): Promise<void> {
    while (this.#savedRevision !== this.#epochs.revision) {
      this.#saving ??= this.#write()
      await this.#saving
    }
  }

  /** The same, on this thread. */
  saveNow(): void {
    if (this.#savedRevision === this.#epochs.revision && !this.#saving) return
    const { revision } = this.#epochs
    replaceFileNow(this.#files, this.#path, serializeLeaderEpochs(this.#epochs.entries))
    this.#savedRevision = revision
  }

  async #write(): Promise<void> {
    const { revision } = this.#epochs
    try {
      const bytes = serializeLeaderEpochs(this.#epochs.entries)
      await replaceFile(this.#files, this.#path, bytes)
      this.#savedRevision = revision
    } finally {
      this.#saving = undefined
    }
  }
}
