// Batches out: a fetch of many partitions, its session, its wait, and bytes that are lent instead of copied.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import type { Clock, Random } from '#storage/base/world.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { Deadlines } from '../partitions/deadlines.ts'
import { FetchPurgatory, type WaitingPosition } from '../partitions/fetch-purgatory.ts'
import {
  type FetchIsolation,
  type FetchOutcome,
  type FetchRound,
  type FetchSource,
  type PartitionRead,
  readRound,
} from '../partitions/fetch-read.ts'
import { nextSessionEpoch, type FetchTarget as Target } from '../partitions/fetch-session.ts'
import {
  FetchSessionCache,
  type SessionFetch,
  type SessionRequest,
} from '../partitions/fetch-session-cache.ts'
import type { CurrentLeader, PartitionId, PartitionLookup } from '../partitions/lookup.ts'
import { refusalOf } from './refusal.ts'

/** One partition of a fetch, and where to read in it. */
export type FetchTarget = Target

/** A fetch as the wire protocol asks for it. Topics are named, or have ids: `usesTopicIds` says which. */
export interface FetchCall extends SessionRequest {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isolation: Exclude<FetchIsolation, 'log_end'>
  /** -1 for a consumer. */
  readonly replicaId: number
  /** The client has gone, or the broker stops: answer with what there is. */
  readonly signal?: AbortSignal
}

/** What a fetch tells of one partition. Offsets are -1 where there is an error. */
export interface FetchedPartition extends PartitionId {
  readonly error: KafkaErrorName | undefined
  /** Where the client should turn to, or which epoch it should know, when that is the error. */
  readonly currentLeader: CurrentLeader | undefined
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Where the client's log parts from this one. */
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | undefined
  /** Null for read_uncommitted. */
  readonly abortedTransactions:
    | readonly { readonly producerId: Int64; readonly firstOffset: number }[]
    | null
  /** Batches, the last of them perhaps cut. Lent until `Fetched.release`. */
  readonly records: Uint8Array
}

/** The answer to a fetch. */
export interface Fetched {
  /** 0 without a session. */
  readonly sessionId: number
  readonly partitions: readonly FetchedPartition[]
  /** Gives the records' bytes back. To be called once, when nobody reads them any more. */
  release(): void
}

/** What fetching needs of the broker. */
export interface FetchingParts {
  readonly lookup: PartitionLookup
  readonly clock: Clock
  readonly random: Random
  readonly sessionSlots: number
  /** `fetch.max.bytes`, as of now. */
  maxBytes(): number
  /** Lent bytes at which nothing more is lent; 512 MiB unless told otherwise. */
  readonly mostLentBytes?: number
}

/** One partition while it is fetched. */
interface Read {
  readonly target: FetchTarget
  readonly outcome: FetchOutcome
}

/** Bytes that are given back with `release`. */
interface ByteLease {
  readonly bytes: Uint8Array
  release(): void
}

/** Records that all answers together may hold in memory before further ones are kept small. */
const LENT_BYTES = 256 * 1_048_576
/** What an answer may hold even then. */
const SMALL_FETCH_BYTES = 65_536
/** From here on nothing is lent until something comes back: answers to clients that do not read them. */
const MOST_LENT_BYTES = 512 * 1_048_576
const NOTHING = new Uint8Array(0)

/** Serves all fetches of a broker. */
export class Fetching {
  readonly #parts: FetchingParts
  readonly #sessions: FetchSessionCache
  readonly #purgatory: FetchPurgatory
  /** Fetches that may not borrow until others have given back. */
  readonly #waitingToBorrow = new Set<() => void>()
  readonly #deadlines: Deadlines
  #lentBytes = 0

  constructor(parts: FetchingParts) {
    const { clock, random, sessionSlots: maxSlots } = parts
    this.#parts = parts
    this.#sessions = new FetchSessionCache({ maxSlots, clock, random })
    this.#purgatory = new FetchPurgatory(clock)
    this.#deadlines = new Deadlines(clock)
  }

