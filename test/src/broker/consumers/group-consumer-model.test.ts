// Consumers that come, read, acknowledge and go at random: nothing is lost, and nothing comes twice without a reason.
import { expect, test } from 'vitest'
import type { GroupConsumer } from '#src/broker/consumers/group-consumer.ts'
import type { StoredRecord } from '#src/broker/reading.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { Scene } from './scene.ts'

const PARTITIONS = 5
const STEPS = 60

interface Reader {
  readonly consumer: GroupConsumer
  readonly acknowledges: boolean
  /** What it was given and has not acknowledged. */
  inHand: StoredRecord[]
}

/** A group on a broker, and what was read in it. */
class Model {
  readonly scene: Scene
  readonly random: SeededRandom
  readonly readers: Reader[] = []
  readonly seen: string[] = []
  produced = 0

  constructor(scene: Scene, seed: number) {
    this.scene = scene
    this.random = new SeededRandom(seed)
  }

  pick(count: number): number {
    return Math.floor(this.random.float() * count)
  }

  async join(): Promise<void> {
    const acknowledges = this.random.float() < 0.5
    const consumer = this.scene.consumer({
      settledBy: acknowledges ? 'acknowledgement' : 'poll',
      autoCommitIntervalMs: 1_000,
    })
    this.readers.push({ consumer, acknowledges, inHand: [] })
    await this.scene.during(consumer.subscribe({ topics: ['events'], pattern: null }))
  }

  async read(reader: Reader): Promise<void> {
    const limits = { maxBytes: 1e6, maxRecords: 1 + this.pick(10), waitMs: this.pick(2) * 300 }
    const records = await this.scene.during(reader.consumer.poll(limits))
    for (const { partition, offset } of records) this.seen.push(`${partition}-${offset}`)
    reader.inHand.push(...records)
    if (this.random.float() < 0.8) this.acknowledge(reader)
  }

  acknowledge(reader: Reader): void {
    if (!reader.acknowledges) return
    for (const { topic, partition, offset } of reader.inHand) {
      reader.consumer.acknowledge({ topic, partition }, offset + 1)
    }
    reader.inHand = []
  }

  async leave(reader: Reader): Promise<void> {
    this.readers.splice(this.readers.indexOf(reader), 1)
    this.acknowledge(reader)
    await this.scene.during(reader.consumer.close())
  }

  async produce(): Promise<void> {
    const count = 1 + this.pick(20)
    this.produced += count
    const records = Array.from({ length: count }, () => ({
      value: 'x',
      partition: this.pick(PARTITIONS),
    }))
    await this.scene.during(this.scene.running.produce('events', records))
  }

  async step(): Promise<void> {
    const chance = this.random.float()
    const reader = this.readers[this.pick(this.readers.length)]
    if (chance < 0.1 && this.readers.length < 5) await this.join()
    else if (chance < 0.15 && reader && this.readers.length > 1) await this.leave(reader)
    else if (chance < 0.4) await this.produce()
    else if (chance < 0.5) await this.scene.pass(this.pick(1_500))
    else if (reader) await this.read(reader)
  }

  /** Everybody reads until nothing has come for a while. */
  async drain(): Promise<void> {
    for (let quiet = 0; quiet < 12; quiet++) {
      const before = this.seen.length
      for (const reader of this.readers) {
        await this.read(reader)
        this.acknowledge(reader)
      }
      await this.scene.pass(1_000)
      if (this.seen.length > before) quiet = 0
    }
  }
}

async function withModel(seed: number, run: (model: Model) => Promise<void>): Promise<void> {
  const scene = await Scene.start()
  try {
    await scene.topic('events', PARTITIONS)
    const model = new Model(scene, seed)
    await model.join()
    await run(model)
  } finally {
    await scene.stop()
  }
}

const SEEDS = Array.from({ length: 12 }, (_, seed) => seed + 1)

test.each(SEEDS)(
  'Consumers that come and go in order get every record once, seed %i',
  async (seed) => {
    await withModel(seed, async (model) => {
      for (let step = 0; step < STEPS; step++) await model.step()
      await model.drain()
      expect(new Set(model.seen).size, `seed ${seed}`).toBe(model.seen.length)
      expect(model.seen.length, `seed ${seed}`).toBe(model.produced)
    })
  },
)

test.each(SEEDS)(
  'Consumers that are lost, or forgotten by their group, lose no record, seed %i',
  async (seed) => {
    await withModel(seed, async (model) => {
      const { scene } = model
      for (let step = 0; step < STEPS; step++) {
        await model.step()
        const reader = model.readers[model.pick(model.readers.length)]
        const chance = model.random.float()
        if (reader && chance < 0.05 && model.readers.length > 1) {
          model.readers.splice(model.readers.indexOf(reader), 1)
          await scene.during(reader.consumer.close({ isLost: true }))
        } else if (reader && chance < 0.1) {
          // Unless it has been forgotten a moment ago.
          await scene.forget(reader.consumer).catch(() => undefined)
        }
      }
      await model.drain()
      expect(new Set(model.seen).size, `seed ${seed}`).toBe(model.produced)
    })
  },
)
