// Subscriptions by pattern: what a member's change does to them, and when they are looked at again (`regex-looks.ts`).
import type { GroupRecord } from '../group-record.ts'
import { compileTopicPattern } from '../subscriptions/topic-pattern.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, regexOf } from './consumer-member.ts'
import { regexTombstone } from './consumer-records.ts'

/** Patterns of a group are looked at no more often. */
export const MIN_REFRESH_INTERVAL_MS = 10_000

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
  const ageMs = now - (last?.timestamp ?? -Infinity)
  // A look of the future was taken before the clock was set back.
  const isOfNow = ageMs >= 0
  if (isOfNow && ageMs <= MIN_REFRESH_INTERVAL_MS) return false
  const wanted = wantedRegexes(group, before, after)
  if (wanted === 0) return false
  return (
    change.isNew ||
    wanted !== group.resolvedRegexes.size ||
    (last?.version ?? 0) < newTopicsVersion ||
    !isOfNow ||
    ageMs > refreshIntervalMs
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
