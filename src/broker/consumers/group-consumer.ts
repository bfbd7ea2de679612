// A consumer in a group, inside the broker: what HTTP consumers and tails with a group are made of.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock, Random } from '#storage/base/world.ts'
import type { Session } from '../../access/session.ts'
import type { Broker, IsolationLevel, OffsetSpec, StoredRecord } from '../broker.ts'
import {
  type CommittedOffset,
  type Committer,
  commitOffsets,
  fetchOffsets,
  type PartitionName,
} from './committed-offsets.ts'
import type { GroupCalls } from './group-calls.ts'
import { type AssignedPartition, Membership, type Subscription } from './membership.ts'
import { type Position, Positions, uncommitted } from './positions.ts'

/** How a consumer behaves. */
export interface ConsumerOptions {
  readonly groupId: string
  /** A static member (KIP-345); null for one that leaves when it closes. */
  readonly instanceId: string | null
  /** Where it begins without a committed offset, or when that is gone; `none` refuses. */
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  /** Commits what earlier polls gave: every so often, when partitions are taken away, and at the end. Undefined: never by itself. */
  readonly autoCommitIntervalMs: number | undefined
  readonly isolation: IsolationLevel
  /** How long the group waits for this member to give partitions back. */
  readonly rebalanceTimeoutMs: number
}

/** What a consumer lives on. */
export interface ConsumerParts {
  readonly broker: Pick<
    Broker,
    'readRecords' | 'waitForRecords' | 'findOffset' | 'partitionOffsets'
  >
  readonly calls: GroupCalls
  readonly session: Session
  readonly clock: Clock
  readonly random: Random
  /** The name of a topic that an assignment names by id. */
  topicName(topicId: string): string | undefined
}

/** How much a poll may give, and how long it waits for the first record. */
export interface PollLimits {
  /** Bytes of stored batches; at least one record is given when there is one. */
  readonly maxBytes: number
  readonly maxRecords: number
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
}

/** Whoever was fenced between two heartbeats is told so by the next one: a commit is tried again until then. */
const COMMIT_RETRIES = 5
const COMMIT_RETRY_MS = 50

/**
 * Subscribes, or takes partitions by hand; polls, commits, seeks. Calls may overlap, but polls may not. At least once:
 * a record counts as dealt with when the next poll begins, or when it is committed by hand.
 */
export class GroupConsumer {
  readonly #parts: ConsumerParts
  readonly #options: ConsumerOptions
  readonly #positions = new Positions()
  #membership: Membership | undefined
  #subscription: Subscription | undefined
  /** Wakes a poll: partitions came or went, or the consumer was closed. */
  #changed = new AbortController()
  #committedAt: number
  #isClosed = false

  constructor(parts: ConsumerParts, options: ConsumerOptions) {
    this.#parts = parts
    this.#options = options
    this.#committedAt = parts.clock.monotonic()
  }

  /** Empty while there is none. */
  get memberId(): string {
    return this.#membership?.memberId ?? ''
  }

  /** What it was subscribed to; undefined without a subscription. */
  get subscription(): Subscription | undefined {
    return this.#subscription
  }

