// What a whole history says about the log itself: which value stood where, and what became of each one that was sent.

import type { Findings } from './findings.ts'
import type { HistoryEvent, SeenRecord } from './history.ts'

/** A set of offsets, a bit for each. */
export class OffsetSet {
  readonly #pages = new Map<number, Uint32Array>()

  has(offset: number): boolean {
    const page = this.#pages.get(Math.floor(offset / 4096))
    return page !== undefined && ((page[(offset % 4096) >> 5] ?? 0) & (1 << (offset & 31))) !== 0
  }

  add(offset: number): void {
    const number = Math.floor(offset / 4096)
    const page = this.#pages.get(number) ?? new Uint32Array(128)
    this.#pages.set(number, page)
    const word = (offset % 4096) >> 5
    page[word] = (page[word] ?? 0) | (1 << (offset & 31))
  }
}

/** The highest of the values that were told before a moment. Told in the order of time. */
export class Floor {
  #highest = -1
  #at = -1
  /** The highest that was told before `#at`. */
  #settled = -1

  raise(value: number, at: number): void {
    if (at > this.#at) this.#settled = this.#highest
    this.#at = at
    this.#highest = Math.max(this.#highest, value)
  }

  /** −1 when there was none. A value of the same millisecond does not count: nobody knows which came first. */
  before(at: number): number {
    return at > this.#at ? this.#highest : this.#settled
  }
}

/** What is known of one partition. */
export class PartitionEvidence {
  /** The value at each offset that anybody heard of. */
  readonly values = new Map<number, string>()
  /** The first offset of the last read; 0 without one. */
  start = 0
  /** Behind the last record that anybody read. */
  readEnd = 0
  /** What the last read found; undefined without one: then what consumers were given counts. */
  last: OffsetSet | undefined
  readonly polled = new OffsetSet()
  readonly acknowledged = new Floor()

  /** The first record at or after an offset and before `before`; undefined when there is none. */
  next(offset: number, before: number): number | undefined {
    for (let at = offset; at < before; at++) if (this.values.has(at)) return at
    return undefined
  }

  /** True when the record can be read, as far as was seen. */
  isThere(offset: number): boolean {
    return (this.last ?? this.polled).has(offset)
  }
}

/** What became of a value that was sent. */
export interface Sent {
  readonly partition: number
  /** The highest offset that had been acknowledged to anybody when this was sent. */
  readonly floor: number
  isRefused: boolean
  /** Where it is, if that was acknowledged. */
  offset: number | undefined
}

/** The log that a history tells of. */
export class Evidence {
  readonly partitions = new Map<number, PartitionEvidence>()
  readonly sent = new Map<string, Sent>()
  readonly #findings: Findings

  /** Reads the whole history once, and reports values that contradict each other. */
  constructor(history: Iterable<HistoryEvent>, findings: Findings) {
    this.#findings = findings
    for (const event of history) this.#take(event)
    this.#checkPlaces()
    this.#checkSent()
  }

  partition(partition: number): PartitionEvidence {
    const known = this.partitions.get(partition) ?? new PartitionEvidence()
    this.partitions.set(partition, known)
    return known
  }

  #take(event: HistoryEvent): void {
    if (event.op === 'send') {
      const { partition } = event
      const floor = this.partition(partition).acknowledged.before(event.at)
      for (const value of event.values)
        this.sent.set(value, { partition, floor, isRefused: false, offset: undefined })
    } else if (event.op === 'sent') this.#takeSent(event)
    else if (event.op === 'unsent') {
      for (const value of event.values) {
        const sent = this.sent.get(value)
        if (sent !== undefined) sent.isRefused = event.refused === true
      }
    } else if (event.op === 'poll' || event.op === 'log') this.#takeRecords(event)
  }

  #takeSent(event: HistoryEvent & { op: 'sent' }): void {
    const { acknowledged } = this.partition(event.partition)
    for (const [index, value] of event.values.entries()) {
      const offset = event.offset + index
      const sent = this.sent.get(value)
      if (sent !== undefined) {
        sent.offset = offset
        if (offset <= sent.floor)
          this.#findings.add(
            'reordered-write',
            `${short(value)} went to ${event.partition}@${offset}, though ${sent.floor} had been acknowledged before it was sent`,
          )
      }
      acknowledged.raise(offset, event.at)
      this.#see(event.process, event.partition, [offset, value])
    }
  }

  #takeRecords(event: HistoryEvent & { op: 'poll' | 'log' }): void {
    const partition = this.partition(event.partition)
    if (event.op === 'log') {
      partition.last = new OffsetSet()
      partition.start = event.start
      partition.readEnd = Math.max(partition.readEnd, event.end)
    }
    for (const record of event.records) {
      const found = event.op === 'log' ? partition.last : partition.polled
      found?.add(record[0])
      partition.readEnd = Math.max(partition.readEnd, record[0] + 1)
      this.#see(event.process, event.partition, record)
    }
  }

  #see(process: string, number: number, [offset, value]: SeenRecord): void {
    const { values } = this.partition(number)
    const other = values.get(offset)
    if (other === undefined) values.set(offset, value)
    else if (other !== value)
      this.#findings.add(
        'inconsistent-offsets',
        `${number}@${offset} is ${short(value)} for ${process}, and ${short(other)} for others`,
      )
  }

  /** Each value has one place, and was sent to that partition. */
  #checkPlaces(): void {
    const places = new Map<string, string>()
    for (const [number, partition] of this.partitions)
      for (const [offset, value] of partition.values) {
        const place = `${number}@${offset}`
        const sent = this.sent.get(value)
        const before = places.get(value)
        if (before !== undefined)
          this.#findings.add('duplicate', `${short(value)} is at ${before} and at ${place}`)
        places.set(value, place)
        if (sent?.partition !== number)
          this.#findings.add(
            'invented-value',
            `${place} holds ${short(value)}, which nobody sent there`,
          )
        else if (sent.isRefused)
          this.#findings.add('refused-value', `${place} holds ${short(value)}, which was refused`)
      }
  }

  /** What was acknowledged is there. */
  #checkSent(): void {
    for (const [value, { partition: number, offset }] of this.sent) {
      if (offset === undefined) continue
      const partition = this.partition(number)
      // Records below the start were deleted on purpose.
      if (partition.isThere(offset) || offset < partition.start) continue
      const isPassed = offset < partition.readEnd
      this.#findings.add(
        isPassed ? 'lost-write' : 'unseen',
        `${short(value)}, acknowledged at ${number}@${offset}, was not read, ${
          isPassed ? `while ${number}@${partition.readEnd - 1} was` : 'and nothing behind it'
        }`,
      )
    }
  }
}

/** Enough of a value to know it. */
export const short = (value: string): string =>
  value.length > 60 ? `${value.slice(0, 60)}…` : value
