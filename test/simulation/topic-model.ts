// What a test knows of one partition: everything that was appended to it, and what of that must be found again.
import { expect } from 'vitest'
import type { Uuid } from '#storage/base/uuid.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { lastSequenceOf } from '#storage/state/producer-entry.ts'
import type { SeededRandom } from './seeded-random.ts'

/** One batch as it was sent, at the offset that it got or would have got. */
export interface Entry {
  readonly base: number
  readonly leaderEpoch: number
  readonly timestamp: number
  /** `key=value`, or `key` alone for a tombstone. None for a marker. */
  readonly texts: readonly string[]
  /** 0: a producer without an id. */
  readonly producerId: number
  readonly sequence: number
  readonly isTransactional: boolean
  /** Set for the marker that ends a transaction. */
  readonly isCommit?: boolean
  readonly needsDisk: boolean
  /** It was answered. */
  isAppended: boolean
  /** It was acknowledged as being on disk, or was found by a start. */
  isOnDisk: boolean
  /** When the first cleaning that may have met it began. */
  cleanedAt: number
}

interface FoundRecord {
  readonly offset: number
  readonly text: string
  readonly timestamp: number | bigint
}

/** One incarnation of a topic: made again, it is another one. */
export class TopicModel {
  readonly id: Uuid
  config: LogConfig
  leaderEpoch = 0
  /** The largest log start that was seen: what lies below may be there, or not. */
  start = 0
  /** Up to where records were deleted on request. */
  requestedStart = 0
  /** Retention by size or time was on at some time, and the shortest time. */
  mayDelete = false
  shortestRetentionMs = Infinity
  mayCompact = false
  /** Up to where the log said that it is on disk. */
  durable = 0
  /** Below it a cleaning relies on what there is. */
  cleanedTo = 0
  #entries: Entry[] = []
  #base = 0
  #before: Entry[] | undefined
  /** What was cut off since something was last acknowledged: a crash may bring it back. */
  #ghosts: Entry[] = []
  #isBeingCut = false
  /** Up to where an answered DeleteRecords deleted. */
  #savedStart = 0

