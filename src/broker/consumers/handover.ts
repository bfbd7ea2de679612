// The time in which partitions that are taken away wait for their reader.
import type { Clock } from '#storage/base/world.ts'
import { isOutstanding, type Position } from './positions.ts'

/** One group of partitions at a time goes to other members: when its reader is done with it, or the time is up. */
export class Handover {
  readonly #clock: Clock
  readonly #patienceMs: number
  #leaving: readonly Position[] = []
  #done: (() => void) | undefined

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock
    this.#patienceMs = patienceMs
  }

  /** Resolves when nothing of these partitions is outstanding, after the patience, or by `finish()`. */
  async of(leaving: readonly Position[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#leaving = leaving
    this.#done = resolve
    const timer = this.#clock.after(this.#patienceMs, resolve)
    this.check()
    await promise
    timer.cancel()
  }

  /** To be called whenever something was settled. */
  check(): void {
    if (!this.#leaving.some(isOutstanding)) this.finish()
  }

  /** Waits no longer. */
  finish(): void {
    this.#leaving = []
    this.#done?.()
    this.#done = undefined
  }
}
