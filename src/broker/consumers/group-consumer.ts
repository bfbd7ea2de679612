// A consumer in a group, inside the broker: what HTTP consumers and tails with a group are made of.
import { anySignal } from '#storage/base/any-signal.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { randomUuid } from '#storage/base/uuid.ts'
import { isInternalTopic } from '../internal-topic-names.ts'
import type { OffsetSpec, StoredRecord } from '../reading.ts'
import { Commits } from './commits.ts'
import type { CommittedOffset, Committer, PartitionName } from './committed-offsets.ts'
import type { ConsumerOptions, ConsumerParts, PollLimits } from './consumer-options.ts'
import { Handover } from './handover.ts'
import { type AssignedPartition, Membership, type Subscription } from './membership.ts'
import { isOutstanding, moveTo, type Position, Positions, settle } from './positions.ts'
import { pause, retried } from './retrying.ts'

/** How soon something that is not there yet is looked for again. */
const AWAY_MS = 100

/**
 * Subscribes, or takes partitions by hand; polls, acknowledges, commits, seeks. Calls may overlap, but polls may not. At
 * least once: what was handed out counts as dealt with when the next poll begins or when it is acknowledged, and a
 * partition that goes to another member takes with it what is settled by then.
 */
export class GroupConsumer {
  /** What its group knows it by, for life. */
  readonly memberId: string
  readonly #parts: ConsumerParts
  readonly #options: ConsumerOptions
  readonly #positions = new Positions()
  readonly #commits: Commits
  readonly #handover: Handover
  #membership: Membership | undefined
  #subscription: Subscription | undefined
  /** Wakes a poll: partitions came or went, or the consumer was closed. */
  #changed = new AbortController()
  #losses = 0
  #closed: Promise<void> | undefined

