// Groups of all kinds and their offsets under random calls: after each, what a load makes of the log is what there is.
import { expect, test } from 'vitest'
import { BrokerConfig } from '../../../src/config/broker-config.ts'
import type { Plan, ShardHost } from '../../../src/coordinators/shard.ts'
import { ClassicGroup } from '../../../src/groups/classic/classic-group.ts'
import { ConsumerGroup } from '../../../src/groups/consumer/consumer-group.ts'
import type { Group } from '../../../src/groups/group.ts'
import { type GroupRecord, groupRecordCodec } from '../../../src/groups/group-record.ts'
import { GroupShard } from '../../../src/groups/group-shard.ts'
import { deltaOf } from '../../../src/metadata/delta.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../../../src/metadata/image.ts'
import { ImageBuilder } from '../../../src/metadata/image-builder.ts'
import { Deadlines } from '../../../src/partitions/deadlines.ts'
import { EffectiveConfigs } from '../../../src/partitions/effective-configs.ts'
import { serializeSubscription } from '../../../src/protocol/records/consumer-protocol.ts'
import type { MetadataRecord } from '../../../src/protocol/records/metadata-record.ts'
import { KafkaError } from '../../../storage/base/errors.ts'
import { uuidFromBytes } from '../../../storage/base/uuid.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { seedsToRun } from '../../simulation/seeds.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'

const STEPS = 250
const GROUPS = ['g0', 'g1', 'g2']
const TOPICS = ['a', 'b', 'c']
const CONFIG = {
  'group.consumer.assignment.interval.ms': '0',
  'group.initial.rebalance.delay.ms': '100',
  'group.consumer.migration.policy': 'bidirectional',
  'offsets.retention.minutes': '1',
  'offsets.retention.check.interval.ms': '20000',
}

/** What the log has: records, in transactions or not, and the ends of transactions. */
type Entry =
  | (ReturnType<typeof groupRecordCodec.encode> & { readonly producerId: number })
  | { readonly ended: number; readonly isCommitted: boolean }

interface Member {
  readonly groupId: string
  memberId: string
  epoch: number
  readonly instanceId: string | null
}

