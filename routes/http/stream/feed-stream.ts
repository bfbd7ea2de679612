// A tail without a group as the body of an answer: its place in a feed, and nothing else.
import { KafkaError } from '#storage/base/errors.ts'
import type { StreamSlot } from '../door.ts'
import { parseCursor } from './cursor.ts'
import type { Feed, FeedMember, Piece } from './feed.ts'
import type { FeedStart, Feeds } from './feeds.ts'

/** What the stream of one tail needs. */
export interface FeedStreamStart {
  readonly feeds: Feeds
  readonly start: FeedStart
  readonly slot: StreamSlot
  /** Aborts when the client is lost. */
  readonly lost: AbortSignal
}

/**
 * Opens a tail; resolves with its bytes. Nothing is made ahead: each piece is handed over when the reader asks for it or
 * has asked, so a slow one holds one piece and what the sockets hold. Throws UNKNOWN_TOPIC_OR_PARTITION,
 * OFFSET_OUT_OF_RANGE, and gives the slot back then, too.
 */
export async function feedStream(options: FeedStreamStart): Promise<ReadableStream<Uint8Array>> {
  const member = new StreamMember(options)
  await member.join(options.start)
  return new ReadableStream<Uint8Array>(member, { highWaterMark: 0 })
}

const encoder = new TextEncoder()

/** The source of a stream. */
class StreamMember implements FeedMember, UnderlyingDefaultSource<Uint8Array> {
  declare feed: Feed
  declare last: Piece
  readonly #options: FeedStreamStart
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #isGreeted = false
  #isOver = false

  constructor(options: FeedStreamStart) {
    this.#options = options
  }

  async join(start: FeedStart): Promise<void> {
    const { feeds, lost } = this.#options
    try {
      await feeds.join(start, this)
    } catch (error) {
      this.#over()
      throw error
    }
    // Some runtimes tell of a lost client by the request's signal only.
    if (lost.aborted) queueMicrotask(this.#lost)
    else lost.addEventListener('abort', this.#lost)
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): void | Promise<void> {
    this.#controller = controller
    if (this.#isOver) return controller.close()
    if (!this.#isGreeted) {
      this.#isGreeted = true
      return controller.enqueue(this.feed.greeting(this.last))
    }
    const { next } = this.last
    if (next === 'lost') return this.#readAlone(controller)
    if (next === undefined) return this.feed.wait(this)
    this.last = next
    controller.enqueue(next.bytes)
  }

  cancel(): void {
    this.#over()
  }

  take({ bytes }: Piece): void {
    if (!this.#isOver) this.#controller?.enqueue(bytes)
  }

  end(): void {
    if (this.#isOver) return
    this.#over()
    this.#controller?.close()
  }

  /** The feed has gone on without this reader, who goes on where it stands. */
  async #readAlone(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { feeds, start } = this.#options
    const { kind } = this.feed
    this.feed.leave(this)
    try {
      const cursor = parseCursor(this.last.after)
      await feeds.join({ ...start, cursor, from: 'earliest' }, this)
      // Lost meanwhile: the feed must not wait for this one.
      if (this.#isOver) return this.feed.leave(this)
      // The place is one in topics that have gone, whatever has their names now.
      if (this.feed.kind !== kind) {
        const detail = `A topic of ${start.topics.join(', ')} was deleted`
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', detail)
      }
    } catch (error) {
      if (this.#isOver) return
      this.#over()
      controller.enqueue(encoder.encode(start.format.error(error)))
      return controller.close()
    }
    this.feed.wait(this)
  }

  readonly #lost = (): void => {
    this.end()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { lost, slot } = this.#options
    lost.removeEventListener('abort', this.#lost)
    this.feed?.leave(this)
    slot.release()
  }
}
