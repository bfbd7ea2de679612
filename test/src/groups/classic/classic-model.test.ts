// Random clients on a virtual clock: they come, go, crash, change their minds, and their coordinator moves.
import { expect, test } from 'vitest'
import { type GroupRecordOf, groupRecordCodec } from '../../../../src/groups/group-record.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { seedsToRun } from '../../../simulation/seeds.ts'
import { settle, VirtualClock } from '../../../simulation/virtual-clock.ts'
import { ClassicShard, type LogEntry } from './classic-shard.ts'
import { NaiveClient, REBALANCE_TIMEOUT_MS } from './naive-client.ts'

const PARTITIONS = 7
const STEPS = 80
/** Deadlines run up to 5 ms late, and a wait may begin in the middle of a step. */
const LATE_MS = 20

class Model {
  readonly random: SeededRandom
  readonly clock = new VirtualClock()
  shard: ClassicShard
  clients: NaiveClient[] = []
  /** Who was given a partition in a generation. */
  readonly #owners = new Map<string, string>()
  /** What was committed of each partition, and how far each client is since it was given its own. */
  readonly #committed = new Map<number, number>()
  readonly #read = new WeakMap<readonly number[], number>()
  #generationId = 0
  #checkedRecords = 0
  #names = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.shard = new ClassicShard({ clock: this.clock, random: this.random.fork() })
  }

  async step(): Promise<void> {
    this.#happen()
    await this.run(this.random.below(8_000))
  }

  /** Time passes, in which every client does what it has to. */
  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      for (const client of this.clients) client.step(this.shard, PARTITIONS)
      await settle()
      await this.clock.run(Math.min(left, 500))
      this.check()
    }
  }

  /** No more chance, and time for everybody to find their place. */
  async quiesce(): Promise<void> {
    await this.run(5 * REBALANCE_TIMEOUT_MS)
  }

  get alive(): readonly NaiveClient[] {
    return this.clients.filter((client) => !client.isGone)
  }

  /** What the log says of the group last. */
  get logged(): GroupRecordOf<'GroupMetadata'> | undefined {
    const last = this.shard.log.at(-1)
    const record = last && groupRecordCodec.decode(last.key, last.value)
    return record?.type === 'GroupMetadata' ? record : undefined
  }

  check(): void {
    const { groups } = this.shard
    if (!groups.has('g')) return
    const group = this.shard.group()
    expect(group.generationId).toBeGreaterThanOrEqual(this.#generationId)
    this.#generationId = group.generationId
    for (const client of this.clients) {
      const { owned = [] } = client
      if (!this.#read.has(owned)) {
        this.#read.set(owned, Math.max(0, ...owned.map((at) => this.#committed.get(at) ?? 0)))
      }
      for (const partition of owned) {
        const place = `${partition} in generation ${client.generationId}`
        const owner = this.#owners.get(place) ?? client.name
        this.#owners.set(place, owner)
        expect(`${place} is of ${client.name}`).toBe(`${place} is of ${owner}`)
      }
      if (!client.waiting?.asked.isOpen) continue
      const waitsMs = this.clock.monotonic() - client.waiting.sinceMs
      expect(waitsMs).toBeLessThanOrEqual(REBALANCE_TIMEOUT_MS + LATE_MS)
    }
    this.#checkLog()
  }

  /** What is logged is what a coordinator would load now; and a group at rest is what is logged. */
  #checkLog(): void {
    const { log } = this.shard
    const logged = this.logged?.value
    if (log.length !== this.#checkedRecords) {
      this.#checkedRecords = log.length
      expect(new ClassicShard({ log }).group().record().value).toEqual(logged)
    }
    const group = this.shard.group()
    if (!group.isInState('Stable', 'Empty') || !logged) return
    const now = group.record().value
    expect({ ...now, currentStateTimestamp: 0 }).toEqual({ ...logged, currentStateTimestamp: 0 })
  }

  #happen(): void {
    const { random, shard } = this
    const client = this.alive.length > 0 ? random.pick(this.alive) : undefined
    const chance = random.below(100)
    if (chance < 30 && this.alive.length < 8) this.#begin()
    else if (chance < 40) client?.leave(shard)
    else if (chance < 50 && client) this.#crash(client)
    else if (chance < 60) client?.resubscribe(random.pick(['topic', 'other', 'third']))
    else if (chance < 64) this.#move()
    else if (chance < 70 && client) {
      client.busyUntilMs = this.clock.monotonic() + random.below(2 * REBALANCE_TIMEOUT_MS)
    }
    // Whatever else happens, all read on.
    for (const one of this.alive) if (one.owned && random.chance(0.5)) this.#commit(one, one.owned)
  }

  /** Reads on from what was committed when it was given its partitions; who is let commit is never behind anybody. */
  #commit(
    { memberId, groupInstanceId, generationId }: NaiveClient,
    owned: readonly number[],
  ): void {
    const read = (this.#read.get(owned) ?? 0) + 1
    this.#read.set(owned, read)
    const client = {
      memberId,
      groupInstanceId,
      generationIdOrMemberEpoch: generationId,
      version: 9,
    }
    try {
      this.shard.group().validateCommit(client)
    } catch (error) {
      if (error instanceof KafkaError) return
      throw error
    }
    expect(generationId).toBe(this.shard.group().generationId)
    for (const partition of owned) {
      expect(read).toBeGreaterThan(this.#committed.get(partition) ?? 0)
      this.#committed.set(partition, read)
    }
  }

  #begin(): void {
    const name = `c${this.#names++}`
    const isStatic = this.random.chance(0.3)
    const version = isStatic ? this.random.pick([5, 8, 9]) : this.random.pick([0, 3, 4, 9])
    // v0 has no rebalance timeout of its own, and would wait only as long as a session.
    const groupInstanceId = isStatic ? name : null
    this.clients.push(new NaiveClient(name, { groupInstanceId, version: version || 1 }))
  }

  /** Never heard of again; but a static one may come back under its instance. */
  #crash(client: NaiveClient): void {
    client.isGone = true
    const { groupInstanceId } = client
    if (groupInstanceId === null || this.random.chance(0.3)) return
    this.clients.push(
      new NaiveClient(client.name, { groupInstanceId, version: this.random.pick([5, 8, 9]) }),
    )
  }

  /** The coordinator loads the log again; all that waits is refused. */
  #move(): void {
    const log: readonly LogEntry[] = this.shard.log
    this.shard.classic.unloaded(new KafkaError('NOT_COORDINATOR', 'It has moved'))
    this.shard = new ClassicShard({ clock: this.clock, random: this.random.fork(), log })
    // What was not in the log never was.
    this.#generationId = this.shard.groups.has('g') ? this.shard.group().generationId : 0
  }
}

test.each(seedsToRun(6))(
  'ClassicGroups deal each partition to one member of a generation, whatever happens (seed %i)',
  async (seed) => {
    const model = new Model(seed)
    for (let step = 0; step < STEPS; step++) await model.step()
    await model.quiesce()
    const { alive, shard } = model
    if (alive.length === 0) return
    expect(shard.group().state).toBe('Stable')
    expect(new Set(alive.map(({ generationId }) => generationId))).toEqual(
      new Set([shard.group().generationId]),
    )
    expect(alive.flatMap(({ owned }) => owned ?? []).sort()).toEqual(
      Array.from({ length: PARTITIONS }, (_, partition) => partition),
    )
    expect(shard.group().members.size).toBe(alive.length)
  },
)
