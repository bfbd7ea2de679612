// How many bytes of a log directory wait in the page cache, and what is done about too many of them (RULES 10).

/** A log that has bytes in the page cache. */
export interface DirtyLog {
  readonly unflushedBytes: number
  /** Has all that was appended so far synced, soon. */
  flushSoon(): void
}

/** How many logs are synced at a time, beside those that someone waits for. */
const FLUSHED_AT_A_TIME = 16

/**
 * The unflushed bytes of all logs of one directory. Above `maxBytes` the largest logs are synced in the background until
 * half of it is left. Nothing else would end a flood of writes: the kernel takes them until a sync has gigabytes to write,
 * and everyone waits behind it. So above twice `maxBytes`, `room()` has those wait who are about to append. What was
 * admitted before they were asked to wait comes on top.
 */
export class UnflushedBytes {
  readonly #maxBytes: number
  readonly #dirty = new Set<DirtyLog>()
  /** Logs whose sync was asked for, with the bytes that it covers. */
  readonly #flushing = new Map<DirtyLog, number>()
  #flushingBytes = 0
  /** The largest last; undefined while there is nothing to do. */
  #queue: DirtyLog[] | undefined
  #total = 0
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get total(): number {
    return this.#total
  }

  /** Undefined when there is room to append; else resolves when there is, or when nobody may append any more. */
  room(): Promise<void> | undefined {
    // While some wait, nobody overtakes them: below the upper bound they would never get their turn.
    if (this.#room === undefined && this.#total <= 2 * this.#maxBytes) return undefined
    this.#room ??= Promise.withResolvers<void>()
    return this.#room.promise
  }

  /** A log's unflushed bytes have changed, to what it says now. After a fault or its end it has none. */
  note(log: DirtyLog, change: number): void {
    this.#total += change
    if (log.unflushedBytes > 0) this.#dirty.add(log)
    else this.#dirty.delete(log)
    if (change < 0) this.#noteFlushed(log)
    this.#flushLargest()
    if (this.#total > this.#maxBytes) return
    this.#room?.resolve()
    this.#room = undefined
  }

  #noteFlushed(log: DirtyLog): void {
    this.#flushingBytes -= this.#flushing.get(log) ?? 0
    this.#flushing.delete(log)
  }

  #flushLargest(): void {
    if (!this.#queue && this.#waitingBytes <= this.#maxBytes) return
    while (this.#waitingBytes > this.#maxBytes / 2) {
      if (this.#flushing.size >= FLUSHED_AT_A_TIME) return
      this.#queue ??= this.#bySize()
      const log = this.#queue.pop()
      if (!log) break
      if (log.unflushedBytes === 0 || this.#flushing.has(log)) continue
      this.#flushing.set(log, log.unflushedBytes)
      this.#flushingBytes += log.unflushedBytes
      log.flushSoon()
    }
    this.#queue = undefined
  }

  /** The bytes that nobody is syncing. */
  get #waitingBytes(): number {
    return this.#total - this.#flushingBytes
  }

  #bySize(): DirtyLog[] {
    const idle = [...this.#dirty].filter((log) => !this.#flushing.has(log))
    return idle.sort((left, right) => left.unflushedBytes - right.unflushedBytes)
  }
}
