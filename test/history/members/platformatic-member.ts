// Consumers of @platformatic/kafka, which write their history. The argument is a plan.
// Its group membership and its requests are used, and not its stream: that gives out what it had read before a
// rebalance after it, so that nobody can say what was read by whom as an owner.
import { Consumer } from '@platformatic/kafka'
import { HistoryWriter } from '../history.ts'
import { Fetches } from './fetches.ts'
import { Commits, ending, onEnd, type PlannedMember, plan, sleep } from './plan.ts'

const { bootstrap, topic, group, directory } = plan

async function consume({ name, instance }: PlannedMember): Promise<void> {
  const history = new HistoryWriter(directory, name)
  const consumer = new Consumer({
    clientId: name,
    bootstrapBrokers: [bootstrap],
    groupId: group,
    ...(instance === undefined ? {} : { groupInstanceId: instance }),
    sessionTimeout: plan.sessionTimeoutMs,
    rebalanceTimeout: plan.sessionTimeoutMs * 2,
    heartbeatInterval: 500,
    protocols: [{ name: 'roundrobin', version: 0 }],
    timeout: 10_000,
    connectTimeout: 2000,
    // With retries it would commit again after a rebalance, in the new generation, what it was given in the old one.
    retries: 0,
  })
  consumer.on('error', () => undefined)
  history.write({ op: 'start', group, ...(instance === undefined ? {} : { instance }) })
  consumer.topics.track(topic)
  const member = new Member(consumer, history)
  while (!ending.isAsked) {
    await member.step().catch(() => sleep(200))
  }
  // A static member stays in the group: whoever comes back in its name goes on.
  await consumer.close(true).catch(() => undefined)
  history.write({ op: 'close' })
}

/** Where one consumer is. */
class Member {
  readonly #consumer: Consumer
  readonly #history: HistoryWriter
  readonly #commits: Commits
  readonly #fetches: Fetches
  #generation = -1
  readonly #positions = new Map<number, number>()
  readonly #uncommitted = new Map<number, number>()

  constructor(consumer: Consumer, history: HistoryWriter) {
    this.#consumer = consumer
    this.#history = history
    this.#commits = new Commits(history)
    this.#fetches = new Fetches(consumer, topic)
  }

  /** Joins, begins, or reads on: whatever is next. */
  async step(): Promise<void> {
    const consumer = this.#consumer
    if (!consumer.isActive()) {
      await consumer.joinGroup({})
      return
    }
    const generation = consumer.generationId
    if (generation !== this.#generation) await this.#begin(generation)
    if (this.#positions.size === 0) await sleep(100)
    else await this.#read(generation)
    if (this.#uncommitted.size > 0 && this.#commits.isDue) await this.#commit(generation)
  }

  async #begin(generation: number): Promise<void> {
    const assignments = this.#consumer.assignments ?? []
    const partitions = assignments.flatMap((assignment) => assignment.partitions)
    this.#history.write({ op: 'revoke', partitions: [...this.#positions.keys()] })
    this.#positions.clear()
    this.#uncommitted.clear()
    this.#generation = generation
    this.#history.write({ op: 'assign', partitions, generation })
    if (partitions.length === 0) return
    try {
      const found = await this.#consumer.listCommittedOffsets({ topics: [{ topic, partitions }] })
      const offsets = found.get(topic) ?? []
      for (const partition of partitions) {
        const offset = Math.max(0, Number(offsets[partition]))
        this.#history.write({ op: 'position', partition, offset })
        this.#positions.set(partition, offset)
      }
    } catch (error) {
      this.#generation = -1
      throw error
    }
  }

  async #read(generation: number): Promise<void> {
    const fetched = await this.#fetches.fetch(this.#positions)
    // What was asked for as the owner of another time is thrown away.
    if (this.#consumer.generationId !== generation) return
    for (const { partition, records } of fetched) {
      const last = records.at(-1)
      if (last === undefined) continue
      this.#history.write({ op: 'poll', partition, records })
      this.#positions.set(partition, last[0] + 1)
      this.#uncommitted.set(partition, last[0] + 1)
    }
  }

  async #commit(generation: number): Promise<void> {
    if (this.#consumer.generationId !== generation) return
    const positions = [...this.#uncommitted]
    this.#uncommitted.clear()
    await this.#commits.run(positions, () =>
      this.#consumer.commit({
        offsets: positions.map(([partition, offset]) => ({
          topic,
          partition,
          offset: BigInt(offset),
          leaderEpoch: -1,
        })),
      }),
    )
  }
}

const consumers = plan.members.map(consume)
onEnd(() => Promise.all(consumers))