  /** Joins the group, or changes what the member wants; resolves when the group knows. Throws what refuses it. */
  async subscribe(subscription: Subscription): Promise<void> {
    this.#checkOpen()
    if (!this.#membership) this.#positions.clear()
    this.#membership ??= this.#newMembership()
    this.#subscription = subscription
    await this.#membership.join(subscription)
  }

  /** Leaves the group. Commits first where it commits by itself. */
  async unsubscribe(): Promise<void> {
    const membership = this.#membership
    if (this.#isAutomatic) await this.#commitQuietly(this.#positions.all(), 'offset')
    this.#membership = undefined
    this.#subscription = undefined
    this.#positions.clear()
    this.#wake()
    await membership?.close()
  }

  /** Takes exactly these partitions, without the group's doing. Throws INVALID_REQUEST for one that is subscribed. */
  assign(partitions: readonly PartitionName[]): void {
    this.#checkOpen()
    if (this.#membership) {
      throw new KafkaError('INVALID_REQUEST', 'A subscribed consumer gets its partitions by itself')
    }
    const { broker, session } = this.#parts
    for (const at of partitions) broker.partitionOffsets(session, at.topic, at.partition)
    const kept = new Set(partitions.map((at) => this.#positions.get(at)))
    for (const position of this.#positions.all()) {
      if (!kept.has(position)) this.#positions.remove(position)
    }
    for (const at of partitions) if (!this.#positions.get(at)) this.#positions.add(at)
    this.#wake()
  }

  /** The partitions that it has now. */
  assignment(): PartitionName[] {
    return this.#positions.all().map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * The next records, of several partitions in turn; none when the time is up. Throws what has ended the membership,
   * OFFSET_OUT_OF_RANGE with `autoOffsetReset: 'none'`, KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE.
   */
  async poll({ maxBytes, maxRecords, waitMs, signal }: PollLimits): Promise<StoredRecord[]> {
    const { clock } = this.#parts
    const deadline = clock.monotonic() + waitMs
    this.#positions.settle()
    await this.#commitNowAndThen()
    for (;;) {
      this.#checkAlive()
      await this.#findPositions()
      const records = await this.#read({ maxBytes, maxRecords })
      if (records.length > 0) return records
      const restMs = deadline - clock.monotonic()
      if (restMs <= 0 || signal?.aborted) return []
      await this.#wait(restMs, signal)
    }
  }

  /** The next offset to read of a partition that it has; finds it out first where need be. Throws UNKNOWN_TOPIC_OR_PARTITION. */
  async position(at: PartitionName): Promise<number> {
    await this.#findPositions()
    return this.#mine(at).offset ?? -1
  }

  /** Goes on somewhere else, now. Throws UNKNOWN_TOPIC_OR_PARTITION for a partition that it does not have. */
  seek(at: PartitionName, spec: OffsetSpec): number {
    const { broker, session } = this.#parts
    const position = this.#mine(at)
    position.offset = broker.findOffset(session, { ...at, spec })
    position.settled = position.offset
    this.#wake()
    return position.offset
  }

  /** Commits these positions, or what it was given so far. Throws what refuses them. */
  async commit(offsets?: readonly CommittedOffset[]): Promise<readonly CommittedOffset[]> {
    this.#checkAlive()
    const wanted = offsets ?? uncommitted(this.#positions.all(), 'offset')
    await this.#commit(wanted)
    return wanted
  }

  /** What the group has committed; partitions without a position are left out. */
  async committed(partitions: readonly PartitionName[]): Promise<CommittedOffset[]> {
    return await fetchOffsets(this.#parts.calls, this.#committer(), partitions)
  }

  /** Leaves the group at once and wakes a poll. Commits first where it commits by itself. Again is harmless. */
  async close({ isForGood = false }: { isForGood?: boolean } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#wake()
    if (this.#isAutomatic) await this.#commitQuietly(this.#positions.all(), 'offset')
    this.#positions.clear()
    await this.#membership?.close({ isForGood })
  }

  get #isAutomatic(): boolean {
    return this.#options.autoCommitIntervalMs !== undefined
  }

  #newMembership(): Membership {
    const { calls, clock, random } = this.#parts
    const { groupId, instanceId, rebalanceTimeoutMs } = this.#options
    return new Membership({
      calls,
      clock,
      random,
      groupId,
      instanceId,
      rebalanceTimeoutMs,
      onAssigned: (partitions) => {
        for (const at of this.#named(partitions)) this.#positions.add(at)
        this.#wake()
      },
      onRevoked: async (partitions) => {
        const revoked = this.#named(partitions).flatMap((at) => this.#positions.get(at) ?? [])
        // From here on nothing more is handed out of them.
        for (const at of revoked) this.#positions.remove(at)
        this.#wake()
        if (this.#isAutomatic) await this.#commitQuietly(revoked, 'settled')
      },
      onLost: () => {
        this.#positions.clear()
        this.#wake()
      },
    })
  }

  /** Topics that are gone by now are nobody's. */
  #named(partitions: readonly AssignedPartition[]): PartitionName[] {
    return partitions.flatMap(({ topicId, partition }) => {
      const topic = this.#parts.topicName(topicId)
      return topic === undefined ? [] : [{ topic, partition }]
    })
  }

  #mine(at: PartitionName): Position {
    const position = this.#positions.get(at)
    if (position) return position
    const detail = `This consumer does not have partition ${at.topic}-${at.partition}`
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', detail)
  }

  /** Gives new partitions the place where the group stands. */
  async #findPositions(): Promise<void> {
    const fresh = this.#positions.all().filter(({ offset }) => offset === undefined)
    if (fresh.length === 0) return
    const found = await this.#retried(() =>
      fetchOffsets(this.#parts.calls, this.#committer(), fresh),
    )
    const offsets = new Map(found.map((one) => [`${one.topic}-${one.partition}`, one.offset]))
    for (const position of fresh) {
      if (position.offset !== undefined || !this.#positions.holds(position)) continue
      const offset = offsets.get(`${position.topic}-${position.partition}`)
      if (offset === undefined) this.#reset(position)
      else position.committed = position.settled = position.offset = offset
    }
  }

  #reset(position: Position): void {
    const { broker, session } = this.#parts
    const { topic, partition } = position
    const { autoOffsetReset: spec } = this.#options
    if (spec === 'none') {
      const detail = `No committed offset of ${topic}-${partition} that could be read, and auto.offset.reset is none`
      throw new KafkaError('OFFSET_OUT_OF_RANGE', detail)
    }
    try {
      position.offset = broker.findOffset(session, { topic, partition, spec })
      position.settled = position.offset
    } catch (error) {
      this.#passOver(position, error)
    }
  }

  async #read(limits: { maxBytes: number; maxRecords: number }): Promise<StoredRecord[]> {
    const { broker, session } = this.#parts
    const { isolation } = this.#options
    const given: StoredRecord[] = []
    let { maxBytes, maxRecords } = limits
    for (const position of this.#positions.inTurn()) {
      if (maxBytes <= 0 || maxRecords <= 0) break
      const { topic, partition, offset } = position
      if (offset === undefined) continue
      try {
        const request = { topic, partition, offset, maxBytes, maxRecords, isolation }
        const { records, nextOffset } = await broker.readRecords(session, request)
        // Taken away, or moved by a seek, while it was read.
        if (!this.#positions.holds(position) || position.offset !== offset) continue
        position.offset = nextOffset
        maxRecords -= records.length
        for (const record of records) maxBytes -= sizeOf(record)
        given.push(...records)
      } catch (error) {
        this.#cannotRead(position, error)
      }
    }
    return given
  }

  #cannotRead(position: Position, error: unknown): void {
    if (error instanceof KafkaError && error.code === 'OFFSET_OUT_OF_RANGE') this.#reset(position)
    else this.#passOver(position, error)
  }

  /** Its topic is gone, or about to be there: the group will say. Everything else is thrown. */
  #passOver({ topic, partition }: Position, error: unknown): void {
    const isAway =
      error instanceof KafkaError &&
      (error.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error.code === 'LEADER_NOT_AVAILABLE')
    if (!isAway) throw error
    if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') this.#positions.remove({ topic, partition })
  }

  /** Until there is something to read, partitions have changed, or the time is up. */
  async #wait(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { broker, session } = this.#parts
    const positions = this.#positions
      .all()
      .flatMap(({ topic, partition, offset }) =>
        offset === undefined ? [] : [{ topic, partition, offset }],
      )
    const changed = this.#changed.signal
    const either = signal ? AbortSignal.any([signal, changed]) : changed
    const { isolation } = this.#options
    try {
      await broker.waitForRecords(session, { positions, waitMs, isolation, signal: either })
    } catch (error) {
      if (!(error instanceof KafkaError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION')) throw error
    }
  }

  #wake(): void {
    this.#changed.abort()
    this.#changed = new AbortController()
  }

  async #commitNowAndThen(): Promise<void> {
    const { autoCommitIntervalMs } = this.#options
    const now = this.#parts.clock.monotonic()
    if (autoCommitIntervalMs === undefined || now - this.#committedAt < autoCommitIntervalMs) return
    await this.#commitQuietly(this.#positions.all(), 'settled')
  }

  /** A commit that nobody asked for: what can't be committed is read again by whoever comes next. */
  async #commitQuietly(positions: readonly Position[], upTo: 'offset' | 'settled'): Promise<void> {
    try {
      await this.#commit(uncommitted(positions, upTo))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
  }

  async #commit(offsets: readonly CommittedOffset[]): Promise<void> {
    this.#committedAt = this.#parts.clock.monotonic()
    await this.#retried(() => commitOffsets(this.#parts.calls, this.#committer(), offsets))
    for (const one of offsets) {
      const position = this.#positions.get(one)
      if (position) position.committed = one.offset
    }
  }

  /** Tries again while the member is between two epochs, or the coordinator is about to be there. */
  async #retried<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await call()
      } catch (error) {
        if (tries === COMMIT_RETRIES || !(error instanceof KafkaError) || !isPassing(error))
          throw error
        await new Promise<void>((done) => void this.#parts.clock.after(COMMIT_RETRY_MS, done))
      }
    }
  }

  #committer(): Committer {
    const { groupId } = this.#options
    const membership = this.#membership
    if (!membership) return { groupId, memberId: '', epoch: -1 }
    return { groupId, memberId: membership.memberId, epoch: membership.epoch }
  }

  #checkAlive(): void {
    this.#checkOpen()
    if (this.#membership?.failure) throw this.#membership.failure
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new KafkaError('UNKNOWN_MEMBER_ID', 'The consumer has been closed')
  }
}

function isPassing({ code }: KafkaError): boolean {
  return (
    code === 'STALE_MEMBER_EPOCH' ||
    code === 'COORDINATOR_LOAD_IN_PROGRESS' ||
    code === 'COORDINATOR_NOT_AVAILABLE' ||
    code === 'NOT_COORDINATOR'
  )
}

function sizeOf({ key, value }: StoredRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0)
}
