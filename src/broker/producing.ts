// Records in: which partition each one goes to, and when its producer is answered.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import { partitionForKey } from '../partitions/partitioner.ts'
import type { Partitions } from '../partitions/partitions.ts'
import { type RecordOutcome, writeRecords } from '../partitions/record-writer.ts'
import type { Acks, ProducedRecord, ProducedResult } from './broker.ts'
import { isInternalTopic } from './internal-topic-names.ts'
import { refusalOf } from './refusal.ts'

/** What producing needs of the broker. */
export interface ProducingParts {
  readonly partitions: Pick<Partitions, 'get'>
  readonly clock: Clock
  /** Whether acks=all waits for the disk (`millrace.acks.all.fsync`). */
  isAllSynced(): boolean
}

/** One partition's share of a call: indexes of its records, in order. */
type Shares = ReadonlyMap<number, number[]>

/**
 * Spreads keyless records over the partitions of a topic in turn; appends each partition's records in order. One
 * instance serves all callers, so that small calls are spread too.
 */
export class Producing {
  readonly #parts: ProducingParts
  readonly #turns = new Map<string, number>()

  constructor(parts: ProducingParts) {
    this.#parts = parts
  }

  /**
   * Results in the order of `records`. Refusals of single records or partitions are among them. Rejects with
   * INVALID_TOPIC_EXCEPTION for the topics of coordinators: what these don't understand, they can't load.
   */
  async produce(
    topic: { readonly name: string; readonly partitionCount: number },
    records: readonly ProducedRecord[],
    acks: Acks,
  ): Promise<readonly ProducedResult[]> {
    if (isInternalTopic(topic.name)) {
      const detail = `Clients may not write to the internal topic ${topic.name}`
      throw new KafkaError('INVALID_TOPIC_EXCEPTION', detail)
    }
    const results = new Array<ProducedResult>(records.length)
    const appended: Promise<void>[] = []
    for (const [partition, indexes] of this.#share(topic, records, results)) {
      const at = { topic: topic.name, partition }
      appended.push(this.#append(at, records, indexes, acks, results))
    }
    if (appended.length === 1) await appended[0]
    else await Promise.all(appended)
    return results
  }

  /** A topic is gone: its turn too. */
  forget(topic: string): void {
    this.#turns.delete(topic)
  }

  #share(
    { name, partitionCount }: { readonly name: string; readonly partitionCount: number },
    records: readonly ProducedRecord[],
    results: ProducedResult[],
  ): Shares {
    const shares = new Map<number, number[]>()
    let turn = this.#turns.get(name) ?? 0
    for (let index = 0; index < records.length; index++) {
      const record = records[index] as ProducedRecord
      const partition =
        record.partition ??
        (record.key === null
          ? turn++ % partitionCount
          : partitionForKey(record.key, partitionCount))
      if (partition < partitionCount) {
        const share = shares.get(partition)
        if (share) share.push(index)
        else shares.set(partition, [index])
      } else {
        const message = `Topic ${name} has no partition ${partition}: it has ${partitionCount}`
        results[index] = { partition, error: 'UNKNOWN_TOPIC_OR_PARTITION', message }
      }
    }
    this.#turns.set(name, turn % partitionCount)
    return shares
  }

  async #append(
    at: { readonly topic: string; readonly partition: number },
    records: readonly ProducedRecord[],
    indexes: readonly number[],
    acks: Acks,
    results: ProducedResult[],
  ): Promise<void> {
    const { partition } = at
    const now = this.#parts.clock.now()
    const batch = indexes.map((index) => {
      const { key, value, headers, timestamp = now } = records[index] as ProducedRecord
      return { key, value, headers, timestamp }
    })
    const needsDisk = acks === -1 && this.#parts.isAllSynced()
    try {
      const leader = this.#parts.partitions.get(at)
      // Too much waits for the disk: the caller waits too, before anything of it is in memory twice (RULES 10). Others that
      // waited may have taken the room again.
      for (let room = leader.log.room(); room !== undefined; room = leader.log.room()) await room
      const maxMessageBytes = leader.log.config.maxMessageBytes
      const written = writeRecords(leader, batch, { maxMessageBytes, needsDisk })
      const { outcomes, lastOffset } = written
      if (written.needsDisk && acks !== 0) await leader.log.whenCommitted(lastOffset)
      for (let position = 0; position < indexes.length; position++) {
        results[indexes[position] as number] = resultOf(
          partition,
          outcomes[position] as RecordOutcome,
          acks,
        )
      }
    } catch (error) {
      const refusal = refusalOf(error)
      for (const index of indexes) results[index] = refused(partition, refusal)
    }
  }
}

function resultOf(partition: number, outcome: RecordOutcome, acks: Acks): ProducedResult {
  if (outcome instanceof KafkaError) return refused(partition, outcome)
  const { offset, timestamp } = outcome
  return { partition, offset: acks === 0 ? -1 : offset, timestamp }
}

function refused(partition: number, { code, message }: KafkaError): ProducedResult {
  return { partition, error: code, message }
}