  constructor(id: Uuid, config: LogConfig) {
    this.id = id
    this.config = config
    this.setConfig(config)
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  get end(): number {
    const last = this.#entries.at(-1)
    return Math.max(last ? endOf(last) : 0, this.#base)
  }

  setConfig(config: LogConfig): void {
    this.config = config
    this.mayCompact ||= config.cleanupPolicy.compact
    if (!config.cleanupPolicy.delete) return
    this.mayDelete = true
    const hasLimit = config.retentionBytes < Infinity
    const limit = hasLimit ? -Infinity : config.retentionMs
    this.shortestRetentionMs = Math.min(this.shortestRetentionMs, limit)
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
  }

  /** It was not taken, and is seen by nobody, whatever happens. */
  refuse(entry: Entry): void {
    this.#entries = this.#entries.filter((one) => one !== entry)
  }

  /** DeleteRecords up to `offset` was answered. */
  saved(offset: number): void {
    this.#savedStart = Math.max(this.#savedStart, offset)
  }

  /** Nothing may be cut at or below it: the log start lies there, or a cleaning relies on what there is. */
  get lowestCut(): number {
    return Math.max(this.start, this.requestedStart, this.cleanedTo)
  }

  /** The log is about to be cut. Until `truncated`, it does not know of it yet. */
  truncateTo(offset: number): void {
    this.#isBeingCut = true
    this.#ghosts = [...this.#ghosts, ...this.#entries.filter((entry) => endOf(entry) > offset)]
    this.cut(offset)
  }

  cut(offset: number): void {
    this.durable = Math.min(this.durable, offset)
    this.#base = Math.min(this.end, offset)
    this.#entries = this.#entries.filter((entry) => endOf(entry) <= offset)
  }

  /** The log is about to begin anew at `offset`. Until `restarted`, what it held may still be there. */
  restartAt(offset: number): void {
    this.#before = this.#entries
    this.#entries = []
    this.#base = offset
    this.durable = offset
    this.start = offset
    this.requestedStart = offset
    this.cleanedTo = offset
  }

  truncated(): void {
    this.#isBeingCut = false
  }

  restarted(): void {
    this.#before = undefined
  }

  /** Everything up to `entry` was acknowledged as being on disk. */
  settle(entry: Entry): void {
    const at = this.#entries.indexOf(entry)
    if (at >= 0) this.#ghosts = []
    for (const one of this.#entries.slice(0, at + 1)) one.isOnDisk = true
  }

  beginCleaning(now: number, log: PartitionLog): void {
    if (!this.config.cleanupPolicy.compact) return
    for (const entry of this.#entries) entry.cleanedAt = Math.min(entry.cleanedAt, now)
    this.cleanedTo = Math.max(this.cleanedTo, log.segments.at(-1)?.baseOffset ?? 0)
  }

  /** The log start has moved: only as far as somebody asked, or retention allows. */
  observe(log: PartitionLog, now: number): void {
    const { logStartOffset } = log
    // Where retention took all, it says nothing of what was there.
    if (log.durableOffset > logStartOffset && !this.#isBeingCut)
      this.durable = Math.max(this.durable, log.durableOffset)
    if (logStartOffset <= this.start) return
    const oldest = now - this.shortestRetentionMs
    for (const entry of this.#entries) {
      const isGone = entry.base >= this.start && endOf(entry) <= logStartOffset
      const isAsked = endOf(entry) <= this.requestedStart
      if (!isGone || isAsked || (this.mayDelete && entry.timestamp < oldest)) continue
      throw new Error(`Offset ${entry.base} went too early: the log starts at ${logStartOffset}`)
    }
    this.start = logStartOffset
  }

  /** Transactions as the batches tell them, with markers below `end`. */
  transactions(end = Infinity) {
    const open = new Map<number, Entry[]>()
    const aborted = new Set<Entry>()
    for (const entry of this.#entries) {
      const { producerId, isCommit } = entry
      if (isCommit !== undefined) {
        if (entry.base >= end) continue
        if (!isCommit) for (const one of open.get(producerId) ?? []) aborted.add(one)
        open.delete(producerId)
      } else if (entry.isTransactional) {
        open.set(producerId, [...(open.get(producerId) ?? []), entry])
      }
    }
    return { open, aborted }
  }

  nextSequence(producerId: number, log: PartitionLog | undefined): number {
    const last = this.lastOf(producerId)
    const known = log?.producers.producer(producerId)
    // Of one whose records were deleted, a start may find a marker alone: then it begins anew.
    if (known && lastSequenceOf(known) === -1) return 0
    return last ? last.sequence + last.texts.length : 0
  }

  lastOf(producerId: number): Entry | undefined {
    return this.#entries.findLast(
      (entry) => entry.producerId === producerId && entry.isCommit === undefined,
    )
  }

  /** What a start must find, and then everything that it found: from now on that is on disk. */
  recover(log: PartitionLog, { isPowerLost }: { isPowerLost: boolean }): void {
    const { logEndOffset } = log
    if (this.#before) this.#takeBack(log, this.#before)
    this.#before = undefined
    this.#isBeingCut = false
    this.#takeGhosts(log)
    expect(log.damages).toEqual([])
    if (logEndOffset > this.end) throw new Error(`${logEndOffset} is beyond ${this.end}`)
    for (const entry of this.#entries) {
      const isKept = entry.isOnDisk || (entry.isAppended && !isPowerLost)
      if (isKept && endOf(entry) > logEndOffset)
        throw new Error(`Offset ${entry.base} is gone: the log ends at ${logEndOffset}`)
    }
    expect(log.logStartOffset).toBeLessThanOrEqual(this.start)
    // Only a cut goes below it.
    const savedStart = Math.min(this.#savedStart, logEndOffset)
    expect(log.logStartOffset, 'a DeleteRecords').toBeGreaterThanOrEqual(savedStart)
    if (isPowerLost) expect(logEndOffset).toBeGreaterThanOrEqual(this.durable)
    this.cut(logEndOffset)
    if (isPowerLost && this.mayCompact) this.#dropHoles(log)
    for (const entry of this.#entries) {
      entry.isOnDisk = true
      entry.isAppended = true
    }
  }

  /** Holds a whole log to what is known of it. */
  check(log: PartitionLog, random: SeededRandom, now: number): void {
    expect(log.logEndOffset).toBe(this.end)
    const batches = Array.from(batchesOf(log))
    const found = this.#checkBatches(log, batches)
    this.#checkMissing(found, now)
    this.#checkProducers(log)
    this.#checkCommitted(log, found)
    this.checkWatermark(log)
    if (found.length === 0) return
    const { logStartOffset } = log
    const all = batches.flatMap(({ records }) => records)
    const visible = all.filter(({ offset }) => offset >= logStartOffset)
    for (let draw = 0; draw < 3; draw++) {
      const { offset, timestamp } = random.pick(found)
      const expected = visible.find((one) => one.timestamp >= timestamp)
      expect(log.offsetForTimestamp(timestamp)?.offset, `at ${timestamp}`).toBe(expected?.offset)
      const request = { maxBytes: 1, isolation: 'log_end', minOneBatch: true } as const
      const [first] = readBatches(log.read(offset, request).bytes())
      expect(first?.baseOffset).toBe(batches.find(({ lastOffset }) => lastOffset >= offset)?.base)
    }
  }

  /** What waits for the disk is not seen before it is there. */
  checkWatermark(log: PartitionLog): void {
    // A cut that was refused: what it would have taken is still there.
    if (this.#isBeingCut) return
    const waiting = this.#entries.find((entry) => {
      return entry.needsDisk && entry.isAppended && endOf(entry) > log.durableOffset
    })
    expect(log.highWatermark).toBeLessThanOrEqual(waiting?.base ?? this.end)
    for (const entry of this.#entries)
      if (entry.isOnDisk) expect(log.durableOffset).toBeGreaterThanOrEqual(endOf(entry))
  }

  /** It was about to begin anew, and some or all of what it held is still there. */
  #takeBack(log: PartitionLog, before: readonly Entry[]): void {
    const there = new Set(Array.from(batchesOf(log), ({ base }) => base))
    if (there.size === 0 && log.logEndOffset === this.#base) return
    // What lies below the log start is not seen, and may be there.
    const { logStartOffset } = log
    this.#entries = before.filter(({ base }) => base < logStartOffset || there.has(base))
    for (const entry of this.#entries) entry.isOnDisk = true
    this.#base = log.logEndOffset
    this.durable = 0
    this.start = log.logStartOffset
  }

  /** Of what was cut off some may be there again, in front of what came after the cut or in its place. */
  #takeGhosts(log: PartitionLog): void {
    const ghosts = this.#ghosts
    this.#ghosts = []
    if (ghosts.length === 0) return
    for (const { base, leaderEpoch } of batchesOf(log)) {
      const isIt = (one: Entry) => one.base === base && one.leaderEpoch === leaderEpoch
      const ghost = ghosts.find(isIt)
      if (!ghost || this.#entries.some(isIt)) continue
      const isApart = (one: Entry) => endOf(one) <= ghost.base || one.base >= endOf(ghost)
      const rest = this.#entries.filter(isApart)
      this.#entries = [...rest, ghost].sort((left, right) => left.base - right.base)
    }
  }

  /**
   * In a compacted log a hole is no wonder: so what was never on disk may be missing before what came to it by chance.
   * What lies below the log start is not seen, and may be there.
   */
  #dropHoles(log: PartitionLog): void {
    const there = new Set(Array.from(batchesOf(log), ({ base }) => base))
    const known = Math.max(this.durable, log.logStartOffset)
    this.#entries = this.#entries.filter((entry) => {
      return entry.isOnDisk || endOf(entry) <= known || there.has(entry.base)
    })
  }

  /** Every batch is one that was sent, where it was sent to, in the order of offsets and epochs. */
  #checkBatches(log: PartitionLog, batches: readonly FoundBatch[]): FoundRecord[] {
    const found: FoundRecord[] = []
    let epoch = -1
    for (const { base, leaderEpoch, records, isControl } of batches) {
      const entry = this.#entries.find((one) => one.base === base)
      if (!entry) throw new Error(`A batch was invented at ${base}`)
      const hasCome = records.every(({ offset, text }) => entry.texts[offset - base] === text)
      const isRight = isControl ? entry.isCommit !== undefined : hasCome
      if (!isRight || leaderEpoch !== entry.leaderEpoch)
        throw new Error(`${records.map(({ text }) => text)} of ${leaderEpoch} is new at ${base}`)
      expect(leaderEpoch).toBeGreaterThanOrEqual(epoch)
      if (base >= log.logStartOffset)
        expect(log.epochOf(base), `epoch at ${base}`).toBe(leaderEpoch)
      epoch = leaderEpoch
      if (isControl) continue
      for (const record of records) if (record.offset >= log.logStartOffset) found.push(record)
    }
    return found
  }

  /** What is not there was aborted, or a newer record has its key, or it was a tombstone long enough. */
  #checkMissing(found: readonly FoundRecord[], now: number): void {
    const there = new Set(found.map(({ offset }) => offset))
    const { aborted } = this.transactions()
    const newest = new Map<string, number>()
    for (const { base, texts } of this.#entries.filter((entry) => !aborted.has(entry)))
      for (const [index, text] of texts.entries()) newest.set(keyOf(text), base + index)
    for (const entry of this.#entries) {
      for (const [index, text] of entry.texts.entries()) {
        const offset = entry.base + index
        if (there.has(offset) || offset < this.start) continue
        const isOld = aborted.has(entry) || (newest.get(keyOf(text)) ?? -1) > offset
        const { deleteRetentionMs } = this.config
        const isExpired = !text.includes('=') && now >= entry.cleanedAt + deleteRetentionMs
        if (!this.mayCompact || !(isOld || isExpired))
          throw new Error(`${text} at ${offset} is gone`)
      }
    }
  }

  #checkProducers(log: PartitionLog): void {
    for (const producerId of [1, 2, 3, 4]) {
      const last = this.lastOf(producerId)
      if (!last || last.base < this.start) continue
      const known = log.producers.producer(producerId)
      const sequence = known && lastSequenceOf(known)
      expect(sequence, `producer ${producerId}`).toBe(last.sequence + last.texts.length - 1)
    }
  }

  #checkCommitted(log: PartitionLog, found: readonly FoundRecord[]): void {
    const { highWatermark } = log
    const { aborted } = this.transactions()
    // A transaction is over once its marker is seen.
    const { open } = this.transactions(highWatermark)
    const begun = Array.from(open.values(), ([first]) => first?.base ?? 0)
    const stable = Math.min(highWatermark, ...begun.filter((offset) => offset >= this.start))
    // Of a transaction that began below the log start, a start may find nothing.
    const isSure = begun.every((offset) => offset >= this.start)
    if (isSure) expect(log.lastStableOffset).toBe(stable)
    else expect(log.lastStableOffset).toBeLessThanOrEqual(stable)
    const isAborted = (offset: number) =>
      this.#entries.some((one) => aborted.has(one) && one.base <= offset && offset < endOf(one))
    const expected = found
      .map(({ offset }) => offset)
      .filter((offset) => offset < log.lastStableOffset && !isAborted(offset))
    expect(readCommitted(log)).toEqual(expected)
  }
}

/** The offset behind a batch. A marker is one record. */
export function endOf({ base, texts }: Entry): number {
  return base + Math.max(1, texts.length)
}

function keyOf(text: string): string {
  return text.split('=')[0] ?? ''
}

type FoundBatch = ReturnType<typeof batchesOf> extends Generator<infer T> ? T : never

/** All batches of a log from its start, read slice by slice. */
function* batchesOf(log: PartitionLog) {
  const decoder = new TextDecoder()
  let end = -1
  for (let next = log.logStartOffset; next < log.logEndOffset; ) {
    const slice = log.read(next, { maxBytes: 700, isolation: 'log_end', minOneBatch: true })
    const start = next
    for (const batch of readBatches(slice.bytes())) {
      const { baseOffset: base, lastOffset, isControl } = batch
      if (!batch.isCrcValid()) throw new Error(`The batch at ${base} is damaged`)
      if (base < end) throw new Error(`Offset ${base} is there twice`)
      const records = Array.from(readRecords(batch), ({ offset, key, value, timestamp }) => {
        const text = `${decoder.decode(key ?? undefined)}${value === null ? '' : '='}`
        return { offset, timestamp, text: text + decoder.decode(value ?? undefined) }
      })
      yield { base, lastOffset, isControl, leaderEpoch: batch.partitionLeaderEpoch, records }
      next = batch.nextOffset
      end = next
    }
    // Behind the last batch compaction may have left nothing.
    if (next === start) return
  }
}

/** The offsets that a read_committed consumer sees: it filters by the aborted transactions that it is told. */
function readCommitted(log: PartitionLog): number[] {
  const offsets: number[] = []
  for (let next = log.logStartOffset; ; ) {
    const request = { maxBytes: 700, isolation: 'read_committed', minOneBatch: true } as const
    const slice = log.read(next, request)
    const start = next
    for (const batch of readBatches(slice.bytes())) {
      next = batch.nextOffset
      if (batch.isControl) continue
      const isAborted = slice.abortedTransactions?.some(
        ({ producerId, firstOffset, lastOffset }) => {
          const isIn = batch.baseOffset >= firstOffset && batch.lastOffset <= lastOffset
          return producerId === batch.producerId && batch.isTransactional && isIn
        },
      )
      if (isAborted) continue
      for (const { offset } of readRecords(batch))
        if (offset >= log.logStartOffset) offsets.push(offset)
    }
    if (next === start) return offsets
  }
}
