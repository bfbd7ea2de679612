// A member of a classic group: what is logged of it, and the requests of its that wait for an answer.
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { Parked } from './parked.ts'

/** A way of assigning that a member knows, and what its assignor needs to be told of the member. Opaque bytes. */
export interface ClassicProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

/** Who a member is. */
export interface ClassicMemberIdentity {
  readonly memberId: string
  /** Null for a dynamic member. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  /** As Java writes an InetAddress: `/127.0.0.1`. */
  readonly clientHost: string
}

/** What a member says of itself each time that it joins. */
export interface ClassicMemberTerms {
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** The most wanted first. Owned by the member: no views on a request. */
  readonly protocols: readonly ClassicProtocol[]
}

const NO_BYTES = new Uint8Array(0)

/** A member of a classic group. Its group counts who waits for a join and who knows which protocol: change it there. */
export class ClassicMember implements ClassicMemberIdentity, ClassicMemberTerms {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocols: readonly ClassicProtocol[]
  /** What the leader gave it in this generation. */
  assignment: Uint8Array = NO_BYTES
  awaitingJoin: Parked<JoinGroupResponse> | undefined
  awaitingSync: Parked<SyncGroupResponse> | undefined
  /** Its first join waits: it can't send heartbeats yet, and is given up after a time of its own. */
  isNew = false

  constructor(who: ClassicMemberIdentity, terms: ClassicMemberTerms) {
    this.memberId = who.memberId
    this.groupInstanceId = who.groupInstanceId
    this.clientId = who.clientId
    this.clientHost = who.clientHost
    this.rebalanceTimeoutMs = terms.rebalanceTimeoutMs
    this.sessionTimeoutMs = terms.sessionTimeoutMs
    this.protocols = terms.protocols
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null
  }

  /** Whether the coordinator owes it an answer, so that it may be silent. */
  get isWaiting(): boolean {
    return !this.isNew && (this.awaitingJoin !== undefined || this.awaitingSync !== undefined)
  }

  /** What it says under this protocol; nothing where it doesn't know it. */
  metadata(protocolName: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES
  }

  /** Whether it would say the same again, in the same order. */
  matches(protocols: readonly ClassicProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, index) => {
        const own = this.protocols[index]
        return own !== undefined && own.name === name && isSame(own.metadata, metadata)
      })
    )
  }

  /** The first of its protocols that is a candidate. */
  vote(isCandidate: (name: string) => boolean): string | undefined {
    return this.protocols.find(({ name }) => isCandidate(name))?.name
  }

  /** Takes the assignment back. */
  unassign(): void {
    this.assignment = NO_BYTES
  }
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
