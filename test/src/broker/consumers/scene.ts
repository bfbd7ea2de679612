// A broker on a simulated disk and a virtual clock, and consumers inside it.
import { ANONYMOUS } from '#src/access/session.ts'
import type { ConsumerOptions } from '#src/broker/consumers/consumer-options.ts'
import { NOTHING_NEW } from '#src/broker/consumers/group-calls.ts'
import type { GroupConsumer } from '#src/broker/consumers/group-consumer.ts'
import type { StoredRecord } from '#src/broker/reading.ts'
import { loadGroupShards } from '#src/groups/group-shards.ts'
import { type RunningBroker, startBroker } from '../../../../mod.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'

/** How consumers are where a test does not say otherwise. */
export const DEFAULTS: ConsumerOptions = {
  groupId: 'g',
  instanceId: null,
  autoOffsetReset: 'earliest',
  autoCommitIntervalMs: 5_000,
  settledBy: 'poll',
  isolation: 'read_uncommitted',
  rebalanceTimeoutMs: 60_000,
  handoverMs: 30_000,
}

/** One broker. Virtual time passes only in `during()` and `pass()`. */
export class Scene {
  readonly clock = new VirtualClock()
  readonly disk: SimulatedDisk
  readonly running: RunningBroker

  private constructor(disk: SimulatedDisk, clock: VirtualClock, running: RunningBroker) {
    this.disk = disk
    this.clock = clock
    this.running = running
  }

  static async start(disk = newDisk(), config: Record<string, string> = {}): Promise<Scene> {
    const clock = new VirtualClock()
    // Virtual time does not wait for modules.
    await loadGroupShards()
    const running = await startBroker({
      data: '/data',
      files: disk,
      clock,
      random: new SeededRandom(7),
      http: false,
      kafka: false,
      config: { 'offsets.topic.num.partitions': '2', ...config },
    })
    return new Scene(disk, clock, running)
  }

  get broker() {
    return this.running.broker
  }

  /** Lets time pass until the promise is settled, a minute and a half at most. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const done = () => {
      isSettled = true
    }
    promise.then(done, done)
    for (let ms = 0; !isSettled && ms < 90_000; ms += 10) await this.clock.run(10)
    if (!isSettled) throw new Error('Not settled after 90 s of virtual time')
    return await promise
  }

  pass(ms: number): Promise<void> {
    return this.clock.run(ms)
  }

  consumer(options: Partial<ConsumerOptions> = {}): GroupConsumer {
    return this.broker.groups.openConsumer(ANONYMOUS, { ...DEFAULTS, ...options })
  }

  /** A consumer that has joined and has been given what is its. */
  async joined(
    topics: readonly string[],
    options: Partial<ConsumerOptions> = {},
  ): Promise<GroupConsumer> {
    const consumer = this.consumer(options)
    const subscription = { topics, pattern: null }
    await this.during(consumer.subscribe(subscription, { patienceMs: 5_000 }))
    return consumer
  }

  async topic(name: string, partitionCount = 1): Promise<void> {
    await this.during(this.broker.createTopic(ANONYMOUS, { name, partitionCount }))
  }

  /** One record with each value. */
  async produce(topic: string, partition: number, ...values: string[]): Promise<void> {
    const records = values.map((value) => ({ value, partition }))
    await this.during(this.running.produce(topic, records))
  }

  /** The values of one poll. */
  async poll(
    consumer: GroupConsumer,
    { waitMs = 0, maxRecords = 100 }: { waitMs?: number; maxRecords?: number } = {},
  ): Promise<string[]> {
    const records = await this.during(consumer.poll({ maxBytes: 1e6, maxRecords, waitMs }))
    return valuesOf(records)
  }

  /** What the group has committed of the partitions `0…count − 1`, with -1 for nothing. */
  async committed(topic: string, count = 1, groupId = 'g'): Promise<number[]> {
    const partitions = Array.from({ length: count }, (_, partition) => partition)
    const onlooker = this.consumer({ groupId })
    const found = await this.during(
      onlooker.committed(partitions.map((partition) => ({ topic, partition }))),
    )
    await this.during(onlooker.close())
    return partitions.map((at) => found.find(({ partition }) => partition === at)?.offset ?? -1)
  }

  /** A member that lives outside joins the group, and is not heard of again. */
  async outsider(memberId: string, topics: string[], groupId = 'g'): Promise<void> {
    const join = {
      groupId,
      memberId,
      memberEpoch: 0,
      instanceId: null,
      ...NOTHING_NEW,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: topics,
      topicPartitions: [],
    }
    await this.during(this.broker.groups.consumerHeartbeat(ANONYMOUS, join, 1))
  }

  /** Has the group take the consumer for one that has left. */
  async forget({ memberId }: GroupConsumer, groupId = 'g'): Promise<void> {
    const leave = {
      groupId,
      memberId,
      memberEpoch: -1,
      instanceId: null,
      ...NOTHING_NEW,
    }
    await this.during(this.broker.groups.consumerHeartbeat(ANONYMOUS, leave, 1))
  }

  stop(): Promise<void> {
    return this.during(this.running.stop())
  }
}

/** The partitions of a consumer, sorted. */
export function held(consumer: GroupConsumer): string[] {
  return consumer
    .assignment()
    .map(({ topic, partition }) => `${topic}-${partition}`)
    .sort()
}

/** The values of records as texts. */
export function valuesOf(records: readonly StoredRecord[]): string[] {
  return records.map(({ value }) => (value === null ? '' : new TextDecoder().decode(value)))
}

function newDisk(): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  return disk
}
