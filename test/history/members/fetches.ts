// Fetch requests of @platformatic/kafka, one for all partitions that are read.
import type { Consumer } from '@platformatic/kafka'
import type { SeenRecord } from '../history.ts'

/** What a fetch found in one partition. */
export interface FetchedPartition {
  readonly partition: number
  readonly records: readonly SeenRecord[]
  readonly highWatermark: number
}

/** Reads one topic. */
export class Fetches {
  readonly #consumer: Consumer
  readonly #topic: string

  constructor(consumer: Consumer, topic: string) {
    this.#consumer = consumer
    this.#topic = topic
  }

  /** Reads from each position; records below it, which share a batch with one that was asked for, are left out. */
  async fetch(positions: ReadonlyMap<number, number>): Promise<FetchedPartition[]> {
    const metadata = await this.#consumer.metadata({ topics: [this.#topic] })
    const topic = metadata.topics.get(this.#topic)
    if (topic === undefined) throw new Error(`No topic ${this.#topic}`)
    const answer = await this.#consumer.fetch({
      node: topic.partitions[0]?.leader ?? 1,
      maxWaitTime: 200,
      minBytes: 1,
      maxBytes: 1 << 20,
      topics: [
        {
          topicId: topic.id,
          partitions: [...positions].map(([partition, offset]) => ({
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: BigInt(offset),
            lastFetchedEpoch: -1,
            partitionMaxBytes: 1 << 18,
          })),
        },
      ],
    })
    return answer.responses.flatMap(({ partitions }) =>
      partitions.flatMap(({ partitionIndex, records: found, highWatermark }) => {
        const from = positions.get(partitionIndex)
        if (from === undefined) return []
        const records = (found ?? [])
          .flatMap((batch) =>
            batch.records.map((record): SeenRecord => {
              const offset = Number(batch.firstOffset) + record.offsetDelta
              return [offset, new TextDecoder().decode(record.value ?? undefined)]
            }),
          )
          .filter(([offset]) => offset >= from)
        return [{ partition: partitionIndex, records, highWatermark: Number(highWatermark) }]
      }),
    )
  }
}
