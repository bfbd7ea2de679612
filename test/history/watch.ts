// Follows the files of a history while they are written, to know when members have what they wait for.
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { HistoryEvent } from './history.ts'

/** What is known of a group that is running. */
export class Watch {
  /** Partitions by process. */
  readonly owned = new Map<string, Set<number>>()
  /** Records given to consumers. */
  delivered = 0
  /** Values that were acknowledged. */
  acknowledged = 0
  /** Behind the last record that a consumer was given, by partition. */
  readonly given = new Map<number, number>()
  /** Behind the last record that the last reader found, by partition. */
  readonly ends = new Map<number, number>()
  readonly #directory: string
  readonly #files = new Map<string, { position: number; rest: string }>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Resolves with true when something has come true, with false when that takes too long. */
  async until(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      this.#update()
      if (isSo()) return true
      if (performance.now() > deadline) return false
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** True when these processes own all partitions, each one of them once, and none owns nothing. */
  areShared(processes: readonly string[], partitionCount: number): boolean {
    const shares = processes.map((process) => [...(this.owned.get(process) ?? [])])
    const all = shares.flat()
    if (shares.some((share) => share.length === 0)) return false
    return all.length === partitionCount && new Set(all).size === partitionCount
  }

  /** True when consumers were given everything that the last reader found. */
  get isDrained(): boolean {
    return [...this.ends].every(([partition, end]) => (this.given.get(partition) ?? 0) >= end)
  }

  #update(): void {
    for (const name of readdirSync(this.#directory))
      if (name.endsWith('.jsonl')) for (const event of this.#news(name)) this.#take(event)
  }

  #news(name: string): HistoryEvent[] {
    const file = this.#files.get(name) ?? { position: 0, rest: '' }
    this.#files.set(name, file)
    const handle = openSync(join(this.#directory, name), 'r')
    const bytes = new Uint8Array(Math.max(0, fstatSync(handle).size - file.position))
    const size = bytes.length === 0 ? 0 : readSync(handle, bytes, 0, bytes.length, file.position)
    closeSync(handle)
    file.position += size
    const lines = (file.rest + new TextDecoder().decode(bytes.subarray(0, size))).split('\n')
    file.rest = lines.pop() ?? ''
    return lines.map((line): HistoryEvent => JSON.parse(line))
  }

  #take(event: HistoryEvent): void {
    const raise = (ends: Map<number, number>, partition: number, end: number) =>
      ends.set(partition, Math.max(ends.get(partition) ?? 0, end))
    if (event.op === 'start') this.owned.set(event.process, new Set())
    else if (event.op === 'close') this.owned.delete(event.process)
    else if (event.op === 'assign')
      for (const partition of event.partitions) this.owned.get(event.process)?.add(partition)
    else if (event.op === 'revoke')
      for (const partition of event.partitions) this.owned.get(event.process)?.delete(partition)
    else if (event.op === 'sent') this.acknowledged += event.values.length
    else if (event.op === 'log') raise(this.ends, event.partition, event.end)
    else if (event.op === 'poll') {
      this.delivered += event.records.length
      for (const [offset] of event.records) raise(this.given, event.partition, offset + 1)
    }
  }
}
