// Whether the members of a group all want the same topics.
import type { SubscriptionType } from '../assignors/assignor.ts'

/** What a member is subscribed to: names, a pattern, or both. */
export interface MemberSubscription {
  readonly topicNames: ReadonlySet<string>
  /** `''` for none. */
  readonly topicPattern: string
}

/**
 * Homogeneous when all members name the same topics and use no pattern, or all use the same pattern and name none. As
 * Kafka does, it goes by what members say, not by which topics a pattern describes.
 */
export function subscriptionTypeOf(members: Iterable<MemberSubscription>): SubscriptionType {
  let first: MemberSubscription | undefined
  for (const member of members) {
    if (member.topicPattern !== '' && member.topicNames.size > 0) return 'heterogeneous'
    first ??= member
    if (member.topicPattern !== first.topicPattern) return 'heterogeneous'
    const isSame =
      member.topicNames.size === first.topicNames.size &&
      member.topicNames.isSubsetOf(first.topicNames)
    if (!isSame) return 'heterogeneous'
  }
  return 'homogeneous'
}
