// What an assignor is given and what it gives (KIP-848): pure functions from members and topics to target assignments.
import type { Uuid } from '#storage/base/uuid.ts'
import type { Assignment } from './assignment.ts'

/** Whether all members are subscribed to the same topics. */
export type SubscriptionType = 'homogeneous' | 'heterogeneous'

/** A member as an assignor sees it. */
export interface AssignorMember {
  /** Of a static member. */
  readonly instanceId: string | null
  /** Uniform takes topics in this order where all members have the same. */
  readonly subscribedTopicIds: ReadonlySet<Uuid>
  /** Its target until now; for a static member that replaces another, that one's. */
  readonly current: Assignment
}

/**
 * The group and its topics. The order of the members decides who gets one more where partitions don't divide evenly, so
 * it should be the same at every broker: that of the log.
 */
export interface AssignorInput {
  readonly subscriptionType: SubscriptionType
  readonly members: ReadonlyMap<string, AssignorMember>
  readonly topics: {
    /** -1 for a topic that does not exist; it then counts as one without partitions. */
    partitionCount(topicId: Uuid): number
  }
}

/** A target for every member. A member that keeps what it had gets the same object back. */
export type TargetAssignments = ReadonlyMap<string, Assignment>

/** One way of sharing partitions among members. Like Kafka 4.3's, none looks at racks. */
export interface Assignor {
  /** As clients ask for it. */
  readonly name: 'uniform' | 'range'
  assign(input: AssignorInput): TargetAssignments
}