class World {
  readonly random: SeededRandom
  readonly clock = new VirtualClock()
  readonly log: Entry[] = []
  readonly configs = new EffectiveConfigs(1, BrokerConfig.load({ flags: CONFIG }))
  image: MetadataImage = EMPTY_IMAGE
  readonly live: GroupShard
  readonly consumers: Member[] = []
  readonly classics: Member[] = []
  /** Classic groups of which the log does not know yet that all have left. */
  readonly late = new Set<string>()
  #made = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.live = this.#shard((plan) => this.#run(plan))
    const data = { name: 'group.version', featureLevel: 1 }
    this.#change({ type: 'FeatureLevelRecord', version: 0, data })
    for (const name of TOPICS) this.#topic(name)
    this.live.loaded()
  }

  async step(): Promise<void> {
    const chance = this.random.float()
    try {
      if (chance < 0.25) await this.#consumer()
      else if (chance < 0.55) this.#classic()
      else if (chance < 0.75) await this.#offsets()
      else if (chance < 0.8) this.#transaction()
      else if (chance < 0.83) this.#foreign()
      else if (chance < 0.85) this.#topics()
      else if (chance < 0.87) await this.#delete()
      else await this.clock.run(this.#below(15_000))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
    await settle()
  }

  /** What a load makes of the log: of all of it, or of what compaction leaves of it. */
  loaded({ isCompacted }: { readonly isCompacted: boolean }): GroupShard {
    const shard = this.#shard(() => Promise.reject(new Error('Nobody writes')))
    for (const [offset, entry] of (isCompacted ? compacted(this.log) : this.log).entries()) {
      if ('ended' in entry) shard.endTransaction(entry.ended, entry.isCommitted)
      else {
        const record = groupRecordCodec.decode(entry.key, entry.value)
        const { producerId } = entry
        if (record) shard.replay(record, { offset, producerId, producerEpoch: 0 })
      }
    }
    return shard
  }

  #shard(write: ShardHost<GroupRecord>['write']): GroupShard {
    const deadlines = new Deadlines(this.clock)
    const host = { partition: 0, clock: this.clock, deadlines, write }
    const offsetCounters = { committed: 0, expired: 0, deleted: 0 }
    const image = () => this.image
    return new GroupShard(host, {
      random: this.random,
      configs: this.configs,
      image,
      offsetCounters,
    })
  }

  async #run<Answer>(plan: () => Plan<GroupRecord, Answer>): Promise<Answer> {
    const { records, answer, settled } = plan()
    const isFull = records.length > 0 && this.random.float() < 0.05
    const refusal = isFull ? new KafkaError('COORDINATOR_NOT_AVAILABLE', 'No space') : undefined
    for (const record of records) {
      if (!refusal) this.#append(record)
      if (record.type !== 'GroupMetadata') continue
      if (refusal) this.late.add(record.key.group)
      else this.late.delete(record.key.group)
    }
    settled?.(refusal)
    if (refusal) {
      if (answer instanceof Promise) answer.catch(() => undefined)
      throw refusal
    }
    return await answer
  }

  #append(record: GroupRecord, producerId = -1): void {
    const offset = this.log.push({ ...groupRecordCodec.encode(record), producerId }) - 1
    this.live.replay(record, { offset, producerId, producerEpoch: 0 })
  }

  async #consumer(): Promise<void> {
    const isNew = this.consumers.length === 0 || this.random.float() < 0.25
    const instanceId = this.random.float() < 0.3 ? `i${this.#below(2)}` : null
    const member = isNew
      ? { groupId: this.#oneOf(GROUPS), memberId: `m${this.#made++}`, epoch: 0, instanceId }
      : this.#oneOf(this.consumers)
    if (isNew) this.consumers.push(member)
    const isLeaving = !isNew && this.random.float() < 0.15
    if (isLeaving) {
      this.consumers.splice(this.consumers.indexOf(member), 1)
      const isForAWhile = member.instanceId !== null && this.random.float() < 0.5
      await this.#beat(member, isForAWhile ? -2 : -1)
      return
    }
    try {
      const { memberEpoch } = await this.#beat(member, member.epoch)
      member.epoch = memberEpoch
    } catch (error) {
      if (error instanceof KafkaError && error.code !== 'COORDINATOR_NOT_AVAILABLE')
        member.epoch = 0
      throw error
    }
  }

  #beat({ groupId, memberId, instanceId }: Member, memberEpoch: number) {
    const isJoin = memberEpoch === 0
    const isChange = isJoin || this.random.float() < 0.1
    const request = {
      groupId,
      memberId,
      memberEpoch,
      instanceId,
      rackId: null,
      rebalanceTimeoutMs: isJoin ? 30_000 : -1,
      subscribedTopicNames: isChange ? this.#someTopics() : null,
      subscribedTopicRegex: isChange ? this.#oneOf(['', '[ab]', 'c|a']) : null,
      serverAssignor: null,
      topicPartitions: isJoin || this.random.float() < 0.6 ? [] : null,
    }
    const client = { clientId: 'client', clientHost: '/127.0.0.1' }
    return this.#run(() => this.live.consumer.heartbeat(client, request, 1))
  }

  #classic(): void {
    const member = this.classics.length === 0 ? undefined : this.#oneOf(this.classics)
    const chance = this.random.float()
    if (member === undefined || chance < 0.5)
      this.#join(this.random.float() < 0.5 ? member : undefined)
    else if (chance < 0.85) this.#sync(member)
    else this.#leave(member)
  }

  #join(known: Member | undefined): void {
    const isStatic = this.random.float() < 0.4
    const member = known ?? {
      groupId: this.#oneOf(GROUPS),
      memberId: '',
      epoch: -1,
      instanceId: isStatic ? `c${this.#below(2)}` : null,
    }
    const metadata = serializeSubscription({ topics: this.#someTopics(), ownedPartitions: [] })
    const request = {
      groupId: member.groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata }],
      reason: null,
    }
    const client = { clientId: 'classic', clientHost: '/127.0.0.1' }
    this.#run(() => this.live.join({ client, request, version: 3 })).then(
      ({ memberId, generationId }) => {
        member.memberId = memberId
        member.epoch = generationId
        if (memberId !== '' && !this.classics.includes(member)) this.classics.push(member)
      },
      noticed,
    )
  }

  #sync(member: Member): void {
    const { groupId, memberId, epoch: generationId, instanceId: groupInstanceId } = member
    const group = this.live.group(groupId)
    const members = group instanceof ClassicGroup ? [...group.members.keys()] : []
    const assignments = members.map((id) => ({ memberId: id, assignment: new Uint8Array(0) }))
    const said = { protocolType: null, protocolName: null, assignments }
    const request = { groupId, generationId, memberId, groupInstanceId, ...said }
    this.#run(() => this.live.sync(request)).catch(noticed)
  }

  #leave(member: Member): void {
    this.classics.splice(this.classics.indexOf(member), 1)
    const { groupId, memberId, instanceId: groupInstanceId } = member
    const request = {
      groupId,
      memberId: '',
      members: [{ memberId, groupInstanceId, reason: null }],
    }
    this.#run(() => this.live.leave(request)).catch(noticed)
  }

  async #offsets(): Promise<void> {
    const { offsets } = this.live
    const groupId = this.#oneOf(GROUPS)
    const topic = this.image.topic(this.#oneOf(TOPICS))
    if (topic === undefined) return
    const at = { topic: topic.name, topicId: topic.id }
    if (this.random.float() < 0.2) {
      const topics = [{ ...at, partitions: [0, 1] }]
      await this.#run(() => offsets.delete({ groupId, topics }))
      return
    }
    const partitions = [0, 1].map((partition) => ({
      partition,
      offset: this.#below(100),
      leaderEpoch: this.#below(3) - 1,
      metadata: this.#oneOf(['', 'x']),
    }))
    const member = this.#oneOf([...this.consumers, ...this.classics, undefined])
    const who = member
      ? { memberId: member.memberId, generationIdOrMemberEpoch: member.epoch }
      : { memberId: '', generationIdOrMemberEpoch: -1 }
    const client = { ...who, groupInstanceId: member?.instanceId ?? null, version: 9 }
    const retentionTimeMs = this.#oneOf([-1, -1, 30_000])
    const topics = [{ ...at, partitions }]
    const of = member?.groupId ?? groupId
    await this.#run(() => offsets.commit({ groupId: of, client, retentionTimeMs, topics }))
  }

  async #delete(): Promise<void> {
    const groupId = this.#oneOf(GROUPS)
    await this.#run(() => this.live.offsets.deletion(groupId))
  }

  #transaction(): void {
    const producerId = this.#below(3)
    if (this.random.float() < 0.4) {
      const isCommitted = this.random.float() < 0.5
      this.log.push({ ended: producerId, isCommitted })
      this.live.endTransaction(producerId, isCommitted)
      return
    }
    const topic = this.image.topic(this.#oneOf(TOPICS))
    if (topic === undefined) return
    const value = {
      offset: this.#below(100),
      leaderEpoch: 0,
      metadata: '',
      commitTimestamp: this.clock.now(),
      expireTimestamp: -1,
      topicId: topic.id,
    }
    const key = { group: this.#oneOf(GROUPS), topic: topic.name, partition: 0 }
    this.#append({ type: 'OffsetCommit', key, value }, producerId)
  }

  /** A Kafka's groups of other kinds, under names of their own. */
  #foreign(): void {
    const groupId = this.#oneOf(['s0', 's1'])
    const isGone = this.random.float() < 0.3
    const value = isGone ? null : { epoch: this.#below(9), metadataHash: 0 }
    this.#append({ type: 'ShareGroupMetadata', key: { groupId }, value })
  }

  #topics(): void {
    const name = this.#oneOf(TOPICS)
    const topic = this.image.topic(name)
    if (topic === undefined) {
      this.#topic(name)
      return
    }
    this.#change({ type: 'RemoveTopicRecord', version: 0, data: { topicId: topic.id } })
    this.live.offsets.removeTopics([{ name, id: topic.id }])
  }

  #topic(name: string): void {
    const topicId = uuidFromBytes(new Uint8Array(16).fill(1 + this.#made++))
    this.#change(
      { type: 'TopicRecord', version: 0, data: { name, topicId } },
      ...[0, 1].map((partition) => partitionRecord(topicId, partition)),
    )
  }

  #change(...records: MetadataRecord[]): void {
    const previous = this.image
    const builder = new ImageBuilder(previous)
    for (const record of records) builder.apply(record)
    this.image = builder.build({ offset: previous.offset + 1, epoch: 1 })
    const delta = deltaOf(previous, this.image, builder.changed)
    this.configs.apply(delta)
    this.live.metadataChanged(delta, [])
  }

  #someTopics(): string[] {
    return TOPICS.filter(() => this.random.float() < 0.5)
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T
  }

  #below(limit: number): number {
    return Math.floor(this.random.float() * limit)
  }
}

