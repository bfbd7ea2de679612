// The fetch sessions of all clients, in a fixed number of slots.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock, Random } from '#storage/base/world.ts'
import { FetchSession, type FetchTarget, nextSessionEpoch } from './fetch-session.ts'
import type { PartitionId } from './lookup.ts'

/** A session that was idle for so long gives its slot to anybody; a younger one is not pushed out by consumers. */
const EVICTION_MS = 120_000

const NO_SESSION = 0
const FINAL_EPOCH = -1
const INITIAL_EPOCH = 0

/** What a fetch says of its session, and of the partitions in it. */
export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly targets: readonly FetchTarget[]
  readonly forgotten: readonly PartitionId[]
}

/** How a fetch goes on. */
export interface SessionFetch {
  /** What to read. */
  readonly targets: readonly FetchTarget[]
  /** The session that goes on with this fetch; undefined for a full fetch. */
  readonly session: FetchSession | undefined
  /** A full fetch from which a session may begin, once it was read. */
  readonly mayBegin: boolean
}

/** `max.incremental.fetch.session.cache.slots` sessions (KIP-227). Without a free slot a client goes on without one. */
export class FetchSessionCache {
  readonly #maxSlots: number
  readonly #clock: Clock
  readonly #random: Random
  /** The least recently used first. */
  readonly #sessions = new Map<number, FetchSession>()

  constructor(parts: { maxSlots: number; clock: Clock; random: Random }) {
    this.#maxSlots = parts.maxSlots
    this.#clock = parts.clock
    this.#random = parts.random
  }

  get size(): number {
    return this.#sessions.size
  }

  /**
   * Finds out what a request wants to read. Throws FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH and
   * FETCH_SESSION_TOPIC_ID_ERROR; the client then begins anew.
   */
  open(request: SessionRequest): SessionFetch {
    const { sessionId, sessionEpoch, targets } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== NO_SESSION) this.#sessions.delete(sessionId)
      return { targets, session: undefined, mayBegin: sessionEpoch === INITIAL_EPOCH }
    }
    const session = this.#find(request)
    session.update(targets, request.forgotten)
    if (session.size === 0) {
      this.#sessions.delete(session.id)
      return { targets, session: undefined, mayBegin: false }
    }
    session.epoch = nextSessionEpoch(sessionEpoch)
    this.#touch(session)
    return { targets: session.targets(), session, mayBegin: false }
  }

  /** Begins a session with a full fetch's partitions; undefined when there is no slot for it. */
  begin({ targets, usesTopicIds }: SessionRequest): FetchSession | undefined {
    if (this.#sessions.size >= this.#maxSlots && !this.#evictFor(targets.length)) return undefined
    const session = new FetchSession(this.#newId(), {
      usesTopicIds,
      nowMs: this.#clock.monotonic(),
    })
    session.update(targets, [])
    this.#sessions.set(session.id, session)
    return session
  }

  #find({ sessionId, sessionEpoch, usesTopicIds }: SessionRequest): FetchSession {
    const session = this.#sessions.get(sessionId)
    if (!session) {
      throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', `No fetch session has id ${sessionId}`)
    }
    if (session.epoch !== sessionEpoch) {
      const detail = `Fetch session ${sessionId} is at epoch ${session.epoch}, not ${sessionEpoch}`
      throw new KafkaError('INVALID_FETCH_SESSION_EPOCH', detail)
    }
    if (session.usesTopicIds !== usesTopicIds) {
      const detail = `Fetch session ${sessionId} was begun ${usesTopicIds ? 'without' : 'with'} topic ids`
      throw new KafkaError('FETCH_SESSION_TOPIC_ID_ERROR', detail)
    }
    return session
  }

  #touch(session: FetchSession): void {
    session.lastUsedMs = this.#clock.monotonic()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  /** Frees a slot for a session of `size` partitions: an idle one's, else that of an old one that is smaller. */
  #evictFor(size: number): boolean {
    const now = this.#clock.monotonic()
    const [oldest] = this.#sessions.values()
    if (oldest && now - oldest.lastUsedMs > EVICTION_MS) return this.#sessions.delete(oldest.id)
    let smallest: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      if (now - session.createdMs <= EVICTION_MS) continue
      if (session.size < (smallest?.size ?? size)) smallest = session
    }
    return smallest !== undefined && this.#sessions.delete(smallest.id)
  }

  #newId(): number {
    for (;;) {
      const id = Math.floor(this.#random.float() * 2_147_483_646) + 1
      if (!this.#sessions.has(id)) return id
    }
  }
}
