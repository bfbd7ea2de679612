// Random members of both protocols, liars among them, on a virtual clock: who owns what, at any time and in the end.
import { expect, test } from 'vitest'
import type { ConsumerMember } from '../../../../src/groups/consumer/consumer-member.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { seedsToRun } from '../../../simulation/seeds.ts'
import { ConsumerShard } from './consumer-shard.ts'
import { ClassicClient, ConsumerClient, type Subscription } from './model-clients.ts'

const STEPS = 400
const MOST_CLIENTS = 8
const NAMES = ['a', 'b', 'c', 'd']
/** Classic members may come, but a group does not become a classic one: that is `migration.test.ts`. */
const CONFIG = {
  'group.consumer.migration.policy': 'upgrade',
  'group.consumer.assignment.interval.ms': '500',
}

class Model {
  readonly random: SeededRandom
  readonly clients = new Set<ConsumerClient | ClassicClient>()
  shard = new ConsumerShard({ config: CONFIG })
  #made = 0
  #groupEpoch = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.shard.topic('a', 6)
    this.shard.topic('b', 3)
  }

  step(): void {
    const chance = this.random.float()
    if (chance < 0.08) this.#come()
    else if (chance < 0.11) this.#go()
    else if (chance < 0.13) this.#crash()
    else if (chance < 0.16) this.#wantElse()
    else if (chance < 0.18) this.shard.topic(this.#oneOf(NAMES), 1 + this.#below(8))
    else if (chance < 0.21) this.#lie()
    else if (chance < 0.23) this.#load()
    else if (chance < 0.45) this.shard.clock.advance(this.#below(3000))
    else this.#beat(this.random.float() < 0.05)
    this.check()
  }

  /** Nothing happens any more but what has to. */
  calmDown(): void {
    for (let at = 0; at < 60; at++) {
      this.shard.clock.advance(2000)
      for (const client of this.clients) {
        client.beat(this.shard, false)
        client.obey()
      }
      this.check()
    }
  }

  /** What holds at any time. */
  check(): void {
    const group = this.shard.anyGroup
    if (group === undefined) return
    const { members, groupEpoch, assignmentEpoch } = this.shard.group
    expect(groupEpoch).toBeGreaterThanOrEqual(this.#groupEpoch)
    this.#groupEpoch = groupEpoch
    expect(assignmentEpoch).toBeLessThanOrEqual(groupEpoch)
    const owners = new Map<string, string>()
    for (const member of members.values()) {
      expect(member.memberEpoch).toBeLessThanOrEqual(assignmentEpoch)
      for (const one of partitionsOf(member)) {
        expect([one, owners.get(one)]).toEqual([one, undefined])
        owners.set(one, member.memberId)
      }
    }
    for (const { memberId, owned } of this.clients) {
      const member = members.get(memberId)
      // Whoever has been put out, and does not know it yet, is a zombie; the broker gave its partitions away.
      if (member === undefined || (member.memberEpoch === 0 && owned.size > 0)) continue
      const ofMember = new Set(partitionsOf(member))
      expect(owned.difference(ofMember)).toEqual(new Set())
    }
  }

  /** What holds in the end: all that somebody wants is read by exactly one client. */
  checkCalm(): void {
    if (this.clients.size === 0) return
    expect(this.shard.group.state).toBe('Stable')
    const wanted = new Set<string>()
    for (const topic of this.shard.image.topics()) {
      const isWanted = [...this.clients].some(({ subscription }) => wants(subscription, topic.name))
      if (!isWanted) continue
      for (const { partition } of topic.partitions) wanted.add(`${topic.id}/${partition}`)
    }
    const read = [...this.clients].flatMap(({ owned }) => [...owned])
    expect(read.toSorted()).toEqual([...wanted].sort())
  }

  #come(): void {
    if (this.clients.size >= MOST_CLIENTS) return
    const hasGroup = this.shard.anyGroup?.isEmpty === false
    if (hasGroup && this.random.float() < 0.3) {
      this.clients.add(new ClassicClient({ ...this.#subscription(), regex: '' }))
      return
    }
    const instance = this.random.float() < 0.3 ? `i${this.#below(3)}` : null
    for (const other of this.clients) {
      if (other instanceof ConsumerClient && other.instanceId === instance && instance) return
    }
    this.clients.add(new ConsumerClient(`m${this.#made++}`, instance, this.#subscription()))
  }

  #go(): void {
    const client = this.#client()
    client?.leave(this.shard, this.random.float() < 0.5)
    if (client) this.clients.delete(client)
  }

  #crash(): void {
    const client = this.#client()
    if (client) this.clients.delete(client)
  }

  #wantElse(): void {
    const client = this.#client()
    if (client === undefined) return
    const isClassic = client instanceof ClassicClient
    client.subscription = { ...this.#subscription(), ...(isClassic && { regex: '' }) }
  }

  #beat(isLost: boolean): void {
    const client = this.#client()
    if (client === undefined) return
    // A classic client without a consumer group to come to would begin a group of its own.
    if (client instanceof ClassicClient && this.shard.anyGroup?.isEmpty !== false) return
    client.beat(this.shard, isLost)
    this.check()
    if (this.random.float() < 0.7) client.obey()
  }

  /** Says what is not so; nothing of that may do harm to others. */
  #lie(): void {
    const claimed = Array.from(this.shard.image.topics(), ({ id, partitions }) => ({
      topicId: id,
      partitions: partitions.map(({ partition }) => partition),
    }))
    const memberId = `liar${this.#below(3)}`
    const isIn = this.shard.anyGroup !== undefined && this.shard.group.members.has(memberId)
    const memberEpoch = this.#below(this.#groupEpoch + 3) - 1
    try {
      this.shard.heartbeat({
        memberId,
        memberEpoch,
        rebalanceTimeoutMs: memberEpoch === 0 || isIn ? 1000 : -1,
        subscribedTopicNames: this.random.float() < 0.5 ? ['a', 'b'] : null,
        topicPartitions: memberEpoch === 0 ? [] : claimed,
      })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
  }

  /** The broker starts again: what it knows is the same, and it goes on. */
  #load(): void {
    const loaded = this.shard.reloaded(CONFIG)
    if (this.shard.anyGroup !== undefined) {
      expect(stateOf(loaded)).toEqual(stateOf(this.shard))
    }
    this.shard = loaded
  }

  #subscription(): Subscription {
    const topics = NAMES.filter(() => this.random.float() < 0.4)
    return this.random.float() < 0.2 ? { topics: [], regex: '[a-c]' } : { topics, regex: '' }
  }

  #client(): ConsumerClient | ClassicClient | undefined {
    return [...this.clients][this.#below(this.clients.size)]
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T
  }

  #below(limit: number): number {
    return Math.floor(this.random.float() * limit)
  }
}

