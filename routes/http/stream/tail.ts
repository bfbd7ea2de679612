// Follows the partitions of some topics: what is there, then what comes. Pulled by its reader, never pushing.
import type { Session } from '#src/access/session.ts'
import type { Broker, TopicDescription } from '#src/broker/broker.ts'
import type { IsolationLevel, OffsetSpec } from '#src/broker/reading.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { existingTopic, type StreamSlot } from '../door.ts'
import { Cursor, type CursorEntry } from './cursor.ts'
import type { TailSource, TailStep } from './tail-step.ts'

/** What a tail needs to begin. */
export interface TailStart {
  readonly broker: Broker
  readonly session: Session
  readonly slot: StreamSlot
  readonly topics: readonly string[]
  /** Where partitions begin that the cursor does not name. */
  readonly from: OffsetSpec
  readonly cursor: readonly CursorEntry[]
  readonly isolation: IsolationLevel
  readonly heartbeatMs: number
  /** Called whenever everything has been read, before the tail waits; it may close the tail. */
  readonly onCaughtUp?: () => void
}

interface Position {
  readonly topic: string
  readonly partition: number
  offset: number
}

/** A step holds about so many stored bytes: one batch, or a few small ones. */
const STEP_BYTES = 64 * 1024
const STEP_RECORDS = 1_000

/**
 * A reader of all partitions of some topics. Between two calls of `next()` it does nothing and holds nothing but its
 * positions. Partitions take turns. New ones are read from their start. It ends with an error step when a topic goes
 * away, and silently when it is closed or the door stops.
 */
export class Tail implements TailSource {
  /** Where the reader stands: advanced by `next()` for gaps, by the reader itself for each record it passes on. */
  readonly cursor = new Cursor()
  readonly #start: TailStart
  readonly #topicIds = new Map<string, string>()
  readonly #positions: Position[] = []
  readonly #unsubscribe: () => void
  readonly #closed = new AbortController()
  #wake = new AbortController()
  #turn = 0
  #haveTopicsChanged = false

