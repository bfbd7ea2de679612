// One reader of the log for all tails that stand at the same place: a record is read and written as text once.
import type { TailFormat } from './format.ts'
import type { Tail } from './tail.ts'

/**
 * A text that tails get, and the one behind it. Whoever holds a piece can go on from it as long as the feed keeps the
 * next one, and knows by `after` where to go on alone when it does not.
 */
export interface Piece {
  /** Empty once nobody can need it any more. */
  bytes: Uint8Array
  /** The cursor behind the piece. */
  readonly after: string
  next: Piece | 'lost' | undefined
}

/** A tail that waits for the next piece. */
export interface FeedMember {
  /** The piece that it has taken last. */
  last: Piece
  feed: Feed
  /** Hands over a piece; `last` is that piece already. */
  take(piece: Piece): void
  /** There are no more pieces. */
  end(): void
}

/** A slow tail finds so much behind the newest piece; beyond it, it reads for itself. */
const KEPT_BYTES = 256 * 1024
const KEPT_PIECES = 64

const NO_BYTES = new Uint8Array(0)
const encoder = new TextEncoder()

/**
 * Reads on while a member waits, and holds pieces for those that are a little behind. It begins with one member; feeds that
 * have come to the same place become one, as do those of tails that were too slow and have caught up.
 */
export class Feed {
  /** Feeds of the same kind may become one: same topics, rights, isolation and form. */
  readonly kind: string
  readonly #format: TailFormat
  readonly #tail: Tail
  readonly #texts: AsyncGenerator<string>
  readonly #onEmpty: (feed: Feed) => void
  readonly #members = new Set<FeedMember>()
  #waiting = new Set<FeedMember>()
  #head: Piece
  /** The newest pieces in order, each with the one behind it. */
  readonly #kept: Piece[] = []
  #keptBytes = 0
  #greeting: { readonly of: Piece; readonly bytes: Uint8Array } | undefined
  #isReading = false
  #isEnded = false
  #isClosed = false

  constructor(
    parts: { readonly kind: string; readonly format: TailFormat; readonly tail: Tail },
    onEmpty: (feed: Feed) => void,
  ) {
    this.kind = parts.kind
    this.#format = parts.format
    this.#tail = parts.tail
    this.#texts = parts.format.texts(parts.tail)
    this.#onEmpty = onEmpty
    this.#head = { bytes: NO_BYTES, after: parts.tail.cursor.toJson(), next: undefined }
  }

  /** The newest piece; nothing has been handed out behind it. */
  get head(): Piece {
    return this.#head
  }

  get memberCount(): number {
    return this.#members.size
  }

  /** Whether all members have everything and wait: then they can go elsewhere together. */
  get isIdle(): boolean {
    return !this.#isEnded && this.#members.size > 0 && this.#waiting.size === this.#members.size
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** What a new member gets first, who stands behind `piece`: the newest one, as a rule. */
  greeting(piece: Piece): Uint8Array {
    if (this.#greeting?.of !== piece) {
      this.#greeting = { of: piece, bytes: encoder.encode(this.#format.greeting(piece.after)) }
    }
    return this.#greeting.bytes
  }

  /** The member begins behind the newest piece. */
  join(member: FeedMember): void {
    this.#members.add(member)
    member.feed = this
    member.last = this.#head
  }

  /** The last one to leave ends the feed. */
  leave(member: FeedMember): void {
    this.#waiting.delete(member)
    if (this.#members.delete(member) && this.#members.size === 0) this.#close()
  }

  /** The member has taken the newest piece and wants the next one. */
  wait(member: FeedMember): void {
    if (this.#isEnded) {
      member.end()
      return
    }
    this.#waiting.add(member)
    if (this.isIdle) this.#forget()
    if (!this.#isReading) void this.#read()
  }

  /** All members, who are idle, go on in a feed that stands at the same place. */
  moveTo(other: Feed): void {
    const members = [...this.#members]
    this.#members.clear()
    this.#waiting.clear()
    for (const member of members) {
      other.join(member)
      other.wait(member)
    }
    this.#close()
  }

  async #read(): Promise<void> {
    this.#isReading = true
    while (this.#waiting.size > 0) {
      // A generator of texts does not throw: what goes wrong is the last text.
      const { done, value } = await this.#texts.next()
      if (done) {
        this.#end()
        break
      }
      this.#hand(value)
    }
    this.#isReading = false
  }

  #hand(text: string): void {
    const piece: Piece = {
      bytes: encoder.encode(text),
      after: this.#tail.cursor.toJson(),
      next: undefined,
    }
    this.#head.next = piece
    this.#keep(this.#head)
    this.#head = piece
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const member of waiting) {
      member.last = piece
      member.take(piece)
    }
  }

  /** The head's predecessors stay as long as there is room; whoever holds an older one has lost its place in the feed. */
  #keep(piece: Piece): void {
    this.#kept.push(piece)
    this.#keptBytes += piece.bytes.length
    while (this.#keptBytes > KEPT_BYTES || this.#kept.length > KEPT_PIECES) {
      const [oldest] = this.#kept.splice(0, 1)
      if (oldest === undefined) break
      oldest.next = 'lost'
      this.#keptBytes -= oldest.bytes.length
      // Whoever stands here has had them, and nobody else can come here.
      oldest.bytes = NO_BYTES
    }
  }

  /** Everybody has everything. */
  #forget(): void {
    this.#kept.length = 0
    this.#keptBytes = 0
    this.#head.bytes = NO_BYTES
  }

  #end(): void {
    this.#isEnded = true
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const member of waiting) member.end()
    this.#close()
  }

  /** Those who are behind still find what they hold on to. */
  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isEnded = true
    this.#onEmpty(this)
    this.#tail.close()
    void this.#texts.return(undefined)
  }
}
