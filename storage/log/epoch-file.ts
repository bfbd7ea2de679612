// Keeps the leader-epoch-checkpoint up to date, off the append path.
import { StorageFault } from '../base/errors.ts'
import { replaceFile } from '../fs/atomic-file.ts'
import { failureKind } from '../fs/failures.ts'
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

  /** Brings the file up to date, some time. A refusal waits for the next change, or for the recovery point. */
  saveInBackground(onFault: (fault: StorageFault) => void): void {
    this.save().catch((error: unknown) => {
      if (failureKind(error) === 'refusal') return
      onFault(new StorageFault(`Writing ${this.#path} failed`, { cause: error }))
    })
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
