// Random histories of commits, transactions, deletions, expiries and restarts, against a model that keeps every record.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GroupRecord } from '../../../../src/groups/group-record.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { ZERO_UUID } from '../../../../storage/base/uuid.ts'
import { imageOf, OffsetShard, TOOL, topicId } from './offset-fixture.ts'

const GROUPS = ['a', 'b']
const TOPICS = ['t', 'u']
const RETENTION_MS = 7 * 86_400_000
const CHECK_MS = 600_000

interface Write {
  readonly place: string
  readonly at: number
  readonly time: number
  readonly offset: number
  readonly expiresAt: number | undefined
}

/** What is committed by the latest of the writes that count; deletions take writes away. */
class Model {
  #writes: Write[] = []
  readonly #open = new Map<number, Write[]>()
  readonly #groups = new Set<string>()
  #count = 0

  commit(place: string, write: Pick<Write, 'time' | 'offset' | 'expiresAt'>, producer?: number) {
    const one = { place, at: this.#count++, ...write }
    this.#groups.add(groupOf(place))
    if (producer === undefined) this.#writes.push(one)
    else this.#open.set(producer, [...(this.#open.get(producer) ?? []), one])
  }

  end(producer: number, isCommitted: boolean) {
    if (isCommitted) this.#writes.push(...(this.#open.get(producer) ?? []))
    this.#open.delete(producer)
  }

  forget(isMeant: (place: string) => boolean) {
    this.#writes = this.#writes.filter(({ place }) => !isMeant(place))
    for (const [producer, writes] of this.#open) {
      this.#open.set(
        producer,
        writes.filter(({ place }) => !isMeant(place)),
      )
    }
  }

  deleteGroup(group: string) {
    this.forget((place) => groupOf(place) === group)
    this.#groups.delete(group)
  }