  /** For metrics: long polls, how often changes made one look, sessions, and bytes lent to answers. */
  get stats() {
    return {
      ...this.#purgatory.stats,
      sessions: this.#sessions.size,
      lentBytes: this.#lentBytes,
    }
  }

  /** Reads, waits while there is less than `minBytes`, and answers. Throws what is wrong with the session. */
  async fetch(call: FetchCall): Promise<Fetched> {
    const fetch = this.#sessions.open(call)
    const { targets } = fetch
    if (this.#isAllLent) await this.#comesBack(call)
    const room = Math.max(SMALL_FETCH_BYTES, LENT_BYTES - this.#lentBytes)
    const maxBytes = Math.min(call.maxBytes, this.#parts.maxBytes(), room)
    const limits = { maxBytes, isolation: call.isolation }
    let sources = this.#sources(call, targets)
    let round = readRound(sources, targets, limits)
    if (targets.length > 0 && this.#mustWait(call, round, maxBytes)) {
      await this.#wait(call, targets, sources, Math.min(call.minBytes, maxBytes))
      sources = this.#sources(call, targets)
      round = readRound(sources, targets, limits)
    }
    await warm(round)
    const reads = targets.map((target, index) => ({
      target,
      outcome: stillThere(sources[index], round.outcomes[index] as FetchOutcome),
    }))
    return this.#answer(call, fetch, reads)
  }

  /** Ends all waits. */
  close(): void {
    this.#purgatory.close()
    for (const finish of this.#waitingToBorrow) finish()
    this.#deadlines.clear()
  }

  get #isAllLent(): boolean {
    return this.#lentBytes >= (this.#parts.mostLentBytes ?? MOST_LENT_BYTES)
  }

  /** Resolves when bytes may be lent again, or when the fetch may wait no longer: then its answer has no records. */
  #comesBack({ maxWaitMs, signal }: FetchCall): Promise<void> {
    if (maxWaitMs <= 0 || signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const finish = () => {
        takeBack()
        signal?.removeEventListener('abort', finish)
        this.#waitingToBorrow.delete(finish)
        resolve()
      }
      const takeBack = this.#deadlines.add(maxWaitMs, finish)
      signal?.addEventListener('abort', finish)
      this.#waitingToBorrow.add(finish)
    })
  }

  #mustWait({ maxWaitMs, minBytes }: FetchCall, round: FetchRound, maxBytes: number): boolean {
    return maxWaitMs > 0 && !round.isUrgent && round.readableBytes < Math.min(minBytes, maxBytes)
  }

