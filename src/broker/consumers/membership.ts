// A member of a consumer group (KIP-848) inside the broker: it joins, beats, gives partitions back and takes new ones.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Clock, Timer } from '#storage/base/world.ts'
import type { Session } from '../../access/session.ts'
import { errorName, NO_ERROR } from '../../protocol/error-codes.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { type GroupCalls, HEARTBEAT_VERSION, NOTHING_NEW } from './group-calls.ts'

/** What a member wants to read: topics by name, and those that match an expression in RE2 syntax. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly pattern: string | null
}

/** A partition as assignments name it. */
export interface AssignedPartition {
  readonly topicId: Uuid
  readonly partition: number
}

/** What a member lives on. */
export interface MembershipParts {
  readonly groups: Pick<GroupCalls, 'consumerHeartbeat'>
  readonly session: Session
  readonly clock: Clock
  /** One that nobody else has (KIP-1082). */
  readonly memberId: string
  readonly groupId: string
  /** A static member keeps its partitions while it is away; null for the others. */
  readonly instanceId: string | null
  readonly rebalanceTimeoutMs: number
  /** These are the member's from now on. */
  readonly onAssigned: (partitions: readonly AssignedPartition[]) => void
  /** These go to somebody else as soon as the promise is done: the last moment to commit. Must not reject. */
  readonly onRevoked: (partitions: readonly AssignedPartition[]) => Promise<void>
  /** The group goes on without this member: nothing is its own any more, commits would be refused. */
  readonly onLost: () => void
}

type Heartbeat = Partial<ConsumerGroupHeartbeatRequest>

const JOINING = 0
const LEAVING = -1
const LEAVING_FOR_A_WHILE = -2
/**
 * A heartbeat inside the process costs next to nothing, so changes are not left to the coordinator's interval, which is
 * made for networks: soon after any news, then less and less often.
 */
const SOON_MS = 10
const LONGEST_MS = 500
const RETRY_MS = 100
/** Who joins is told so when the coordinator has not answered by then. It goes on trying. */
const JOIN_TIMEOUT_MS = 30_000
/** Not the member's fault, and over soon. */
const PASSING: ReadonlySet<KafkaErrorName> = new Set<KafkaErrorName>([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'LEADER_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS',
])

/**
 * One membership, from `join()` to `close()`. One heartbeat at a time is under way; what is to be said meanwhile goes
 * with the next. A member that the group has given up joins again by itself; a refusal that will not pass ends it.
 */
export class Membership {
  readonly memberId: string
  readonly #parts: MembershipParts
  readonly #owned = new Map<string, AssignedPartition>()
  /** Resolves when the group knows the newest subscription. */
  #heard = newPromise()
  /** What the coordinator wants this member to have; undefined when it has it. */
  #target: readonly AssignedPartition[] | undefined
  #subscription: Subscription = { topics: [], pattern: null }
  #epoch = JOINING
  #delayMs = SOON_MS
  #timer: Timer | undefined
  #isBeating = false
  #isRevoking = false
  /** To be told with the next heartbeat. */
  #isSubscriptionNew = false
  #isOwnedNew = false
  /** An answer went astray: the next heartbeat says everything, to be told everything. */
  #isUnsure = false
  #failure: KafkaError | undefined
  #isClosed = false

  constructor(parts: MembershipParts) {
    this.#parts = parts
    this.memberId = parts.memberId
  }

  /** What commits carry. */
  get epoch(): number {
    return this.#epoch
  }

  /** Why the membership has ended by itself. */
  get failure(): KafkaError | undefined {
    return this.#failure
  }

  /**
   * Subscribes, and resolves when the group has taken that in. Again: changes the subscription. Rejects with what refuses
   * it, and with COORDINATOR_NOT_AVAILABLE when nobody answers; the member goes on trying then.
   */
  async join(subscription: Subscription): Promise<void> {
    if (this.#failure) throw this.#failure
    this.#subscription = subscription
    this.#isSubscriptionNew = true
    const heard = newPromise()
    void heard.promise.then(this.#heard.resolve, this.#heard.reject)
    this.#heard = heard
    const timer = this.#parts.clock.after(JOIN_TIMEOUT_MS, () => {
      const detail = `Group ${this.#parts.groupId} has not answered for ${JOIN_TIMEOUT_MS} ms`
      heard.reject(new KafkaError('COORDINATOR_NOT_AVAILABLE', detail))
    })
    this.#beatSoon()
    await heard.promise.finally(() => timer.cancel())
  }

  /** Leaves the group; a static member for a while, unless told otherwise. Nothing is revoked: commit before. */
  async close({ isForGood = false }: { isForGood?: boolean } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    this.#heard.reject(this.#failure ?? new KafkaError('UNKNOWN_MEMBER_ID', 'The member has left'))
    if (this.#failure) return
    const isStatic = this.#parts.instanceId !== null && !isForGood
    // Who is still joining may have been taken in without knowing it yet.
    await this.#leave(isStatic ? LEAVING_FOR_A_WHILE : LEAVING)
  }

  async #leave(memberEpoch: number): Promise<void> {
    await this.#send({ memberEpoch }).catch(() => undefined)
  }

