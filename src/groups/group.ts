// What every group can be asked, whichever protocol its members speak.
import type { GroupRecord } from './group-record.ts'

/** As clients are told, in lower case. */
export type GroupType = 'classic' | 'consumer' | 'share' | 'streams'

/** Who sends a request, as group records keep it. */
export interface GroupClient {
  readonly clientId: string
  /** Java's text of an InetAddress: `/127.0.0.1`. */
  readonly clientHost: string
}

/** Whom a commit of offsets says to come from. */
export interface OffsetClient {
  /** `''` for a simple consumer or a tool. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** -1 for a simple consumer or a tool. */
  readonly generationIdOrMemberEpoch: number
  /** The version of the request's API decides about some refusals. */
  readonly version: number
}

/** Whom a fetch of offsets says to come from. */
export interface OffsetReader extends Omit<OffsetClient, 'memberId'> {
  /** Null for one who does not claim to be a member; `''` is a claim, and a wrong one. */
  readonly memberId: string | null
}

/** From when on the offsets of a group may expire. */
export interface OffsetExpiration {
  /** Milliseconds since the epoch that retention counts from, given when the offset was committed. */
  baseTimestamp(commitTimestamp: number): number
}

/** A group, as the parts that serve all kinds of groups see it. */
export interface Group {
  readonly groupId: string
  readonly type: GroupType
  /** As clients are told: `Empty`, `PreparingRebalance`, `Assigning`, `Stable`, … */
  readonly state: string
  /** As ListGroups tells: `consumer` for the consumers of either protocol, `''` for a simple group, or what a classic group calls itself. */
  readonly protocolType: string
  readonly isEmpty: boolean
  /** Whether a member is subscribed to the topic; true as well where a classic group's metadata can't tell. */
  isSubscribedTo(topic: string): boolean
  /**
   * Throws why this client may not commit: UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, STALE_MEMBER_EPOCH,
   * REBALANCE_IN_PROGRESS, UNSUPPORTED_VERSION. Returns a check of single partitions where the group's kind has one: it
   * throws STALE_MEMBER_EPOCH for a partition that was assigned to the member after the epoch it commits with.
   * A commit that is let through counts as a heartbeat where the protocol says so.
   */
  validateCommit(client: OffsetClient): ((topicId: string, partition: number) => void) | undefined
  /** Throws why this client may not read the committed offsets: UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, ILLEGAL_GENERATION. */
  validateFetch(client: OffsetReader): void
  /** Throws NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND. */
  validateDelete(): void
  /** Throws NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND: for OffsetDelete. */
  validateOffsetDelete(): void
  /** How the group's offsets expire; undefined while they don't. */
  offsetExpiration(): OffsetExpiration | undefined
  /** The records that remove the group, without its offsets. */
  tombstones(): readonly GroupRecord[]
}
