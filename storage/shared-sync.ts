// One fsync of a directory for all who ask for it at the same time.
import type { Files } from './fs/files.ts'

/** Syncs a directory; who asks while a sync is under way shares the one after it. */
export class SharedSync {
  readonly #files: Files
  readonly #path: string
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(files: Files, path: string) {
    this.#files = files
    this.#path = path
  }

  /** Resolves when every name that was there at the call is on disk. */
  async sync(): Promise<void> {
    this.#next ??= this.#begin()
    await this.#next
  }

  async #begin(): Promise<void> {
    // Whoever asked for the running one has its failure.
    await this.#running.catch(() => undefined)
    this.#next = undefined
    const running = this.#files.syncDirectory(this.#path)
    this.#running = running
    await running
  }
}
