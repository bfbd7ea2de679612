// A member of a consumer group as the log has it.
import type {
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataValue,
} from '../../protocol/records/groups/consumer-group.ts'
import { NOTHING_OWNED, type OwnedPartitions, ownedFromRecord } from './owned-partitions.ts'

/** How far a member has come towards its target assignment, as records number it. */
export const MEMBER_STATE = {
  /** Has what the target of its epoch says. */
  STABLE: 0,
  /** Was told to give partitions up, and has not said yet that it has. */
  UNREVOKED_PARTITIONS: 1,
  /** Waits for partitions that other members have not given up yet. */
  UNRELEASED_PARTITIONS: 2,
} as const

/** The epoch in a request that joins. */
export const JOIN_EPOCH = 0
/** The epoch in a request that leaves; also of a member between its tombstones. */
export const LEAVE_EPOCH = -1
/** The epoch in a request of a static member that will be back, and of the member until then. */
export const STATIC_LEAVE_EPOCH = -2

/** What a member that speaks the classic protocol joined with. */
export type ClassicMetadata = NonNullable<ConsumerGroupMemberMetadataValue['classicMemberMetadata']>

/** A member; immutable. A change is a new object, so what is the same object has not changed. */
export interface ConsumerMember {
  readonly memberId: string
  readonly memberEpoch: number
  /** Accepted from a member that may have missed the answer with its newest epoch. */
  readonly previousMemberEpoch: number
  /** One of MEMBER_STATE, or what a newer Kafka wrote. */
  readonly state: number
  /** Of a static member. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** -1 until it was told. */
  readonly rebalanceTimeoutMs: number
  readonly subscribedTopicNames: ReadonlySet<string>
  /** Null or empty: none. */
  readonly subscribedTopicRegex: string | null
  readonly serverAssignor: string | null
  /** Null for a member that speaks the consumer protocol. */
  readonly classic: ClassicMetadata | null
  readonly assigned: OwnedPartitions
  readonly pendingRevocation: OwnedPartitions
}

/** A member of whom nothing is known yet. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: MEMBER_STATE.STABLE,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: new Set(),
    subscribedTopicRegex: '',
    serverAssignor: null,
    classic: null,
    assigned: NOTHING_OWNED,
    pendingRevocation: NOTHING_OWNED,
  }
}

/** The pattern that the member is subscribed to, if any. */
export function regexOf(member: ConsumerMember | undefined): string | undefined {
  return member?.subscribedTopicRegex || undefined
}

/** Whether it has all that the target of this epoch gives it. */
export function isReconciledTo(member: ConsumerMember, assignmentEpoch: number): boolean {
  return member.state === MEMBER_STATE.STABLE && member.memberEpoch === assignmentEpoch
}

/** The protocols that a classic member supports, the preferred first. */
export function classicProtocols(
  member: ConsumerMember,
): readonly { readonly name: string; readonly metadata: Uint8Array }[] {
  return member.classic?.supportedProtocols ?? []
}

/** The member, brought up to date by a record of type 5. */
export function withMetadata(
  member: ConsumerMember,
  value: ConsumerGroupMemberMetadataValue,
): ConsumerMember {
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    subscribedTopicNames: new Set(value.subscribedTopicNames),
    subscribedTopicRegex: value.subscribedTopicRegex,
    serverAssignor: value.serverAssignor,
    classic: value.classicMemberMetadata,
  }
}

/** The member, brought up to date by a record of type 8. */
export function withCurrentAssignment(
  member: ConsumerMember,
  value: ConsumerGroupCurrentMemberAssignmentValue,
): ConsumerMember {
  const { memberEpoch } = value
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: value.state,
    assigned: ownedFromRecord(value.assignedPartitions, memberEpoch),
    pendingRevocation: ownedFromRecord(value.partitionsPendingRevocation, memberEpoch),
  }
}
