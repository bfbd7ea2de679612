// The smallest coordinator that shows the runtime: texts by key, on a simulated disk that can be slow, fail and crash.
import { BrokerConfig } from '#src/config/broker-config.ts'
import { Coordinators } from '#src/coordinators/coordinators.ts'
import type { Plan, RecordCodec, RecordPlace, Shard, ShardHost } from '#src/coordinators/shard.ts'
import { wholeDelta } from '#src/metadata/delta.ts'
import { type Engine, startEngine } from '#src/partitions/engine.ts'
import { KafkaError } from '#storage/base/errors.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'

/** The topic that the toys are kept in. */
export const TOPIC = '__toys'

/** Sets a key to a text, or removes it. */
export interface ToyRecord {
  readonly key: string
  readonly value: string | null
}

/** Keys that begin with `?` are of a type that nobody knows. */
const toyCodec: RecordCodec<ToyRecord> = {
  encode: ({ key, value }) => ({ key: bytes(key), value: value === null ? null : bytes(value) }),
  decode(key, value) {
    const name = text(key)
    if (name.startsWith('?')) return undefined
    return { key: name, value: value === null ? null : text(value) }
  },
}

/** Keeps what it was told; a record of a transaction counts from its end on. */
export class ToyShard implements Shard<ToyRecord> {
  readonly host: ShardHost<ToyRecord>
  readonly texts = new Map<string, string>()
  readonly pending: { readonly producerId: Int64; readonly record: ToyRecord }[] = []
  readonly offsets: number[] = []
  isLoaded = false
  unloadedWith: KafkaError | undefined
  readonly parked: ((error: KafkaError) => void)[] = []

  constructor(host: ShardHost<ToyRecord>) {
    this.host = host
  }

  replay(record: ToyRecord, { offset, producerId }: RecordPlace): void {
    if (record.value === 'bug') throw new TypeError('A bug in replay')
    this.offsets.push(offset)
    if (producerId === -1) this.#apply(record)
    else this.pending.push({ producerId, record })
  }

  endTransaction(producerId: Int64, isCommitted: boolean): void {
    for (const entry of this.pending.filter((candidate) => candidate.producerId === producerId)) {
      if (isCommitted) this.#apply(entry.record)
      this.pending.splice(this.pending.indexOf(entry), 1)
    }
  }

  loaded(): void {
    this.isLoaded = true
    if (this.texts.get('bug in loaded') !== undefined) throw new TypeError('A bug in loaded')
  }

  unloaded(reason: KafkaError): void {
    this.unloadedWith = reason
    for (const refuse of this.parked.splice(0)) refuse(reason)
  }

  #apply({ key, value }: ToyRecord): void {
    if (value === null) this.texts.delete(key)
    else this.texts.set(key, value)
  }
}

/** An engine and the coordinator on it. */
export class ToyWorld {
  readonly clock = new VirtualClock()
  readonly problems: string[] = []
  readonly shards: ToyShard[] = []
  disk: SimulatedDisk
  engine!: Engine
  coordinators!: Coordinators<ToyRecord, ToyShard>
  needsDisk = true
  /** While set, what shards are made with can't be loaded. */
  isKindMissing = false
  /** While set, it is not there before this is. */
  kindAwaits: Promise<void> | undefined
  /** While set, work off the loop waits in `works`. */
  isSlow = false
  works: (() => void)[] = []
  readonly #paths: readonly string[]

