// The runtime of coordinators: state machines over the partitions of one topic, for groups, transactions and share groups.
//
// A key lives in one partition, chosen by its hash; its state in the shard of that partition. A write is planned on the
// newest state, appended and applied in one go, and answered when it is committed: so no client sees what may yet be lost.
// Shards come and go with the leadership of their partitions, and load by replaying them.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import { type MetadataDelta, wholeDelta } from '../metadata/delta.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { Deadlines } from '../partitions/deadlines.ts'
import type { Partitions } from '../partitions/partitions.ts'
import { javaHash } from './java-hash.ts'
import { LoadTurns } from './load-turns.ts'
import type { Plan, Shard, ShardKind } from './shard.ts'
import { ShardRunner } from './shard-runner.ts'

/** What a coordinator is made of. */
export interface CoordinatorParts<Record, S extends Shard<Record>> {
  readonly topic: string
  readonly nodeId: number
  readonly partitions: Pick<Partitions, 'find' | 'isPending' | 'settled'>
  readonly clock: Clock
  image(): MetadataImage
  /** Asked whenever a shard is loaded. Rejecting counts as a failure to load it, which is tried again. */
  loadKind(): Promise<ShardKind<Record, S>>
  /** Whether an answer waits until its records are on disk. */
  needsDisk(): boolean
  /** Kafka's number of the codec that batches are written with. */
  compression(): number
  /** Told what failed where nobody waits for it: a shard that can't be loaded. */
  readonly onProblem: (error: unknown) => void
}

/** All shards of one coordinator that are led here. */
export class Coordinators<Record, S extends Shard<Record>> {
  readonly #parts: CoordinatorParts<Record, S>
  readonly #deadlines: Deadlines
  readonly #turns: LoadTurns
  readonly #runners = new Map<number, ShardRunner<Record, S>>()
  #isClosed = false

  /** Begins to load what the image gives to this broker. */
  constructor(parts: CoordinatorParts<Record, S>) {
    this.#parts = parts
    this.#deadlines = new Deadlines(parts.clock)
    this.#turns = new LoadTurns(parts.clock)
    this.apply(wholeDelta(parts.image()))
  }

  /** The partition that the key lives in. Throws NOT_COORDINATOR while the topic does not exist, as Kafka does. */
  partitionOf(key: string): number {
    const { topic } = this.#parts
    const count = this.#parts.image().topic(topic)?.partitions.length ?? 0
    if (count > 0) return partitionOfHash(javaHash(key), count)
    throw new KafkaError('NOT_COORDINATOR', `Topic ${topic} does not exist yet`)
  }

  /**
   * Writes what `plan` makes of the key's shard. Rejects with what the plan threw, and with NOT_COORDINATOR,
   * COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE or UNKNOWN_SERVER_ERROR (too large for one batch).
   */
  async write<Answer>(key: string, plan: (shard: S) => Plan<Record, Answer>): Promise<Answer> {
    return await this.#runnerOf(key).write(plan)
  }

  /** What the key's shard answers, as soon as that is committed. Rejects as `write` does. */
  async read<Answer>(key: string, query: (shard: S) => Answer): Promise<Answer> {
    return await this.#runnerOf(key).read(query)
  }

  /** The answers of all shards. Those that can't be loaded are left out; COORDINATOR_LOAD_IN_PROGRESS while one is loading. */
  async readAll<Answer>(query: (shard: S) => Answer): Promise<readonly Answer[]> {
    const available = [...this.#runners.values()].filter((runner) => runner.isAvailable)
    return await Promise.all(available.map((runner) => runner.read(query)))
  }

  /** The shards that are loaded. */
  *shards(): Generator<S> {
    for (const { shard } of this.#runners.values()) if (shard) yield shard
  }

  /** Takes over what the metadata gives to this broker and leaves what it takes away. After `Partitions.apply`. */
  apply(delta: MetadataDelta): void {
    if (this.#isClosed) return
    for (const { topic, partition, after } of delta.partitions) {
      if (topic !== this.#parts.topic) continue
      const isLed = after?.leader === this.#parts.nodeId
      const runner = this.#runners.get(partition)
      if (isLed && !runner)
        this.#runners.set(partition, new ShardRunner(this.#shardParts(), partition))
      if (isLed || !runner) continue
      this.#runners.delete(partition)
      runner.stop()
    }
  }

  /** Ends all shards: what was appended is committed and answered, what is parked is refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()))
    this.#runners.clear()
    this.#deadlines.clear()
  }

  #runnerOf(key: string): ShardRunner<Record, S> {
    const partition = this.partitionOf(key)
    const runner = this.#runners.get(partition)
    if (runner) return runner
    const detail = `This broker does not coordinate partition ${partition} of ${this.#parts.topic}`
    throw new KafkaError('NOT_COORDINATOR', detail)
  }

  #shardParts() {
    return { ...this.#parts, deadlines: this.#deadlines, turns: this.#turns }
  }
}

/** The partition of a key whose hash this is, as Kafka chooses it. */
function partitionOfHash(hash: number, count: number): number {
  // Java's abs leaves the least int32 as it is; Kafka makes a 0 of it.
  return hash === -2_147_483_648 ? 0 : Math.abs(hash) % count
}
