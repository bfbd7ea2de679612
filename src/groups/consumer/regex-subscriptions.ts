// Subscriptions by pattern: when a group's patterns are looked at again, and what that changes.
import { KafkaError } from '#storage/base/errors.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { GroupRecord } from '../group-record.ts'
import { compileTopicPattern, matchingTopics } from '../subscriptions/topic-pattern.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, regexOf } from './consumer-member.ts'
import {
  groupEpochRecord,
  type ResolvedRegex,
  regexRecord,
  regexTombstone,
} from './consumer-records.ts'
import type { TopicHashes } from './topic-hashes.ts'

/** Patterns of a group are looked at no more often. */
const MIN_REFRESH_INTERVAL_MS = 10_000

/** What became of a member's pattern. */
export interface RegexChange {
  readonly isChanged: boolean
  /** The topics of the new pattern are known, or there is none: the group can rebalance at once. */
  readonly isResolved: boolean
  /** Nobody was subscribed to it before. */
  readonly isNew: boolean
}

const UNCHANGED: RegexChange = { isChanged: false, isResolved: false, isNew: false }

/** Writes off a pattern that nobody wants any more. Throws INVALID_REGULAR_EXPRESSION for a new one that is none. */
export function changeRegex(
  group: ConsumerGroup,
  { before, after }: { before: ConsumerMember; after: ConsumerMember },
  records: GroupRecord[],
): RegexChange {
  if (before.subscribedTopicRegex === after.subscribedTopicRegex) return UNCHANGED
  const [old, next] = [regexOf(before), regexOf(after)]
  if (old !== undefined && group.regexes.of(old) === 1) {
    records.push(regexTombstone(group.groupId, old))
  }
  if (next === undefined) return { isChanged: true, isResolved: old !== undefined, isNew: false }
  const isNew = group.regexes.of(next) === 0
  if (isNew) compileTopicPattern(next)
  return { isChanged: true, isResolved: !isNew && group.resolvedRegexes.has(next), isNew }
}

/** What decides whether the patterns of a group are to be looked at again. */
export interface RefreshConditions {
  readonly change: RegexChange
  readonly before: ConsumerMember
  readonly after: ConsumerMember
  /** The offset of the newest metadata that created a topic. */
  readonly newTopicsVersion: number
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly refreshIntervalMs: number
}

/** Whether the time has come to look at all patterns of a group again. */
export function isRegexRefreshDue(group: ConsumerGroup, conditions: RefreshConditions): boolean {
  const { change, before, after, newTopicsVersion, now, refreshIntervalMs } = conditions
  if (!change.isNew && group.regexes.size === 0) return false
  const [last] = group.resolvedRegexes.values()
  // Where nothing has been resolved, it is time.
  const lastMs = last?.timestamp ?? -Infinity
  if (now <= lastMs + MIN_REFRESH_INTERVAL_MS) return false
  const wanted = wantedRegexes(group, before, after)
  if (wanted === 0) return false
  return (
    change.isNew ||
    wanted !== group.resolvedRegexes.size ||
    (last?.version ?? 0) < newTopicsVersion ||
    now > lastMs + refreshIntervalMs
  )
}

/** How many patterns the group has with the change. */
function wantedRegexes(
  group: ConsumerGroup,
  before: ConsumerMember,
  after: ConsumerMember,
): number {
  const [old, next] = [regexOf(before), regexOf(after)]
  if (old === next) return group.regexes.size
  const counts = group.regexes.copy()
  if (old !== undefined) counts.remove([old])
  if (next !== undefined) counts.add([next])
  return counts.size
}

/** The records that say what the patterns of a group stand for now, and make the group epoch grow if that is news. */
export function resolveRegexes(
  group: ConsumerGroup,
  { image, now, hashes }: { image: MetadataImage; now: number; hashes: TopicHashes },
): GroupRecord[] {
  const { groupId } = group
  const names = Array.from(image.topics(), ({ name }) => name)
  const topics = group.topics.copy()
  const records: GroupRecord[] = []
  let isNews = false
  for (const regex of group.regexes.names()) {
    const found: ResolvedRegex = {
      topics: topicsOf(regex, names),
      version: image.offset,
      timestamp: now,
    }
    const known = group.resolvedRegexes.get(regex)?.topics ?? new Set<string>()
    if (found.topics.symmetricDifference(known).size > 0) isNews = true
    topics.remove(known)
    topics.add(found.topics)
    records.push(regexRecord(groupId, regex, found))
  }
  const metadataHash = hashes.ofGroup(topics.names(), image)
  if (isNews || metadataHash !== group.metadataHash) {
    records.push(groupEpochRecord(groupId, { epoch: group.groupEpoch + 1, metadataHash }))
  }
  return records
}

/** Nothing for a pattern that another version of a broker let in and that is none here. */
function topicsOf(regex: string, names: readonly string[]): ReadonlySet<string> {
  try {
    return matchingTopics(compileTopicPattern(regex), names)
  } catch (error) {
    if (error instanceof KafkaError) return new Set()
    throw error
  }
}