function wants({ topics, regex }: Subscription, name: string): boolean {
  return topics.includes(name) || (regex !== '' && new RegExp(`^(${regex})$`).test(name))
}

function partitionsOf({ assigned, pendingRevocation }: ConsumerMember): string[] {
  return [...assigned, ...pendingRevocation].flatMap(([topicId, epochs]) =>
    [...epochs.keys()].map((partition) => `${topicId}/${partition}`),
  )
}

function stateOf({ group, image }: ConsumerShard): unknown {
  const { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp } = group
  const topics = Array.from(image.topics())
  return {
    numbers: { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp },
    members: group.members,
    order: [...group.members.keys()],
    targets: Array.from(group.members.keys(), (memberId) => group.target(memberId)),
    staticMembers: group.staticMembers,
    regexes: group.resolvedRegexes,
    counts: topics.map(({ name }) => [name, group.topics.of(name)]),
    owned: topics.flatMap(({ id, partitions }) =>
      partitions.map(({ partition }) => group.isOwned(id, partition)),
    ),
    classic: group.classicMemberCount,
    state: group.state,
  }
}

test.each(seedsToRun(6))(
  'ConsumerGroups give each partition to one member at a time, and all of them in the end (seed %i)',
  (seed) => {
    const model = new Model(seed)
    for (let at = 0; at < STEPS; at++) model.step()
    model.calmDown()
    model.checkCalm()
  },
)
