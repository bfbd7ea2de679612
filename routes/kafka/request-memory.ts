// The bytes of requests that all connections hold together (`queued.max.request.bytes`).

/** Counts bytes; while they reach the limit, no connection begins another request. The last one may go over it. */
export class RequestMemory {
  readonly #limitBytes: number
  #usedBytes = 0
  readonly #waiting = new Set<() => void>()

  /** Infinity is no limit. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  isFull(): boolean {
    return this.#usedBytes >= this.#limitBytes
  }

  /** Counts bytes taken, or given back when negative. Those who wait are called when there is room again. */
  add(bytes: number): void {
    this.#usedBytes += bytes
    if (this.#waiting.size === 0 || this.isFull()) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const goOn of waiting) goOn()
  }

  /** Calls `goOn` once when there is room. The same function may be given again and still counts once. */
  wait(goOn: () => void): void {
    this.#waiting.add(goOn)
  }

  forget(goOn: () => void): void {
    this.#waiting.delete(goOn)
  }
}