  constructor(parts: ConsumerParts, options: ConsumerOptions) {
    this.memberId = `${parts.memberPrefix}${randomUuid(parts.random)}`
    this.#parts = parts
    this.#options = options
    this.#handover = new Handover(parts.clock, options.handoverMs)
    this.#commits = new Commits({
      groupOffsets: parts.groups.offsets,
      clock: parts.clock,
      positions: this.#positions,
      intervalMs: options.autoCommitIntervalMs,
      byClock: options.settledBy === 'sending' ? 'arrived' : 'settled',
      committer: () => this.#committer(),
      losses: () => this.#losses,
      onCommitted: (offsets) => {
        this.#handover.check()
        options.onCommitted?.(offsets)
      },
    })
  }

  /** What it is subscribed to; undefined without a subscription. */
  get subscription(): Subscription | undefined {
    return this.#subscription
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /**
   * Joins the group, or changes what the member wants; resolves when the group knows, and has given partitions or
   * `patienceMs` have passed. Rejects with what refuses it; then there is no subscription any more.
   */
  async subscribe(subscription: Subscription, { patienceMs = 0 } = {}): Promise<void> {
    // One that has ended by itself may try again.
    if (this.#membership?.failure) this.#forget()
    await this.#coordinated()
    // Else its own ghost would hold the name of a static member.
    if (this.#options.instanceId !== null) await this.#buryGhosts()
    if (!this.#membership) this.#positions.clear()
    this.#membership ??= this.#newMembership()
    const membership = this.#membership
    this.#subscription = subscription
    try {
      await membership.join(subscription)
    } catch (error) {
      if (this.#membership === membership && membership.failure) this.#forget()
      throw error
    }
    // The coordinator, which knows the member now, is not loading any more.
    await this.#buryGhosts()
    const { clock } = this.#parts
    const deadline = clock.monotonic() + patienceMs
    while (this.#membership === membership && this.#positions.size === 0) {
      const restMs = deadline - clock.monotonic()
      if (restMs <= 0 || this.isClosed) return
      await this.#untilChanged(restMs)
    }
  }

  /** Leaves the group, and lets go of partitions that were taken by hand. Commits first where it commits by itself. */
  async unsubscribe(): Promise<void> {
    const membership = this.#membership
    this.#handover.finish()
    await this.#commits.quietly(() => this.#positions.all(), this.#endOf())
    this.#forget()
    await membership?.close()
  }

  /** Takes exactly these partitions, without the group's doing. Throws INVALID_REQUEST for one that is subscribed. */
  async assign(partitions: readonly PartitionName[]): Promise<void> {
    const { broker, session } = this.#parts
    for (const at of partitions) broker.partitionOffsets(session, at.topic, at.partition)
    // For commits.
    await this.#coordinated()
    if (this.#membership) {
      throw new KafkaError('INVALID_REQUEST', 'A subscribed consumer gets its partitions by itself')
    }
    const kept = new Set(partitions.map((at) => this.#positions.get(at)))
    for (const position of this.#positions.all()) {
      if (!kept.has(position)) this.#positions.remove(position)
    }
    for (const at of partitions) if (!this.#positions.get(at)) this.#positions.add(at)
    this.#wake()
  }

  /** The partitions that it has now. */
  assignment(): PartitionName[] {
    return this.#positions.inTurn().map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * The next records, of several partitions in turn; none when the time is up. Throws what has ended the membership,
   * OFFSET_OUT_OF_RANGE with `autoOffsetReset: 'none'`, KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE.
   */
  async poll({ maxBytes, maxRecords, waitMs, signal }: PollLimits): Promise<StoredRecord[]> {
    const { clock } = this.#parts
    const deadline = clock.monotonic() + waitMs
    if (this.#options.settledBy !== 'acknowledgement') {
      this.#settle(this.#positions.all(), (position) => settle(position))
    }
    for (;;) {
      this.#checkAlive()
      const changed = this.#changed.signal
      await this.#findPositions()
      if (signal?.aborted) return []
      const records = await this.#read({ maxBytes, maxRecords })
      if (records.length > 0) return records
      const restMs = deadline - clock.monotonic()
      if (restMs <= 0 || signal?.aborted) return []
      await this.#wait(restMs, signal ? [signal, changed] : [changed])
    }
  }

  /** The reader is done with the partition's records below `offset`. Of no effect where the partition has gone. */
  acknowledge(at: PartitionName, offset: number): void {
    const position = this.#positions.get(at)
    if (position) this.#settle([position], () => settle(position, offset))
  }

  /** Goes on somewhere else, now. Throws UNKNOWN_TOPIC_OR_PARTITION for a partition that it does not have. */
  seek(at: PartitionName, spec: OffsetSpec): number {
    const { broker, session } = this.#parts
    const position = this.#mine(at)
    const { topic, partition } = position
    const offset = broker.findOffset(session, { topic, partition, spec })
    this.#settle([position], () => moveTo(position, offset))
    this.#wake()
    return offset
  }

  /** Commits these positions, or all that was handed out. Rejects with the first refusal; others may be committed. */
  async commit(offsets?: readonly CommittedOffset[]): Promise<readonly CommittedOffset[]> {
    this.#checkAlive()
    if (offsets) return await this.#commits.offsets(offsets)
    return await this.#commits.positions(() => this.#positions.all(), this.#endOf())
  }

  /** What the group has committed; partitions without a position are left out. */
  async committed(partitions: readonly PartitionName[]): Promise<CommittedOffset[]> {
    await this.#coordinated()
    return await this.#commits.fetch(partitions)
  }

  /**
   * Leaves the group at once and wakes a poll; commits first where it commits by itself: all that was handed out, or what
   * is settled (or has arrived, of what is sent) when the reader `isLost`. A static member leaves for good only when told
   * so. Again is harmless.
   */
  close(how: { readonly isForGood?: boolean; readonly isLost?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(how)
    return this.#closed
  }

  async #close({ isForGood = false, isLost = false }): Promise<void> {
    this.#commits.stop()
    this.#handover.finish()
    const { settledBy } = this.#options
    const atLoss = settledBy === 'sending' ? 'arrived' : 'settled'
    const upTo = isLost ? atLoss : this.#endOf()
    const committed = this.#commits.quietly(() => this.#positions.all(), upTo)
    this.#wake()
    await committed
    const membership = this.#membership
    this.#forget()
    await membership?.close({ isForGood })
    this.#parts.onClosed()
  }

  /** What counts at an end in good order: with acknowledgements, only they do; what was sent last may never arrive. */
  #endOf(): 'offset' | 'settled' {
    return this.#options.settledBy === 'poll' ? 'offset' : 'settled'
  }

  /** There is a coordinator to turn to. */
  async #coordinated(): Promise<void> {
    this.#checkAlive()
    const { groups, session, clock } = this.#parts
    await retried(clock, () => groups.findCoordinator(session, this.#options.groupId))
    this.#checkAlive()
  }

  /** Where it can't be done, the partitions of ghosts come when their sessions have ended. */
  async #buryGhosts(): Promise<void> {
    const { clock, buryGhosts } = this.#parts
    try {
      await retried(clock, () => buryGhosts(this.#options.groupId))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
  }

  #forget(): void {
    this.#membership = undefined
    this.#subscription = undefined
    this.#positions.clear()
    this.#wake()
  }

  #newMembership(): Membership {
    const { groups, session, clock } = this.#parts
    const { memberId } = this
    const { groupId, instanceId, rebalanceTimeoutMs } = this.#options
    return new Membership({
      groups,
      session,
      clock,
      memberId,
      groupId,
      instanceId,
      rebalanceTimeoutMs,
      onAssigned: (partitions) => this.#take(partitions),
      onRevoked: (partitions) => this.#handOver(partitions),
      onLost: () => {
        this.#losses++
        this.#options.onLeaving?.(this.assignment())
        this.#positions.clear()
        this.#handover.finish()
        this.#wake()
      },
    })
  }

  #take(partitions: readonly AssignedPartition[]): void {
    const taken = partitions.flatMap(({ topicId, partition }) => {
      const topic = this.#parts.topicName(topicId)
      return topic === undefined || !this.#isMeant(topic) ? [] : [{ topic, topicId, partition }]
    })
    for (const at of taken) this.#positions.add(at, at.topicId)
    this.#options.onAssigned?.(taken)
    this.#wake()
  }

  /** A pattern means no topics of the coordinators: its reader would read of its own commits, and commit that. */
  #isMeant(topic: string): boolean {
    const { topics = [], pattern = null } = this.#subscription ?? {}
    return pattern === null || !isInternalTopic(topic) || topics.includes(topic)
  }

  /** Nothing more is read of the partitions. They go when the reader is done with what it has, or out of patience. */
  async #handOver(partitions: readonly AssignedPartition[]): Promise<void> {
    const gone = new Set(partitions.map(({ topicId, partition }) => `${topicId}-${partition}`))
    const leaving = this.#positions
      .all()
      .filter(({ topicId, partition }) => gone.has(`${topicId}-${partition}`))
    for (const position of leaving) position.isLeaving = true
    this.#wake()
    this.#options.onLeaving?.(leaving)
    await this.#handover.of(leaving)
    await this.#commits.quietly(
      () => leaving.filter((one) => this.#positions.holds(one)),
      'settled',
    )
    for (const position of leaving) this.#positions.remove(position)
  }

  #settle(positions: readonly Position[], change: (position: Position) => void): void {
    for (const position of positions) change(position)
    this.#handover.check()
    if (positions.some(({ settled, committed }) => settled !== committed)) this.#commits.soon()
  }

  #mine(at: PartitionName): Position {
    const position = this.#positions.get(at)
    if (position && !position.isLeaving) return position
    const detail = `This consumer does not have partition ${at.topic}-${at.partition}`
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', detail)
  }

  /** Gives new partitions the place where the group stands. */
  async #findPositions(): Promise<void> {
    const fresh = this.#positions.inTurn().filter(({ offset }) => offset === undefined)
    if (fresh.length === 0) return
    const found = await this.#commits.fetch(fresh).catch(notFenced)
    if (!found) return
    const offsets = new Map(found.map((one) => [`${one.topic}-${one.partition}`, one.offset]))
    for (const position of fresh) {
      if (position.offset !== undefined || !this.#positions.holds(position)) continue
      const offset = offsets.get(`${position.topic}-${position.partition}`)
      if (offset === undefined) this.#reset(position)
      else {
        moveTo(position, offset)
        position.committed = offset
      }
    }
  }

  #reset(position: Position): void {
    const { broker, session } = this.#parts
    const { topic, partition, offset: from } = position
    const { autoOffsetReset, onGap } = this.#options
    try {
      const { logStartOffset } = broker.partitionOffsets(session, topic, partition)
      const isGap = from !== undefined && from < logStartOffset
      const spec = isGap && onGap ? logStartOffset : autoOffsetReset
      if (spec === 'none') {
        const detail = `${topic}-${partition} has no committed offset that can be read, and auto.offset.reset is none`
        throw new KafkaError('OFFSET_OUT_OF_RANGE', detail)
      }
      const offset = broker.findOffset(session, { topic, partition, spec })
      // Whoever comes next finds the log's start again, but no other beginning: that is committed.
      if (spec === 'earliest') position.committed = offset
      this.#settle([position], () => moveTo(position, offset))
      if (isGap) onGap?.({ topic, partition, from, to: logStartOffset })
    } catch (error) {
      this.#passOver(position, error)
    }
  }

  async #read(limits: { maxBytes: number; maxRecords: number }): Promise<StoredRecord[]> {
    const { broker, session } = this.#parts
    const { isolation } = this.#options
    const given: StoredRecord[] = []
    let isReset = false
    let { maxBytes, maxRecords } = limits
    for (const position of this.#positions.inTurn()) {
      if (maxBytes <= 0 || maxRecords <= 0) break
      const { topic, partition, offset } = position
      if (offset === undefined || !this.#isReadable(position)) continue
      try {
        const request = { topic, partition, offset, maxBytes, maxRecords, isolation }
        const { records, nextOffset } = await broker.readRecords(session, request)
        // Taken away, or moved by a seek, while it was read.
        if (!this.#isReadable(position) || position.offset !== offset) continue
        this.#advance(position, records.at(-1), nextOffset)
        maxRecords -= records.length
        for (const record of records) maxBytes -= sizeOf(record)
        for (const record of records) given.push(record)
      } catch (error) {
        if (!this.#isReadable(position) || position.offset !== offset) continue
        if (isOutOfRange(error)) {
          isReset = true
          this.#reset(position)
        } else this.#passOver(position, error)
      }
    }
    // There may be something where it goes on.
    if (isReset && given.length === 0) return await this.#read(limits)
    return given
  }

  #advance(position: Position, last: StoredRecord | undefined, nextOffset: number): void {
    if (last) {
      position.offset = nextOffset
      position.given = last.offset + 1
    } else if (isOutstanding(position)) position.offset = nextOffset
    else if (nextOffset !== position.offset)
      this.#settle([position], () => moveTo(position, nextOffset))
  }

  /** Its own still, and of the topic that the group means, even if another has taken its name. */
  #isReadable(position: Position): boolean {
    const { topic, topicId, isLeaving } = position
    if (isLeaving || !this.#positions.holds(position)) return false
    return topicId === undefined || this.#parts.topicName(topicId) === topic
  }

  /** Its topic is gone, or about to be there: the group will say. Everything else is thrown. */
  #passOver(position: Position, error: unknown): void {
    if (!isAway(error)) throw error
    if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') this.#positions.remove(position)
  }

  /** Until there is something to read, a signal aborts, or the time is up. */
  async #wait(restMs: number, signals: readonly AbortSignal[]): Promise<void> {
    const { broker, session, clock } = this.#parts
    const { isolation } = this.#options
    const readable = this.#positions.inTurn().filter((position) => this.#isReadable(position))
    const positions = readable.flatMap(({ topic, partition, offset }) =>
      offset === undefined ? [] : [{ topic, partition, offset }],
    )
    const waitMs = positions.length < readable.length ? Math.min(restMs, AWAY_MS) : restMs
    const { signal, release } = anySignal(signals)
    try {
      await broker.waitForRecords(session, { positions, waitMs, isolation, signal })
    } catch (error) {
      if (!isAway(error)) throw error
      await pause(clock, Math.min(waitMs, AWAY_MS))
    } finally {
      release()
    }
  }

  #untilChanged(waitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#parts.clock.after(waitMs, resolve)
    this.#changed.signal.addEventListener('abort', () => resolve(), { once: true })
    return promise.finally(() => timer.cancel())
  }

  #wake(): void {
    this.#changed.abort()
    this.#changed = new AbortController()
  }

  #committer(): Committer {
    const { session } = this.#parts
    const { groupId } = this.#options
    const { memberId = '', epoch: memberEpoch = -1 } = this.#membership ?? {}
    return { session, groupId, memberId, memberEpoch }
  }

  #checkAlive(): void {
    if (this.isClosed) throw new KafkaError('UNKNOWN_MEMBER_ID', 'The consumer has been closed')
    if (this.#membership?.failure) throw this.#membership.failure
  }
}

/** A member that has been fenced is told so by its next heartbeat. */
function notFenced(error: unknown): undefined {
  const isFenced =
    error instanceof KafkaError &&
    (error.code === 'UNKNOWN_MEMBER_ID' || error.code === 'STALE_MEMBER_EPOCH')
  if (!isFenced) throw error
}

function isOutOfRange(error: unknown): boolean {
  return error instanceof KafkaError && error.code === 'OFFSET_OUT_OF_RANGE'
}

function isAway(error: unknown): error is KafkaError {
  return (
    error instanceof KafkaError &&
    (error.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error.code === 'LEADER_NOT_AVAILABLE')
  )
}

function sizeOf({ key, value }: StoredRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0)
}