/** What is left when all but the last record of each key has gone. */
function compacted(log: readonly Entry[]): Entry[] {
  const last = new Map<string, Entry>()
  for (const entry of log) if ('key' in entry) last.set(entry.key.join(), entry)
  return log.filter((entry) => !('key' in entry) || last.get(entry.key.join()) === entry)
}

interface How {
  readonly image: MetadataImage
  readonly withOrder: boolean
  readonly leftOut: ReadonlySet<string>
}

/** All that the log has to say of a shard. */
function stateOf(shard: GroupShard, { image, withOrder, leftOut }: How) {
  const client = {
    memberId: null,
    groupInstanceId: null,
    generationIdOrMemberEpoch: -1,
    version: 9,
  }
  const topics = Array.from(image.topics(), ({ name, id }) => ({
    topic: name,
    topicId: id,
    partitions: [0, 1],
  }))
  const offsets = GROUPS.map((groupId) => ({
    all: withOrder ? [...shard.offsets.offsetsOf(groupId)] : undefined,
    seen: shard.offsets.fetch({ groupId, client, topics, requireStable: true }).answer,
  }))
  const groups = [...shard.groups()]
    .filter(({ groupId }) => !leftOut.has(groupId))
    .map((group) => groupState(group, withOrder))
    .sort((left, right) => (left.groupId < right.groupId ? -1 : 1))
  return { size: shard.offsets.size, offsets, groups }
}

