// Looks for the topics that patterns stand for: in the background, because there may be many of both.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { Group } from '../group.ts'
import type { GroupParts } from '../group-parts.ts'
import type { GroupRecord } from '../group-record.ts'
import { compileTopicPattern, type TopicPattern } from '../subscriptions/topic-pattern.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { groupEpochRecord, regexRecord } from './consumer-records.ts'
import { MIN_REFRESH_INTERVAL_MS } from './regex-subscriptions.ts'
import type { TopicHashes } from './topic-hashes.ts'

/** So long the loop is held at a time. */
const SLICE_MS = 2

/** What the looks of a shard need. */
export interface RegexLooksParts extends Pick<GroupParts, 'host' | 'image'> {
  readonly groups: ReadonlyMap<string, Group>
  readonly hashes: TopicHashes
  /** What was found could not be written. */
  refused(groupId: string): void
}

/**
 * Looks at all patterns of a group, one group at a time and a slice of the work at a time, and writes what they stand for.
 * When that can't be written, the group is let rest for ten seconds.
 */
export class RegexLooks {
  readonly #parts: RegexLooksParts
  /** Groups that wait for their look, are being looked at, or have to rest. */
  readonly #busy = new Set<string>()
  readonly #waiting: string[] = []
  #look: RegexLook | undefined
  #cancel: (() => void) | undefined
  #isEnded = false

  constructor(parts: RegexLooksParts) {
    this.#parts = parts
  }

  /** Looks soon, unless it is about to. */
  begin(groupId: string): void {
    if (this.#isEnded || this.#busy.has(groupId)) return
    this.#busy.add(groupId)
    this.#waiting.push(groupId)
    if (this.#cancel === undefined) this.#work()
  }

  /** No more looks. */
  end(): void {
    this.#isEnded = true
    this.#cancel?.()
  }

  #work(): void {
    const { clock, deadlines } = this.#parts.host
    const end = clock.monotonic() + SLICE_MS
    this.#cancel = undefined
    for (;;) {
      this.#look ??= this.#next()
      const look = this.#look
      if (look === undefined) return
      if (look.isDoneBy(end, clock)) {
        this.#look = undefined
        this.#write(look)
        if (clock.monotonic() < end) continue
      }
      this.#cancel = deadlines.add(0, () => this.#work())
      return
    }
  }

  #next(): RegexLook | undefined {
    for (let groupId = this.#waiting.shift(); groupId !== undefined; ) {
      const group = this.#parts.groups.get(groupId)
      if (group instanceof ConsumerGroup) {
        return new RegexLook(groupId, [...group.regexes.names()], this.#parts.image())
      }
      this.#busy.delete(groupId)
      groupId = this.#waiting.shift()
    }
    return undefined
  }

  #write(look: RegexLook): void {
    const { host, groups, hashes, image, refused } = this.#parts
    const { groupId } = look
    const plan = () => {
      this.#busy.delete(groupId)
      const group = groups.get(groupId)
      const records =
        group instanceof ConsumerGroup
          ? recordsOf(group, look, { image: image(), now: host.clock.now(), hashes })
          : []
      // Should only some of them be written: the group's metadata hash tells at its next heartbeat.
      return { records, isDivisible: true, answer: undefined }
    }
    host.write(plan).catch((error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      refused(groupId)
      if (this.#isEnded) return
      this.#busy.add(groupId)
      host.deadlines.add(MIN_REFRESH_INTERVAL_MS, () => this.#busy.delete(groupId))
    })
  }
}

/** One look at the patterns of a group, under the topics of one moment. */
class RegexLook {
  readonly groupId: string
  /** Of the metadata that was looked at. */
  readonly version: number
  /** What was found for each pattern. */
  readonly found = new Map<string, Set<string>>()
  readonly #steps: Generator<void>

  constructor(groupId: string, regexes: readonly string[], image: MetadataImage) {
    this.groupId = groupId
    this.version = image.offset
    const names = Array.from(image.topics(), ({ name }) => name)
    this.#steps = this.#match(regexes, names)
  }

  /** Goes on until all is done, which is true, or the time has come. */
  isDoneBy(end: number, clock: Clock): boolean {
    while (!this.#steps.next().done) if (clock.monotonic() >= end) return false
    return true
  }

  /** As in Kafka 4.3, a pattern may stand for internal topics too. */
  *#match(regexes: readonly string[], names: readonly string[]): Generator<void> {
    for (const regex of regexes) {
      const topics = new Set<string>()
      this.found.set(regex, topics)
      const pattern = patternOf(regex)
      yield
      for (const name of pattern ? names : []) {
        if (pattern?.matches(name)) topics.add(name)
        yield
      }
    }
  }
}

/** What the patterns stand for now; makes the group epoch grow if that is news. */
function recordsOf(
  group: ConsumerGroup,
  { found, version }: RegexLook,
  { image, now, hashes }: { image: MetadataImage; now: number; hashes: TopicHashes },
): GroupRecord[] {
  const { groupId } = group
  const subscribed = group.topics.copy()
  const records: GroupRecord[] = []
  let isNews = false
  for (const [regex, topics] of found) {
    // Nobody wants it any more.
    if (group.regexes.of(regex) === 0) continue
    const known = group.resolvedRegexes.get(regex)?.topics ?? new Set<string>()
    if (topics.symmetricDifference(known).size > 0) isNews = true
    subscribed.remove(known)
    subscribed.add(topics)
    records.push(regexRecord(groupId, regex, { topics, version, timestamp: now }))
  }
  if (records.length === 0) return records
  const metadataHash = hashes.ofGroup(subscribed.names(), image)
  if (isNews || metadataHash !== group.metadataHash) {
    records.push(groupEpochRecord(groupId, { epoch: group.groupEpoch + 1, metadataHash }))
  }
  return records
}

/** Undefined for one that another version of a broker let in and that is none here: it stands for nothing. */
function patternOf(regex: string): TopicPattern | undefined {
  try {
    return compileTopicPattern(regex)
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}