  expire(now: number) {
    for (const [place, { time, expiresAt = time + RETENTION_MS }] of this.#latest()) {
      if (now >= expiresAt && !this.pending().has(place)) this.forget((one) => one === place)
    }
    const used = new Set([...this.#latest().keys(), ...this.pending()].map(groupOf))
    for (const group of this.#groups) if (!used.has(group)) this.#groups.delete(group)
  }

  pending(): Set<string> {
    return new Set([...this.#open.values()].flat().map(({ place }) => place))
  }

  state() {
    const pending = [...this.pending()].sort()
    const offsets = Array.from(this.#latest(), ([place, { offset }]) => `${place}: ${offset}`)
    return { offsets: offsets.sort(), pending, groups: [...this.#groups].sort() }
  }

  #latest(): Map<string, Write> {
    return new Map(
      this.#writes.toSorted((left, right) => left.at - right.at).map((one) => [one.place, one]),
    )
  }
}

const groupOf = (place: string): string => place.split('/')[0] ?? ''

function stateOf(shard: OffsetShard) {
  const offsets: string[] = []
  const pending: string[] = []
  for (const groupId of GROUPS) {
    for (const { topic, partition, offset } of shard.offsets.offsetsOf(groupId)) {
      offsets.push(`${groupId}/${topic}/${partition}: ${offset}`)
    }
    const topics = TOPICS.map((topic) => ({ topic, topicId: ZERO_UUID, partitions: [0, 1] }))
    const plan = shard.offsets.fetch({ groupId, client: TOOL, topics, requireStable: true })
    for (const { topic, partitions } of shard.write(plan)) {
      for (const { partition, error } of partitions) {
        if (error) pending.push(`${groupId}/${topic}/${partition}`)
      }
    }
  }
  return {
    offsets: offsets.sort(),
    pending: pending.sort(),
    groups: [...shard.groups.keys()].sort(),
  }
}

const group = fc.constantFrom(...GROUPS)
const topic = fc.constantFrom(...TOPICS)
const partition = fc.nat(1)
const producer = fc.integer({ min: 1, max: 3 })
const offset = fc.nat(1000)

const pend = fc.record({ type: fc.constant('pend'), group, topic, partition, offset, producer })
const end = fc.record({ type: fc.constant('end'), producer, isCommitted: fc.boolean() })

const step = fc.oneof(
  fc.record({ type: fc.constant('commit'), group, topic, partition, offset }),
  fc.record({ type: fc.constant('commit until'), group, topic, partition, offset }),
  fc.record({ type: fc.constant('refused commit'), group, topic, partition, offset }),
  { weight: 4, arbitrary: pend },
  { weight: 2, arbitrary: end },
  fc.record({ type: fc.constant('delete'), group, topic, partition }),
  fc.record({ type: fc.constant('delete group'), group }),
  fc.record({ type: fc.constant('delete topic'), topic }),
  fc.record({ type: fc.constant('wait'), ms: fc.constantFrom(CHECK_MS, RETENTION_MS / 2) }),
  fc.record({ type: fc.constant('restart') }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A shard and its model, side by side. */
class Pair {
  readonly shard = new OffsetShard()
  readonly model = new Model()
  #topicIds = 2

  constructor() {
    this.shard.offsets.loaded()
  }

  async do(one: Step): Promise<void> {
    const { shard, model } = this
    if ('topic' in one && 'group' in one && 'partition' in one) this.#onPartition(one)
    else if ('isCommitted' in one) {
      model.end(one.producer, one.isCommitted)
      shard.end(one.producer, one.isCommitted)
    } else if ('ms' in one) {
      await this.#wait(one.ms)
    } else if ('group' in one) {
      this.#deleteGroup(one.group)
    } else if ('topic' in one) {
      await this.#deleteTopic(one.topic)
    } else {
      shard.offsets.unloaded()
      shard.load().loaded()
    }
  }

  #onPartition(one: Extract<Step, { partition: number }>): void {
    const { shard, model } = this
    const { group, topic, partition } = one
    const place = `${group}/${topic}/${partition}`
    const time = shard.clock.now()
    if (!('offset' in one)) {
      const topics = [{ topic, topicId: ZERO_UUID, partitions: [partition] }]
      if (!shard.groups.has(group)) return
      shard.write(shard.offsets.delete({ groupId: group, topics }))
      model.forget((other) => other === place)
      return
    }
    const { offset, type } = one
    if ('producer' in one) {
      model.commit(place, { time, offset, expiresAt: undefined }, one.producer)
      shard.append(
        pendingRecord(one, time, shard.image.topic(topic)?.id ?? ZERO_UUID),
        one.producer,
      )
    } else if (type === 'refused commit') {
      shard.refusal = new KafkaError('NOT_COORDINATOR', 'no')
      expect(() => shard.commit(group, topic, partition, offset)).toThrow('no')
      shard.refusal = undefined
    } else {
      const retentionTimeMs = type === 'commit until' ? CHECK_MS : -1
      const expiresAt = type === 'commit until' ? time + CHECK_MS : undefined
      model.commit(place, { time, offset, expiresAt })
      shard.commit(group, topic, partition, offset, { retentionTimeMs })
    }
  }

  async #wait(ms: number): Promise<void> {
    const { shard, model } = this
    // All that the shard does by itself meanwhile is to look for what has expired, at times of its own.
    shard.onOwnPlan = () => model.expire(shard.clock.now())
    await shard.clock.run(ms)
    shard.onOwnPlan = () => undefined
  }

  #deleteGroup(groupId: string): void {
    const { shard, model } = this
    if (!shard.groups.has(groupId)) {
      expect(() => shard.offsets.deletion(groupId)).toThrow('does not exist')
      return
    }
    shard.write(shard.offsets.deletion(groupId))
    model.deleteGroup(groupId)
  }

  async #deleteTopic(name: string): Promise<void> {
    const { shard, model } = this
    const id = shard.image.topic(name)?.id as string
    const others = [...shard.image.topics()].filter((one) => one.name !== name)
    const again = [name, topicId(this.#topicIds++)] as const
    shard.image = imageOf([...others.map((one) => [one.name, one.id] as const), again])
    shard.offsets.removeTopics([{ name, id }])
    await shard.clock.run(100)
    model.forget((place) => place.split('/')[1] === name)
  }
}

function pendingRecord(
  { group, topic, partition, offset }: Extract<Step, { producer: number; offset: number }>,
  commitTimestamp: number,
  id: string,
): GroupRecord {
  const value = { offset, leaderEpoch: -1, metadata: '', commitTimestamp, expireTimestamp: -1 }
  const key = { group, topic, partition }
  return { type: 'OffsetCommit', key, value: { ...value, topicId: id } }
}

test('OffsetManager agrees with a model over random histories, and is the same when it is loaded again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const pair = new Pair()
      for (const one of steps) {
        await pair.do(one)
        expect(stateOf(pair.shard)).toEqual(pair.model.state())
      }
      const before = stateOf(pair.shard)
      const counted = pair.shard.offsets.size
      pair.shard.load()
      expect(stateOf(pair.shard)).toEqual(before)
      expect(pair.shard.offsets.size).toBe(counted)
    }),
    { numRuns: 150 },
  )
})
