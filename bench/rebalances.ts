// Rebalances and heartbeats of both protocols, without sockets: `npm run bench:rebalances [-- GROUPS]`. Prints how long
// many small groups and one large one take to share their partitions, and what a heartbeat costs in CPU time.
import { ANONYMOUS } from '#src/access/session.ts'
import type { JoinGroupResponse } from '#src/protocol/messages/11-join-group.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '#src/protocol/messages/68-consumer-group-heartbeat.ts'
import { ConsumerProtocolSubscription } from '#src/protocol/records/consumer-protocol.ts'
import { systemClock } from '#storage/base/world.ts'
import { type RunningBroker, startBroker } from '../mod.ts'
import { withFolder } from './workspace.ts'

const SMALL_MEMBERS = 3
const LARGE_MEMBERS = 500
const SMALL_PARTITIONS = 12
const LARGE_PARTITIONS = 1_000
/** As often as clients beat by default, and how often each member does here. */
const CLASSIC_INTERVAL_MS = 3_000
const CONSUMER_INTERVAL_MS = 5_000
const BEATS = 30
const smallGroups = Number(process.argv[2] ?? 1_000)

type Beat = () => Promise<unknown>
/** A group to make. */
interface Made {
  readonly groupId: string
  readonly size: number
  readonly topic: string
}

type Groups = RunningBroker['broker']['groups']

/** Members of a classic group that is stable, as their heartbeats; each has one share of the bytes of an assignment. */
async function classicGroup(groups: Groups, { groupId, size, topic }: Made): Promise<Beat[]> {
  const metadata = Uint8Array.of(
    0,
    0,
    ...ConsumerProtocolSubscription.encode({ topics: [topic] }, 0),
  )
  const join = (memberId: string) =>
    groups.join(
      ANONYMOUS,
      {
        groupId,
        sessionTimeoutMs: 45_000,
        rebalanceTimeoutMs: 300_000,
        memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
        reason: null,
      },
      9,
    )
  const told = await Promise.all(Array.from({ length: size }, () => join('')))
  const joins = await Promise.all(told.map(({ memberId }) => join(memberId)))
  // The first may have been alone in its generation: then all join again.
  const generationId = Math.max(...joins.map((joined) => joined.generationId))
  const isOne = joins.every((joined) => joined.generationId === generationId)
  const last = isOne ? joins : await Promise.all(joins.map(({ memberId }) => join(memberId)))
  await syncAll(groups, groupId, last)
  return last.map(({ memberId, generationId }) => () => {
    const request = { groupId, memberId, generationId, groupInstanceId: null }
    return groups.heartbeat(ANONYMOUS, request)
  })
}

async function syncAll(
  groups: Groups,
  groupId: string,
  joins: readonly JoinGroupResponse[],
): Promise<void> {
  await Promise.all(
    joins.map(({ memberId, generationId, members }) =>
      groups.sync(ANONYMOUS, {
        groupId,
        generationId,
        memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: members.map((member) => ({
          memberId: member.memberId,
          assignment: new Uint8Array(64),
        })),
      }),
    ),
  )
}

/** Members of a consumer group that have what they should, as their heartbeats. */
async function consumerGroup(groups: Groups, { groupId, size, topic }: Made): Promise<Beat[]> {
  const memberOf = (at: number) => {
    return new ConsumerMember(groups, { groupId, memberId: `${groupId}-${at}` }, topic)
  }
  const members = Array.from({ length: size }, (_, at) => memberOf(at))
  await Promise.all(members.map((member) => member.beat()))
  while (!members.every((member) => member.hasBeenStill)) {
    await Promise.all(members.map((member) => member.beat()))
  }
  return members.map((member) => () => member.beat())
}

/** Says what it owns whenever it was given something else. */
class ConsumerMember {
  readonly #groups: Groups
  readonly #who: { readonly groupId: string; readonly memberId: string }
  readonly #topic: string
  #epoch = 0
  #owned: ConsumerGroupHeartbeatRequest['topicPartitions'] = []
  #isNews = true
  #still = 0

