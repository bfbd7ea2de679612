// What a request says of its member, laid over what is known.
import type { ClassicMetadata, ConsumerMember } from './consumer-member.ts'

/** What a member says of itself; null or -1 where it says nothing new. */
export interface MemberUpdate {
  readonly clientId: string
  readonly clientHost: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex: string | null
  /** Null says that it speaks the consumer protocol. */
  readonly classic: ClassicMetadata | null
}

/** The member with the update. The same object when it says nothing new; the same set of names when they are. */
export function updateMember(member: ConsumerMember, update: MemberUpdate): ConsumerMember {
  const { clientId, clientHost } = update
  const instanceId = update.instanceId ?? member.instanceId
  const rackId = update.rackId ?? member.rackId
  const rebalanceTimeoutMs =
    update.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : update.rebalanceTimeoutMs
  const serverAssignor = update.serverAssignor ?? member.serverAssignor
  const subscribedTopicNames = namesAfter(member, update.subscribedTopicNames)
  const subscribedTopicRegex = update.subscribedTopicRegex ?? member.subscribedTopicRegex
  const classic = sameClassic(member.classic, update.classic) ? member.classic : update.classic
  const isSame =
    clientId === member.clientId &&
    clientHost === member.clientHost &&
    instanceId === member.instanceId &&
    rackId === member.rackId &&
    rebalanceTimeoutMs === member.rebalanceTimeoutMs &&
    serverAssignor === member.serverAssignor &&
    subscribedTopicNames === member.subscribedTopicNames &&
    subscribedTopicRegex === member.subscribedTopicRegex &&
    classic === member.classic
  if (isSame) return member
  return {
    ...member,
    clientId,
    clientHost,
    instanceId,
    rackId,
    rebalanceTimeoutMs,
    serverAssignor,
    subscribedTopicNames,
    subscribedTopicRegex,
    classic,
  }
}

function namesAfter(member: ConsumerMember, names: readonly string[] | null): ReadonlySet<string> {
  const known = member.subscribedTopicNames
  if (names === null) return known
  const said = new Set(names)
  return said.size === known.size && said.isSubsetOf(known) ? known : said
}

function sameClassic(left: ClassicMetadata | null, right: ClassicMetadata | null): boolean {
  if (left === null || right === null) return left === right
  return (
    left.sessionTimeoutMs === right.sessionTimeoutMs &&
    left.supportedProtocols.length === right.supportedProtocols.length &&
    left.supportedProtocols.every(({ name, metadata }, index) => {
      const other = right.supportedProtocols[index]
      return other?.name === name && sameBytes(other.metadata, metadata)
    })
  )
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