  #beatSoon(delayMs = 0): void {
    if (this.#isClosed || this.#failure) return
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(delayMs, () => void this.#beat())
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    if (this.#isBeating || this.#isClosed) return
    this.#isBeating = true
    const heard = this.#heard
    const request = this.#next()
    try {
      const answer = await this.#send(request)
      this.#isBeating = false
      if (this.#isClosed) return
      const hasNews = answer.memberEpoch !== this.#epoch || answer.assignment !== null
      this.#epoch = answer.memberEpoch
      if (answer.assignment) {
        this.#target = answer.assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
          partitions.map((partition) => ({ topicId, partition })),
        )
      }
      this.#reconcile()
      if (request.subscribedTopicNames !== undefined) heard.resolve()
      const longestMs = Math.min(LONGEST_MS, answer.heartbeatIntervalMs)
      this.#delayMs = Math.min(hasNews ? SOON_MS : this.#delayMs * 2, longestMs)
      const hasMore = this.#isSubscriptionNew || this.#isOwnedNew
      this.#beatSoon(hasMore ? 0 : this.#delayMs)
    } catch (error) {
      this.#isBeating = false
      this.#refused(error, request)
    }
  }

  /** The next heartbeat. A full one when joining or unsure, else only what is new. */
  #next(): Heartbeat {
    const { topics, pattern } = this.#subscription
    const isFull = this.#epoch === JOINING || this.#isUnsure
    const said: Heartbeat = { memberEpoch: this.#epoch }
    if (isFull || this.#isSubscriptionNew) {
      // An empty expression takes the last one back.
      Object.assign(said, { subscribedTopicNames: topics, subscribedTopicRegex: pattern ?? '' })
    }
    if (isFull) Object.assign(said, { rebalanceTimeoutMs: this.#parts.rebalanceTimeoutMs })
    if (isFull || this.#isOwnedNew) Object.assign(said, { topicPartitions: this.#ownedByTopic() })
    this.#isSubscriptionNew = false
    this.#isOwnedNew = false
    this.#isUnsure = false
    return said
  }

  async #send(said: Heartbeat) {
    const { groups, session, groupId, instanceId } = this.#parts
    const request = {
      groupId,
      memberId: this.memberId,
      memberEpoch: this.#epoch,
      instanceId,
      ...NOTHING_NEW,
      ...said,
    }
    const answer = await groups.consumerHeartbeat(session, request, HEARTBEAT_VERSION)
    if (answer.errorCode === NO_ERROR) return answer
    const name = errorName(answer.errorCode)
    throw new KafkaError(name, answer.errorMessage ?? `The group refused the member: ${name}`)
  }

  #refused(error: unknown, request: Heartbeat): void {
    if (this.#isClosed) return
    const refusal = error instanceof KafkaError ? error : undefined
    // What was said has not been heard.
    this.#isSubscriptionNew ||= request.subscribedTopicNames !== undefined
    this.#isOwnedNew ||= request.topicPartitions !== undefined
    this.#isUnsure = true
    if (refusal?.code === 'UNKNOWN_MEMBER_ID' || refusal?.code === 'FENCED_MEMBER_EPOCH') {
      this.#lose()
      this.#beatSoon()
    } else if (refusal && PASSING.has(refusal.code)) this.#beatSoon(RETRY_MS)
    else this.#fail(refusal ?? new KafkaError('UNKNOWN_SERVER_ERROR', String(error)))
  }

  #lose(): void {
    this.#epoch = JOINING
    this.#target = undefined
    if (this.#owned.size === 0) return
    this.#owned.clear()
    this.#parts.onLost()
  }

  /** The group may still know the member, when it was only a new subscription that it refused. */
  #fail(failure: KafkaError): void {
    const wasMember = this.#epoch !== JOINING
    this.#failure = failure
    this.#heard.reject(failure)
    this.#owned.clear()
    this.#parts.onLost()
    if (wasMember) void this.#leave(LEAVING)
  }

  /** Gives back first; what is new comes when that is done. */
  #reconcile(): void {
    const target = this.#target
    if (!target || this.#isRevoking) return
    const wanted = new Set(target.map(keyOf))
    const revoked = [...this.#owned].filter(([key]) => !wanted.has(key)).map(([, one]) => one)
    if (revoked.length > 0) {
      void this.#revoke(revoked)
      return
    }
    this.#target = undefined
    const added = target.filter((one) => !this.#owned.has(keyOf(one)))
    for (const one of added) this.#owned.set(keyOf(one), one)
    this.#isOwnedNew = true
    if (added.length > 0) this.#parts.onAssigned(added)
  }

  async #revoke(revoked: readonly AssignedPartition[]): Promise<void> {
    this.#isRevoking = true
    await this.#parts.onRevoked(revoked)
    this.#isRevoking = false
    // Lost meanwhile: what it has by now comes from another assignment, which waits in `#target`.
    for (const one of revoked) this.#owned.delete(keyOf(one))
    this.#isOwnedNew = true
    this.#reconcile()
    this.#beatSoon()
  }

  #ownedByTopic(): { topicId: Uuid; partitions: number[] }[] {
    const byTopic = new Map<Uuid, number[]>()
    for (const { topicId, partition } of this.#owned.values()) {
      const partitions = byTopic.get(topicId)
      if (partitions) partitions.push(partition)
      else byTopic.set(topicId, [partition])
    }
    return Array.from(byTopic, ([topicId, partitions]) => ({ topicId, partitions }))
  }
}

function newPromise(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>()
  // Whoever waits for it hears of it; nobody has to.
  made.promise.catch(() => undefined)
  return made
}

function keyOf({ topicId, partition }: AssignedPartition): string {
  return `${topicId}-${partition}`
}
