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
import type { LogParts } from './log-parts.ts'

/** The `leader-epoch-checkpoint` of one partition. Recovery rebuilds what it lacks from the batches (RULES 5). */
export class EpochFile {
  readonly #files: Files
  readonly #path: string
  readonly #epochs: LeaderEpochCache
  #savedRevision = -1
  #saved: Uint8Array | undefined
  #hasWritten = false
  /** An epoch began, and no batch of it is there yet. */
  #isUnsaved = false
  readonly #onFault: (fault: StorageFault) => void
  #saving: Promise<void> | undefined

  constructor(
    parts: Pick<LogParts, 'environment' | 'directory' | 'epochs' | 'savedEpochs'>,
    onFault: (fault: StorageFault) => void,
  ) {
    this.#files = parts.environment.files
    this.#path = `${parts.directory}/${LEADER_EPOCH_CHECKPOINT}`
    this.#epochs = parts.epochs
    this.#saved = parts.savedEpochs
    this.#onFault = onFault
  }

  /** True when the file has been written since the log was opened. */
  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /** Resolves when the file on disk holds what the cache held at the call, or later. */
  async save(): Promise<void> {
    while (this.#isStale()) {
      this.#saving ??= this.#write()
      await this.#saving
    }
  }

  /**
   * A leader begins an epoch at the log's end. That is not worth a write before its first batch: a start forgets epochs
   * that begin at the end, and gets them anew.
   */
  begin(epoch: number, startOffset: number): void {
    if (epoch <= (this.#epochs.latestEpoch ?? -1)) return
    this.#epochs.assign({ epoch, startOffset })
    this.#isUnsaved = true
  }

  /** A batch of an epoch was appended. */
  appended(epoch: number, baseOffset: number): void {
    this.begin(epoch, baseOffset)
    if (this.#isUnsaved) this.saveInBackground()
  }

  /** Brings the file up to date, some time. A refusal waits for the next change, or for the recovery point. */
  saveInBackground(): void {
    this.#isUnsaved = false
    this.save().catch((error: unknown) => {
      if (failureKind(error) === 'refusal') return
      this.#onFault(new StorageFault(`Writing ${this.#path} failed`, { cause: error }))
    })
  }

  /** A leader that goes on after a restart begins its old epoch again: then the file is right as it is. */
  #isStale(): boolean {
    if (this.#savedRevision === this.#epochs.revision) return false
    const saved = this.#saved
    if (!saved || !isSame(saved, serializeLeaderEpochs(this.#epochs.entries))) return true
    this.#savedRevision = this.#epochs.revision
    return false
  }

  async #write(): Promise<void> {
    const { revision } = this.#epochs
    try {
      const bytes = serializeLeaderEpochs(this.#epochs.entries)
      this.#hasWritten = true
      this.#saved = undefined
      await replaceFile(this.#files, this.#path, bytes)
      this.#saved = bytes
      this.#savedRevision = revision
    } finally {
      this.#saving = undefined
    }
  }
}

/** Whether two contents of the file are the same. */
export function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
