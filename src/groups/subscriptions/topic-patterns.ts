// The patterns that groups are subscribed to, with the topics each describes, kept up as topics come and go.
import { compileTopicPattern, matchingTopics, type TopicPattern } from './topic-pattern.ts'

interface Entry {
  readonly pattern: TopicPattern
  /** Replaced when it changes, never changed: whoever holds it compares by identity. */
  topics: ReadonlySet<string>
  /** How many times it was added and not removed. */
  uses: number
}

/**
 * Each pattern is resolved over all topics once, when it is first added, however many groups use it; from then on a
 * change of topics costs one match per pattern and new topic.
 */
export class TopicPatterns {
  readonly #entries = new Map<string, Entry>()
  readonly #names: Set<string>

  /** Begins with the topics that exist now. */
  constructor(names: Iterable<string>) {
    this.#names = new Set(names)
  }

  /**
   * One more use of a pattern. Returns the topics it describes. Throws INVALID_REGULAR_EXPRESSION, and then has not
   * changed.
   */
  add(text: string): ReadonlySet<string> {
    const known = this.#entries.get(text)
    if (known !== undefined) {
      known.uses++
      return known.topics
    }
    const pattern = compileTopicPattern(text)
    const topics = matchingTopics(pattern, this.#names)
    this.#entries.set(text, { pattern, topics, uses: 1 })
    return topics
  }

  /** One use less; after the last the pattern is forgotten. */
  remove(text: string): void {
    const entry = this.#entries.get(text)
    if (entry === undefined) return
    entry.uses--
    if (entry.uses === 0) this.#entries.delete(text)
  }

  /** The topics that a pattern describes: the same object until they change. Undefined for a pattern that is not in use. */
  topicsOf(text: string): ReadonlySet<string> | undefined {
    return this.#entries.get(text)?.topics
  }

  /**
   * Topics were created and deleted; one that is in both was deleted and created again. Returns the patterns that
   * describe other topics than before.
   */
  apply(change: { created: Iterable<string>; deleted: Iterable<string> }): string[] {
    const deleted = new Set(change.deleted)
    const created = new Set(change.created)
    for (const name of created)
      if (deleted.delete(name) || this.#names.has(name)) created.delete(name)
    for (const name of deleted) if (!this.#names.delete(name)) deleted.delete(name)
    for (const name of created) this.#names.add(name)
    const changed: string[] = []
    for (const [text, entry] of this.#entries) {
      const lost = [...deleted].filter((name) => entry.topics.has(name))
      const found = matchingTopics(entry.pattern, created)
      if (lost.length === 0 && found.size === 0) continue
      entry.topics = entry.topics.difference(new Set(lost)).union(found)
      changed.push(text)
    }
    return changed
  }
}
