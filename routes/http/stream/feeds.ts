// The feeds of a door: who wants to follow gets the one that stands where he wants to begin, or a new one.
import { Feed, type FeedMember } from './feed.ts'
import type { TailFormat } from './format.ts'
import { Tail, type TailStart } from './tail.ts'

/** Where a tail begins, and how it is written. */
export interface FeedStart extends Omit<TailStart, 'onCaughtUp'> {
  readonly format: TailFormat
}

/** All feeds that have members. */
export class Feeds {
  readonly #feeds = new Map<string, Set<Feed>>()

  /** Feeds that read the log now. */
  get count(): number {
    let count = 0
    for (const feeds of this.#feeds.values()) count += feeds.size
    return count
  }

  /** Lets the member join. Throws UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE. */
  async join(start: FeedStart, member: FeedMember): Promise<void> {
    let feed: Feed | undefined
    const onCaughtUp = () => {
      if (feed !== undefined) this.#unite(feed)
    }
    const tail = await Tail.open({ ...start, onCaughtUp })
    const { format, isolation, session, heartbeatMs } = start
    const kind = [format.name, isolation, session.principal, heartbeatMs, tail.identity].join(' ')
    const same = this.#at(kind, tail.cursor.toJson())
    if (same !== undefined) {
      tail.close()
      return same.join(member)
    }
    feed = new Feed({ kind, format, tail }, (ended) => this.#remove(ended))
    const feeds = this.#feeds.get(kind)
    if (feeds === undefined) this.#feeds.set(kind, new Set([feed]))
    else feeds.add(feed)
    feed.join(member)
  }

  /** A feed has come to the end of the log: the smaller of two that are there goes into the other. */
  #unite(feed: Feed): void {
    const other = this.#at(feed.kind, feed.head.after, feed)
    if (other === undefined) return
    const [small, large] = feed.memberCount <= other.memberCount ? [feed, other] : [other, feed]
    if (small.isIdle) small.moveTo(large)
  }

  #at(kind: string, cursor: string, except?: Feed): Feed | undefined {
    for (const feed of this.#feeds.get(kind) ?? []) {
      if (feed !== except && !feed.isEnded && feed.head.after === cursor) return feed
    }
    return undefined
  }

  #remove(feed: Feed): void {
    const feeds = this.#feeds.get(feed.kind)
    feeds?.delete(feed)
    if (feeds?.size === 0) this.#feeds.delete(feed.kind)
  }
}
