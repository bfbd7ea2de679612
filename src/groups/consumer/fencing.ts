// Members that go: they leave, or are put out because nothing was heard of them.
import type { KafkaError } from '#storage/base/errors.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, regexOf, STATIC_LEAVE_EPOCH } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberTombstones,
  regexTombstone,
} from './consumer-records.ts'
import type { ConsumerWorld, Draft } from './consumer-world.ts'
import { Counts } from './counts.ts'
import { canDowngrade, downgrade } from './migration.ts'
import { NOTHING_OWNED, withEpoch } from './owned-partitions.ts'

/**
 * Removes members: the group rebalances, or becomes a classic one when none but classic members remain. Returns what
 * is to be called when that is settled.
 */
export function removeMembers(
  world: ConsumerWorld,
  group: ConsumerGroup,
  leaving: ReadonlySet<ConsumerMember>,
  draft: Draft,
): ((error: KafkaError | undefined) => void) | undefined {
  if (leaving.size === 0) return undefined
  if (canDowngrade(world, group, { leaving, joining: 0 })) {
    return downgrade(world, group, { leaving, rebalance: true }, draft)
  }
  const { groupId } = group
  const topics = group.topics.copy()
  const regexes = new Counts()
  for (const member of leaving) {
    const { memberId } = member
    draft.records.push(...memberTombstones(groupId, memberId))
    draft.effects.push(() => world.timers.forget({ groupId, memberId }))
    topics.remove(member.subscribedTopicNames)
    const regex = regexOf(member)
    if (regex !== undefined) regexes.add([regex])
  }
  for (const regex of regexes.names()) {
    if (group.regexes.of(regex) !== regexes.of(regex)) continue
    draft.records.push(regexTombstone(groupId, regex))
    topics.remove(group.resolvedRegexes.get(regex)?.topics ?? [])
  }
  const metadataHash = world.hashes.ofGroup(topics.names(), world.parts.image())
  draft.records.push(groupEpochRecord(groupId, { epoch: group.groupEpoch + 1, metadataHash }))
  return undefined
}

/** A static member goes for a while: it keeps what it has until it comes back, or its session ends. */
export function suspendMember(group: ConsumerGroup, member: ConsumerMember, draft: Draft): void {
  const suspended: ConsumerMember = {
    ...member,
    memberEpoch: STATIC_LEAVE_EPOCH,
    // Whoever comes back under its name may commit for what it takes over.
    assigned: withEpoch(member.assigned, 0),
    pendingRevocation: NOTHING_OWNED,
  }
  draft.records.push(currentAssignmentRecord(group.groupId, suspended))
}
