// Ids for idempotent producers: given out one by one from blocks that the metadata log has given to this broker.
import { addInt64, type Int64 } from '#storage/bytes/int64.ts'
import type { MetadataProvider, ProducerIdBlock } from '../metadata/provider.ts'

/** Gives each caller an id that nobody had before, and that nobody gets after a crash either. */
export class ProducerIds {
  readonly #provider: MetadataProvider
  #next: Int64 = -1
  #left = 0
  #spare: ProducerIdBlock | undefined
  #refill: Promise<void> | undefined

  constructor(provider: MetadataProvider) {
    this.#provider = provider
  }

  /** Rejects with what kept the metadata log from giving a block. */
  async allocate(): Promise<Int64> {
    for (;;) {
      const id = this.#take()
      if (id !== undefined) return id
      await this.#fetchBlock()
    }
  }

  #take(): Int64 | undefined {
    if (this.#left === 0) {
      if (!this.#spare) return undefined
      this.#next = this.#spare.first
      this.#left = this.#spare.count
      this.#spare = undefined
    }
    const id = this.#next
    this.#next = addInt64(id, 1)
    this.#left--
    return id
  }

  #fetchBlock(): Promise<void> {
    this.#refill ??= this.#submit().finally(() => {
      this.#refill = undefined
    })
    return this.#refill
  }

  async #submit(): Promise<void> {
    this.#spare = await this.#provider.submit({ kind: 'allocateProducerIds' })
  }
}