  #wait(
    { maxWaitMs: waitMs, isolation, signal }: FetchCall,
    targets: readonly FetchTarget[],
    sources: readonly FetchSource[],
    minBytes: number,
  ): Promise<void> {
    const waiting: WaitingPosition[] = []
    for (const [index, source] of sources.entries()) {
      if (source instanceof KafkaError) continue
      waiting.push({ partition: source, position: targets[index] as FetchTarget })
    }
    return this.#purgatory.wait(waiting, { waitMs, minBytes, isolation, signal })
  }

  #sources({ replicaId }: FetchCall, targets: readonly FetchTarget[]): FetchSource[] {
    return targets.map((target) => {
      if (replicaId >= 0) {
        const detail = `Broker ${replicaId} is no replica of ${target.topic}-${target.partition}`
        return new KafkaError('NOT_LEADER_OR_FOLLOWER', detail)
      }
      try {
        return this.#parts.lookup.get(target)
      } catch (error) {
        return refusalOf(error)
      }
    })
  }

  /** Borrows the bytes and says what the session has not said before. */
  #answer(call: FetchCall, { session, mayBegin }: SessionFetch, reads: readonly Read[]): Fetched {
    if (session && session.epoch !== nextSessionEpoch(call.sessionEpoch)) {
      const detail = `Fetch session ${session.id} was used by another connection meanwhile`
      throw new KafkaError('INVALID_FETCH_SESSION_EPOCH', detail)
    }
    const begun = mayBegin ? this.#sessions.begin(call) : undefined
    const current = session ?? begun
    const leases: ByteLease[] = []
    const partitions: FetchedPartition[] = []
    const mayBorrow = !this.#isAllLent
    try {
      for (const { target, outcome } of reads) {
        const { outcome: known, lease } = mayBorrow ? borrow(outcome) : { outcome }
        if (lease) leases.push(lease)
        const isNews = current?.note(target, known) ?? true
        if (session && !isNews) continue
        partitions.push(
          known instanceof KafkaError
            ? this.#failed(target, known)
            : fetched(target, known, lease?.bytes ?? NOTHING, call.isolation),
        )
      }
    } catch (bug) {
      // No memory for one of them, for example: nobody else would give the others back.
      for (const lease of leases) lease.release()
      throw bug
    }
    const size = leases.reduce((sum, { bytes }) => sum + bytes.length, 0)
    this.#lentBytes += size
    let isReleased = false
    const release = () => {
      if (isReleased) return
      isReleased = true
      this.#lentBytes -= size
      for (const lease of leases) lease.release()
      if (!this.#isAllLent) for (const finish of this.#waitingToBorrow) finish()
    }
    return { sessionId: current?.id ?? 0, partitions, release }
  }

  #failed(target: FetchTarget, { code }: KafkaError): FetchedPartition {
    const { topic, topicId, partition } = target
    const isLed = code === 'NOT_LEADER_OR_FOLLOWER' || code === 'FENCED_LEADER_EPOCH'
    const isUnknown = code === 'UNKNOWN_TOPIC_ID' || code === 'UNKNOWN_TOPIC_OR_PARTITION'
    return {
      topic,
      topicId,
      partition,
      error: code,
      currentLeader: isLed ? this.#parts.lookup.leaderOf(target) : undefined,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      divergingEpoch: undefined,
      // As Kafka answers: what it does not find has an empty list.
      abortedTransactions: isUnknown ? [] : null,
      records: NOTHING,
    }
  }
}

/** Brings what lies on the disk alone into memory, off the loop (RULES 10). What fails here fails again when it is read. */
async function warm({ outcomes }: FetchRound): Promise<void> {
  const cold: Promise<void>[] = []
  for (const outcome of outcomes) {
    if (outcome instanceof KafkaError || !outcome.slice?.isCold) continue
    cold.push(outcome.slice.warm())
  }
  if (cold.length > 0) await Promise.allSettled(cold)
}

/** What was read of a partition that has gone since: another topic's bytes may lie under the same names by now. */
function stillThere(source: FetchSource | undefined, outcome: FetchOutcome): FetchOutcome {
  if (source === undefined || source instanceof KafkaError) return outcome
  try {
    source.checkOpen()
    return outcome
  } catch (error) {
    return refusalOf(error)
  }
}

function borrow(outcome: FetchOutcome): {
  readonly outcome: FetchOutcome
  readonly lease?: ByteLease
} {
  if (outcome instanceof KafkaError || !outcome.slice || outcome.slice.size === 0) {
    return { outcome }
  }
  try {
    return { outcome, lease: outcome.slice.lease() }
  } catch (error) {
    return { outcome: refusalOf(error) }
  }
}

function fetched(
  { topic, topicId, partition }: FetchTarget,
  read: PartitionRead,
  records: Uint8Array,
  isolation: FetchCall['isolation'],
): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset, divergingEpoch, slice } = read
  const isCommitted = isolation === 'read_committed'
  return {
    topic,
    topicId,
    partition,
    error: undefined,
    currentLeader: undefined,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch,
    abortedTransactions: isCommitted ? (slice?.abortedTransactions ?? []) : null,
    records,
  }
}
