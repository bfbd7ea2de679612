// What a change of one member makes of its group: member, group epoch, target assignment, the member's next step.
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Assignor } from '../assignors/assignor.ts'
import { assignorOf } from '../assignors/assignors.ts'
import { uniform } from '../assignors/uniform.ts'
import type { GroupParts } from '../group-parts.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, isReconciledTo, MEMBER_STATE, regexOf } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberRecord,
  partitionMetadataTombstone,
} from './consumer-records.ts'
import type { ConsumerWorld, Draft } from './consumer-world.ts'
import type { TopicPartitions } from './owned-partitions.ts'
import { reconcile } from './reconciliation.ts'
import { changeRegex, isRegexRefreshDue } from './regex-subscriptions.ts'
import { lastTarget, newTarget, subscriptionCheck, type Target } from './target-assignment.ts'

/** The most wanted assignor, and among equals the one that comes first here. */
const ASSIGNOR_NAMES = ['uniform', 'range']

/** A member before and after a request, which says what the client owns; null where it does not say. */
export interface MemberChange {
  readonly before: ConsumerMember
  readonly after: ConsumerMember
  readonly owned: readonly TopicPartitions[] | null
}

/** What a change of a subscription makes of the group. */
export interface GroupChange {
  readonly groupEpoch: number
  /** What the member was subscribed to may have to be taken from it at once. */
  readonly hasSubscriptionChanged: boolean
}

/** Writes the member, if it changed, and the group epoch, if that makes it grow. */
export function changeSubscription(
  world: ConsumerWorld,
  group: ConsumerGroup,
  { before, after }: MemberChange,
  draft: Draft,
): GroupChange {
  const { records } = draft
  const { groupId } = group
  if (after !== before) records.push(memberRecord(groupId, after))
  const haveNamesChanged = after.subscribedTopicNames !== before.subscribedTopicNames
  const regex = changeRegex(group, { before, after }, records)
  if (regex.isNew || group.regexes.size > 0) {
    const { host, configs } = world.parts
    draft.needsRegexRefresh = isRegexRefreshDue(group, {
      change: regex,
      before,
      after,
      newTopicsVersion: world.newTopicsVersion(),
      now: host.clock.now(),
      refreshIntervalMs: configs.broker.number('group.consumer.regex.refresh.interval.ms'),
    })
  }
  const hasSubscriptionChanged = haveNamesChanged || regex.isChanged
  // A pattern that is new makes the epoch grow when it has been resolved.
  const isBumped = haveNamesChanged || regex.isResolved
  if (!isBumped && !group.isMetadataStale) {
    return { groupEpoch: group.groupEpoch, hasSubscriptionChanged }
  }
  const metadataHash = metadataHashWith(world, group, { before, after })
  draft.effects.push(() => {
    group.isMetadataStale = false
  })
  if (group.hasPartitionMetadataRecord) records.push(partitionMetadataTombstone(groupId))
  if (!isBumped && metadataHash === group.metadataHash) {
    return { groupEpoch: group.groupEpoch, hasSubscriptionChanged }
  }
  const groupEpoch = group.groupEpoch + 1
  records.push(groupEpochRecord(groupId, { epoch: groupEpoch, metadataHash }))
  return { groupEpoch, hasSubscriptionChanged }
}

/** The newest target of the member: computed now, if the group epoch asks for it and the last is old enough. */
export function targetOf(
  world: ConsumerWorld,
  group: ConsumerGroup,
  { before, after, groupEpoch }: Pick<MemberChange, 'before' | 'after'> & { groupEpoch: number },
  draft: Draft,
): Target {
  if (group.assignmentEpoch >= groupEpoch) return lastTarget(group, after)
  const { parts, settings } = world
  const { assignmentIntervalMs } = settings.of(group.groupId)
  const now = parts.host.clock.now()
  const ageMs = now - group.assignmentTimestamp
  // One of the future was made before the clock was set back, and nobody may wait for that.
  const isTooEarly = group.assignmentTimestamp > 0 && ageMs >= 0 && ageMs < assignmentIntervalMs
  if (isTooEarly) return lastTarget(group, after)
  const assignor = wantedAssignor(group, parts, { before, after })
  const input = { member: after, groupEpoch, assignor, image: parts.image(), now }
  return newTarget(group, input, draft.records)
}

/** Brings the member a step closer to its target. */
export function reconcileMember(
  world: ConsumerWorld,
  group: ConsumerGroup,
  {
    after,
    owned,
    target,
    hasSubscriptionChanged,
  }: Omit<MemberChange, 'before'> & {
    readonly target: Target
    readonly hasSubscriptionChanged: boolean
  },
  draft: Draft,
): ConsumerMember {
  if (!hasSubscriptionChanged && isReconciledTo(after, target.epoch)) return after
  const member = reconcile(after, {
    targetEpoch: target.epoch,
    target: target.assignment,
    isSubscribed: subscriptionCheck(group, after, world.parts.image()),
    hasSubscriptionChanged,
    isOwned: (topicId, partition) => group.isOwned(topicId, partition),
    owned,
  })
  if (member === after) return after
  const { groupId } = group
  draft.records.push(currentAssignmentRecord(groupId, member))
  // A member of the classic protocol is waited for in other ways.
  if (member.classic === null) {
    const { memberId, memberEpoch, rebalanceTimeoutMs } = member
    const who = { groupId, memberId }
    draft.effects.push(() => {
      if (member.state !== MEMBER_STATE.UNREVOKED_PARTITIONS) world.timers.stop(who, 'revoke')
      else world.timers.start(who, 'revoke', rebalanceTimeoutMs, memberEpoch)
    })
  }
  return member
}

/** The names of the server assignors that clients may ask for, the default first. */
export function assignorNames(parts: GroupParts): readonly string[] {
  return parts.configs.broker.list('group.consumer.assignors')
}

/** The assignor that most members ask for, or the default. */
export function wantedAssignor(
  group: ConsumerGroup,
  parts: GroupParts,
  change?: Pick<MemberChange, 'before' | 'after'>,
): Assignor {
  const counts = group.assignors.copy()
  if (change?.before.serverAssignor) counts.remove([change.before.serverAssignor])
  if (change?.after.serverAssignor) counts.add([change.after.serverAssignor])
  let wanted: string | undefined
  for (const name of ASSIGNOR_NAMES) {
    if (counts.of(name) > (wanted === undefined ? 0 : counts.of(wanted))) wanted = name
  }
  for (const name of wanted === undefined ? assignorNames(parts) : [wanted]) {
    const assignor = assignorOf(name)
    if (assignor !== undefined) return assignor
  }
  return uniform
}

/** The hash of the topics that the group is subscribed to with the change. */
function metadataHashWith(
  { parts, hashes }: ConsumerWorld,
  group: ConsumerGroup,
  { before, after }: Pick<MemberChange, 'before' | 'after'>,
): Int64 {
  const topics = group.topics.copy()
  topics.remove(before.subscribedTopicNames)
  topics.add(after.subscribedTopicNames)
  const old = regexOf(before)
  if (old !== undefined && old !== regexOf(after) && group.regexes.of(old) === 1) {
    topics.remove(group.resolvedRegexes.get(old)?.topics ?? [])
  }
  return hashes.ofGroup(topics.names(), parts.image())
}