  private constructor(start: TailStart) {
    this.#start = start
    this.#unsubscribe = start.broker.onTopicsChange(() => {
      this.#haveTopicsChanged = true
      this.#wake.abort()
    })
    start.slot.signal.addEventListener('abort', this.close)
    // A reader that fell behind may open another one when the door has stopped.
    if (start.slot.signal.aborted) this.close()
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE. The slot is the tail's to release, in any case. */
  static async open(start: TailStart): Promise<Tail> {
    const tail = new Tail(start)
    try {
      for (const name of start.topics) {
        tail.#addTopic(await existingTopic(start.broker, start.session, name))
      }
      return tail
    } catch (error) {
      tail.close()
      throw error
    }
  }

  /** The topics and their ids: tails with another identity read something else. */
  get identity(): string {
    return [...this.#topicIds].map(([name, topicId]) => `${name} ${topicId}`).join(' ')
  }

  /** The next step, waiting for it up to the heartbeat; undefined when the tail has ended. */
  async next(): Promise<TailStep | undefined> {
    try {
      for (;;) {
        if (this.#closed.signal.aborted) return undefined
        if (this.#haveTopicsChanged) await this.#followTopics()
        const step = await this.#read()
        if (step !== undefined) return step
        this.#start.onCaughtUp?.()
        if (this.#closed.signal.aborted) return undefined
        const hasMore = await this.#wait()
        const isIdle = !hasMore && !this.#haveTopicsChanged && !this.#closed.signal.aborted
        if (isIdle) return { kind: 'ping' }
      }
    } catch (error) {
      this.close()
      return { kind: 'error', error }
    }
  }

  /** Ends the tail and gives its slot back. Again is harmless. */
  readonly close = (): void => {
    if (this.#closed.signal.aborted) return
    this.#closed.abort()
    this.#wake.abort()
    this.#unsubscribe()
    this.#start.slot.signal.removeEventListener('abort', this.close)
    this.#start.slot.release()
  }

  #addTopic({ name, topicId, partitions }: TopicDescription): void {
    const { broker, session, from, cursor } = this.#start
    this.#topicIds.set(name, topicId)
    for (const { partition } of partitions) {
      const entry = cursor.find((each) => each.topic === name && each.partition === partition)
      const spec = entry?.spec ?? from
      const offset = broker.findOffset(session, { topic: name, partition, spec })
      this.#checkRange(name, partition, offset)
      this.#addPosition(name, partition, offset)
    }
  }

  /** An offset beyond the end belongs to another life of this topic: waiting there would be waiting for ever. */
  #checkRange(topic: string, partition: number, offset: number): void {
    const { broker, session } = this.#start
    const { highWatermark, logStartOffset } = broker.partitionOffsets(session, topic, partition)
    if (offset <= highWatermark) return
    throw new KafkaError(
      'OFFSET_OUT_OF_RANGE',
      `Offset ${offset} of ${topic}-${partition} is outside [${logStartOffset}, ${highWatermark}]`,
    )
  }

  #addPosition(topic: string, partition: number, offset: number): void {
    this.#positions.push({ topic, partition, offset })
    this.cursor.set(topic, partition, offset)
  }

  /** Adds partitions that came; throws when a topic went, even if another of its name took its place. */
  async #followTopics(): Promise<void> {
    this.#haveTopicsChanged = false
    const { broker, session } = this.#start
    for (const [name, topicId] of this.#topicIds) {
      const topic = await existingTopic(broker, session, name)
      if (topic.topicId !== topicId) {
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic ${name} was deleted`)
      }
      this.#addNewPartitions(topic)
    }
  }

  #addNewPartitions({ name, partitions }: TopicDescription): void {
    const known = this.#positions.filter(({ topic }) => topic === name).length
    for (const { partition } of partitions.slice(known)) this.#addPosition(name, partition, 0)
  }

  /** Reads from the partition whose turn it is, or from the next that has something. */
  async #read(): Promise<TailStep | undefined> {
    const count = this.#positions.length
    for (let tried = 0; tried < count; tried++) {
      const position = this.#positions[this.#turn % count]
      this.#turn = (this.#turn + 1) % count
      const step = position && (await this.#readFrom(position))
      if (step !== undefined) return step
    }
    return undefined
  }

  async #readFrom(position: Position): Promise<TailStep | undefined> {
    const { broker, session, isolation } = this.#start
    const { topic, partition, offset } = position
    const limits = { maxBytes: STEP_BYTES, maxRecords: STEP_RECORDS, isolation }
    try {
      const request = { topic, partition, offset, ...limits }
      const { records, nextOffset } = await broker.readRecords(session, request)
      position.offset = nextOffset
      return records.length > 0 ? { kind: 'records', records } : undefined
    } catch (error) {
      return this.#gapBefore(position, error)
    }
  }

  /** What the reader missed when retention was faster: it goes on at the log's start. Throws any other error. */
  #gapBefore(position: Position, error: unknown): TailStep {
    const { broker, session } = this.#start
    const { topic, partition, offset } = position
    const { logStartOffset } = broker.partitionOffsets(session, topic, partition)
    const isBehind = error instanceof KafkaError && error.code === 'OFFSET_OUT_OF_RANGE'
    if (!isBehind || offset >= logStartOffset) throw error
    position.offset = logStartOffset
    this.cursor.set(topic, partition, logStartOffset)
    return { kind: 'gap', gap: { topic, partition, from: offset, to: logStartOffset } }
  }

  #wait(): Promise<boolean> {
    const { broker, session, isolation, heartbeatMs } = this.#start
    this.#wake = new AbortController()
    const { signal } = this.#wake
    const positions = this.#positions
    return broker.waitForRecords(session, { positions, waitMs: heartbeatMs, isolation, signal })
  }
}