/** Classic groups that nothing in the log but their offsets makes groups, or that are between two generations. */
function unlogged(shard: GroupShard): ReadonlySet<string> {
  const all = [...shard.groups()].filter((group) => group instanceof ClassicGroup)
  const some = all.filter(
    (group) => group.protocolType === '' || !group.isInState('Stable', 'Empty'),
  )
  return new Set(some.map(({ groupId }) => groupId))
}

function groupState(group: Group, withOrder: boolean) {
  const { groupId, type } = group
  if (group instanceof ConsumerGroup) return { groupId, type, ...consumerState(group, withOrder) }
  return { groupId, type }
}

function consumerState(group: ConsumerGroup, withOrder: boolean) {
  const { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, state } = group
  return {
    numbers: { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, state },
    members: group.members,
    order: withOrder ? [...group.members.keys(), ...group.resolvedRegexes.keys()] : [],
    targets: new Map(Array.from(group.members.keys(), (id) => [id, group.target(id)])),
    staticMembers: group.staticMembers,
    regexes: group.resolvedRegexes,
    counts: TOPICS.map((name) => group.topics.of(name)),
    subscribers: [...group.regexes.names()].map((name) => [name, group.regexes.of(name)]).sort(),
    classic: group.classicMemberCount,
  }
}

/** A classic group between two generations has more to it than the log; in others nothing may differ. */
function expectSameClassic(live: Group | undefined, loaded: Group | undefined): void {
  if (!(live instanceof ClassicGroup) || !(loaded instanceof ClassicGroup)) return
  if (!live.isInState('Stable', 'Empty')) return
  const what = (group: ClassicGroup) => ({
    state: group.state,
    record: { ...group.record().value, currentStateTimestamp: 0 },
    subscribed: TOPICS.filter((topic) => group.isSubscribedTo(topic)),
    expiresFrom: group.offsetExpiration()?.baseTimestamp(5),
  })
  expect(what(loaded)).toEqual(what(live))
}

const noticed = (error: unknown) => {
  if (!(error instanceof KafkaError)) throw error
}

function partitionRecord(topicId: string, partitionId: number): MetadataRecord {
  const nodes = {
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    directories: [],
  }
  const epochs = { leader: 1, leaderRecoveryState: 0, leaderEpoch: 0, partitionEpoch: 0 }
  const elr = { eligibleLeaderReplicas: null, lastKnownElr: null }
  const data = { partitionId, topicId, ...nodes, ...epochs, ...elr }
  return { type: 'PartitionRecord', version: 2, data }
}

test.each(seedsToRun(3))(
  'GroupShard is after each step what a load makes of its log (seed %i)',
  async (seed) => {
    const world = new World(seed)
    for (let step = 0; step < STEPS; step++) {
      await world.step()
      const leftOut = unlogged(world.live)
      const all = { image: world.image, withOrder: true, leftOut }
      const loaded = world.loaded({ isCompacted: false })
      expect(stateOf(loaded, all), `step ${step}`).toEqual(stateOf(world.live, all))
      for (const groupId of GROUPS)
        if (!world.late.has(groupId))
          expectSameClassic(world.live.group(groupId), loaded.group(groupId))
      const isInTransactions = world.log.some(
        (entry) => 'ended' in entry || entry.producerId !== -1,
      )
      if (step % 10 > 0 || isInTransactions) continue
      const some = { image: world.image, withOrder: false, leftOut }
      const fromFew = world.loaded({ isCompacted: true })
      expect(stateOf(fromFew, some), `compacted at step ${step}`).toEqual(stateOf(world.live, some))
    }
  },
)
