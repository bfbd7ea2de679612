// A tail that is a member of a group: it reads the partitions that the group gives it, and commits as it goes.
import type { Session } from '#src/access/session.ts'
import type { Broker } from '#src/broker/broker.ts'
import type { PartitionName } from '#src/broker/consumers/committed-offsets.ts'
import type { ConsumerOptions } from '#src/broker/consumers/consumer-options.ts'
import type { GroupConsumer } from '#src/broker/consumers/group-consumer.ts'
import type { IsolationLevel } from '#src/broker/reading.ts'
import { existingTopic, type StreamSlot } from '../door.ts'
import { Cursor } from './cursor.ts'
import type { TailSource, TailStep } from './tail-step.ts'

/** What a tail with a group needs to begin. */
export interface GroupTailStart {
  readonly broker: Broker
  readonly session: Session
  readonly slot: StreamSlot
  readonly groupId: string
  readonly topics: readonly string[]
  /** Where partitions begin of which the group has committed nothing. */
  readonly from: ConsumerOptions['autoOffsetReset']
  readonly isolation: IsolationLevel
  readonly heartbeatMs: number
  /** Whether the reader acknowledges; otherwise what it took a while ago counts as dealt with. */
  readonly isAcknowledged: boolean
}

/** A step holds about so many stored bytes: one batch, or a few small ones. */
const STEP_BYTES = 64 * 1024
const STEP_RECORDS = 1_000
const COMMIT_INTERVAL_MS = 1_000
/** A reader that is slow, or slow to acknowledge, keeps the others of its group waiting so long at most. */
const HANDOVER_MS = 10_000
const REBALANCE_TIMEOUT_MS = 30_000

/**
 * At least once: the group's position follows what the reader has acknowledged, or what it took a while ago and has not
 * hung up on since; a partition that goes to another member takes all that was taken with it. Asking for the next step
 * says that the last one was taken.
 */
export class GroupTail implements TailSource {
  readonly cursor = new Cursor()
  readonly acknowledge: TailSource['acknowledge']
  readonly #start: GroupTailStart
  readonly #consumer: GroupConsumer
  readonly #steps: TailStep[] = []
  /** Ends a poll: there are steps that hold no records. */
  #news = new AbortController()
  #isClosed = false

  private constructor(start: GroupTailStart) {
    this.#start = start
    const { broker, session, groupId, from, isolation, isAcknowledged } = start
    this.#consumer = broker.groups.openConsumer(session, {
      groupId,
      instanceId: null,
      autoOffsetReset: from,
      autoCommitIntervalMs: COMMIT_INTERVAL_MS,
      settledBy: isAcknowledged ? 'acknowledgement' : 'sending',
      isolation,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      handoverMs: HANDOVER_MS,
      onGap: (gap) => this.#tell({ kind: 'gap', gap }),
      onAssigned: (partitions) => this.#tell({ kind: 'assigned', partitions }),
      onLeaving: (partitions) => this.#leaving(partitions),
      onCommitted: (offsets) => {
        if (isAcknowledged) this.#tell({ kind: 'committed', offsets })
      },
    })
    const { acknowledge } = this.#consumer
    if (isAcknowledged) this.acknowledge = acknowledge.bind(this.#consumer)
    start.slot.signal.addEventListener('abort', this.close)
  }

  /** Resolves when the group knows the tail. Throws UNKNOWN_TOPIC_OR_PARTITION, and what refuses members. */
  static async open(start: GroupTailStart): Promise<GroupTail> {
    const tail = new GroupTail(start)
    const { broker, session, topics } = start
    try {
      for (const topic of topics) await existingTopic(broker, session, topic)
      await tail.#consumer.subscribe({ topics, pattern: null })
      return tail
    } catch (error) {
      tail.close()
      throw error
    }
  }

  async next(): Promise<TailStep | undefined> {
    try {
      for (;;) {
        const known = this.#steps.shift()
        if (known !== undefined) return known
        if (this.#isClosed) return undefined
        const step = await this.#poll()
        if (step !== undefined) this.#enqueue(step)
        else if (this.#steps.length === 0 && !this.#isClosed) return { kind: 'ping' }
      }
    } catch (error) {
      // The broker's stop closes consumers before tails.
      if (this.#isClosed || this.#consumer.isClosed) return undefined
      this.close()
      return { kind: 'error', error }
    }
  }

  readonly close = (): void => {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#steps.length = 0
    this.#news.abort()
    const { slot } = this.#start
    slot.signal.removeEventListener('abort', this.close)
    // The slot is free when the group knows: who comes back at once finds its place.
    const free = () => slot.release()
    this.#consumer.close({ isLost: true }).then(free, free)
  }

  /** Records come before the word that their partition is taken away, which may have come while they were read. */
  #enqueue(step: Extract<TailStep, { kind: 'records' }>): void {
    const read = new Set(step.records.map(keyOf))
    let place = this.#steps.length
    for (let at = place - 1; at >= 0; at--) {
      const known = this.#steps[at]
      if (known?.kind !== 'assigned' && known?.kind !== 'revoked') continue
      if (!known.partitions.some((one) => read.has(keyOf(one)))) continue
      if (known.kind === 'assigned') break
      place = at
    }
    this.#steps.splice(place, 0, step)
  }

  async #poll(): Promise<Extract<TailStep, { kind: 'records' }> | undefined> {
    this.#news = new AbortController()
    const records = await this.#consumer.poll({
      maxBytes: STEP_BYTES,
      maxRecords: STEP_RECORDS,
      waitMs: this.#start.heartbeatMs,
      signal: this.#news.signal,
    })
    return records.length > 0 ? { kind: 'records', records } : undefined
  }

  #leaving(partitions: readonly PartitionName[]): void {
    for (const { topic, partition } of partitions) this.cursor.delete(topic, partition)
    if (partitions.length > 0) this.#tell({ kind: 'revoked', partitions: partitions.map(named) })
  }

  #tell(step: TailStep): void {
    if (this.#isClosed) return
    this.#steps.push(step)
    this.#news.abort()
  }
}

function keyOf({ topic, partition }: PartitionName): string {
  return `${topic}-${partition}`
}

function named({ topic, partition }: PartitionName): PartitionName {
  return { topic, partition }
}