  constructor(seed = 1, paths: readonly string[] = ['/a']) {
    this.disk = new SimulatedDisk({ seed, schedule: (work) => this.#later(work) })
    for (const path of paths) this.disk.makeDirectory(path)
    this.disk.syncDirectoryNow('/')
    this.#paths = paths
  }

  readonly #newShard = (host: ShardHost<ToyRecord>) => {
    const shard = new ToyShard(host)
    this.shards.push(shard)
    return shard
  }

  async start(): Promise<void> {
    const engine = await startEngine({
      config: BrokerConfig.load({ flags: {} }),
      logDirs: this.#paths,
      endpoints: [],
      files: this.disk,
      clock: this.clock,
      random: new SeededRandom(7),
      onOffline: ({ path }) => this.problems.push(path),
      onProblem: (error) => this.problems.push(String(error)),
    })
    this.engine = engine
    const { provider, partitions } = engine
    this.coordinators = new Coordinators<ToyRecord, ToyShard>({
      topic: TOPIC,
      nodeId: engine.nodeId,
      partitions,
      clock: this.clock,
      image: () => provider.image,
      loadKind: async () => {
        await this.kindAwaits
        if (this.isKindMissing) throw new Error('No such module')
        return { recordCodec: toyCodec, newShard: this.#newShard }
      },
      needsDisk: () => this.needsDisk,
      compression: () => 0,
      onProblem: (error) => this.problems.push(causes(error)),
    })
    provider.onDelta((delta) => {
      partitions.apply(delta)
      this.coordinators.apply(delta)
    })
  }

  /** Started, with the topic and its shards. */
  static async of(partitionCount = 2, paths?: readonly string[]): Promise<ToyWorld> {
    const world = new ToyWorld(1, paths)
    await world.start()
    await world.create(partitionCount)
    return world
  }

  async create(
    partitionCount: number,
    configs: readonly (readonly [string, string])[] = [],
  ): Promise<void> {
    const [result] = await this.engine.provider.submit({
      kind: 'createTopics',
      topics: [{ name: TOPIC, partitionCount, configs: new Map(configs) }],
    })
    if (result?.error) throw result.error
    await this.engine.partitions.settled()
    await settle()
  }

  /** None of the shards is led here any more; their logs stay. */
  leave(): void {
    const delta = wholeDelta(this.engine.provider.image)
    const partitions = delta.partitions.map((led) => ({ ...led, after: undefined }))
    this.coordinators.apply({ ...delta, partitions })
  }

  async remove(): Promise<void> {
    await this.engine.provider.submit({ kind: 'deleteTopics', topics: [{ name: TOPIC }] })
  }

  /** Clean, and started again. */
  async restart(): Promise<void> {
    await this.coordinators.close()
    await this.engine.stop()
    await this.start()
    await settle()
  }

  /** What is left after a power loss, started again. */
  async crash(seed: number): Promise<void> {
    this.disk = this.disk.afterCrash(seed)
    this.works = []
    this.isSlow = false
    await this.start()
    await settle()
  }

  set(key: string, value: string | null): Promise<string> {
    return this.write(key, () => ({ records: [{ key, value }], answer: `${key}=${value}` }))
  }

  write<A>(key: string, plan: (shard: ToyShard) => Plan<ToyRecord, A>): Promise<A> {
    return handled(this.coordinators.write(key, plan))
  }

  get(key: string): Promise<string | undefined> {
    return handled(this.coordinators.read(key, (shard) => shard.texts.get(key)))
  }

  /** Lets the disk do what waits. */
  async finishWorks(): Promise<void> {
    while (this.works.length > 0) {
      for (const work of this.works.splice(0)) work()
      await settle()
    }
  }

  partition(index = 0) {
    return this.engine.partitions.get({ topic: TOPIC, partition: index })
  }

  #later(work: () => void): void {
    if (this.isSlow) this.works.push(work)
    else work()
  }
}

/** The code that a call is refused with, `'answered'` when it is not, `'waiting'` when neither has happened yet. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  const outcome = call.then(
    () => 'answered',
    (error: unknown) => (error instanceof KafkaError ? error.code : String(error)),
  )
  return await Promise.race([outcome, settle().then(() => 'waiting')])
}

/** A call may fail before the test looks at it. */
function handled<T>(call: Promise<T>): Promise<T> {
  call.catch(() => undefined)
  return call
}

function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${causes(error.cause)}`
}

const bytes = (value: string) => new TextEncoder().encode(value)
const text = (value: Uint8Array) => new TextDecoder().decode(value)