  constructor(groups: Groups, who: { groupId: string; memberId: string }, topic: string) {
    this.#groups = groups
    this.#who = who
    this.#topic = topic
  }

  /** Whether the last heartbeats changed nothing, for longer than a target may wait for the next. */
  get hasBeenStill(): boolean {
    return this.#still > 2
  }

  async beat(): Promise<void> {
    const isFull = this.#isNews
    const answer: ConsumerGroupHeartbeatResponse = await this.#groups.consumerHeartbeat(
      ANONYMOUS,
      {
        ...this.#who,
        memberEpoch: this.#epoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: this.#epoch === 0 ? 300_000 : -1,
        subscribedTopicNames: this.#epoch === 0 ? [this.#topic] : null,
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: isFull ? this.#owned : null,
      },
      1,
    )
    const isStill = answer.memberEpoch === this.#epoch && !answer.assignment && !isFull
    this.#still = isStill ? this.#still + 1 : 0
    this.#epoch = answer.memberEpoch
    this.#isNews = answer.assignment !== null
    if (answer.assignment) this.#owned = answer.assignment.topicPartitions
  }
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = systemClock.monotonic()
  const result = await work()
  const tookMs = systemClock.monotonic() - start
  console.log(`${what.padEnd(52)} ${tookMs.toFixed(0).padStart(7)} ms`)
  return result
}

/** CPU time of the whole process, so that what answers and timers cost is in it. */
async function beatAll(what: string, beats: readonly Beat[], intervalMs: number): Promise<void> {
  const before = process.cpuUsage()
  for (let round = 0; round < BEATS; round++) {
    await Promise.all(beats.map((beat) => beat()))
  }
  const { user, system } = process.cpuUsage(before)
  const eachUs = (user + system) / (beats.length * BEATS)
  const share = (eachUs * beats.length) / (intervalMs * 1_000)
  console.log(
    `${what.padEnd(52)} ${eachUs.toFixed(1).padStart(7)} us CPU, ${(share * 100).toFixed(2)} % of a core`,
  )
}

async function measure(
  groups: Groups,
  protocol: string,
  make: typeof classicGroup,
  intervalMs: number,
): Promise<void> {
  const small = await timed(
    `${smallGroups} ${protocol} groups of ${SMALL_MEMBERS}: all stable`,
    () =>
      Promise.all(
        Array.from({ length: smallGroups }, (_, at) =>
          make(groups, { groupId: `${protocol}-${at}`, size: SMALL_MEMBERS, topic: 'small' }),
        ),
      ),
  )
  await beatAll(`  a heartbeat of theirs`, small.flat(), intervalMs)
  const what = `a ${protocol} group of ${LARGE_MEMBERS}, ${LARGE_PARTITIONS} partitions`
  const large = await timed(`${what}: stable`, () =>
    make(groups, { groupId: `large-${protocol}`, size: LARGE_MEMBERS, topic: 'large' }),
  )
  await beatAll(`  a heartbeat of its`, large, intervalMs)
}

await withFolder(async (data) => {
  const config = {
    'group.initial.rebalance.delay.ms': '0',
    'group.consumer.assignment.interval.ms': '0',
    'group.consumer.max.size': String(LARGE_MEMBERS),
  }
  const running = await startBroker({ data, http: false, kafka: false, config })
  const { broker } = running
  await broker.createTopic(ANONYMOUS, { name: 'small', partitionCount: SMALL_PARTITIONS })
  await broker.createTopic(ANONYMOUS, { name: 'large', partitionCount: LARGE_PARTITIONS })
  await broker.groups.findCoordinator(ANONYMOUS, '')
  for (;;) {
    // Its partitions are loaded one after the other.
    const isReady = await broker.groups
      .list(ANONYMOUS, { states: [], types: [] })
      .then(() => true)
      .catch(() => false)
    if (isReady) break
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await measure(broker.groups, 'classic', classicGroup, CLASSIC_INTERVAL_MS)
  await measure(broker.groups, 'consumer', consumerGroup, CONSUMER_INTERVAL_MS)
  await running.stop()
})
