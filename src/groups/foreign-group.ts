// Share and streams groups: a Kafka made them, and this broker keeps what is logged of them without serving them.
import { KafkaError } from '#storage/base/errors.ts'
import type { Group, GroupType, OffsetClient } from './group.ts'
import type { GroupRecord } from './group-record.ts'

/** A group that is listed, and otherwise left alone: nobody joins it here, nothing of it expires or is removed. */
export class ForeignGroup implements Group {
  readonly groupId: string
  readonly type: GroupType
  readonly #members = new Set<string>()

  constructor(groupId: string, type: 'share' | 'streams') {
    this.groupId = groupId
    this.type = type
  }

  get state(): string {
    return this.isEmpty ? 'Empty' : 'Stable'
  }

  get protocolType(): string {
    return this.type
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** A member's record was written or removed. */
  setMember(memberId: string, isThere: boolean): void {
    if (isThere) this.#members.add(memberId)
    else this.#members.delete(memberId)
  }

  /** Nobody here knows what it reads. */
  isSubscribedTo(): boolean {
    return true
  }

  /** Tools may set the offsets of a streams group that nobody uses. */
  validateCommit({ memberId, generationIdOrMemberEpoch }: OffsetClient): undefined {
    const isTool = memberId === '' && generationIdOrMemberEpoch < 0
    if (this.type === 'streams' && this.isEmpty && isTool) return undefined
    throw this.#notServed()
  }

  validateFetch(): void {
    if (this.type === 'share') throw this.#notServed()
  }

  validateDelete(): void {
    throw this.#notServed()
  }

  validateOffsetDelete(): void {
    throw this.#notServed()
  }

  offsetExpiration(): undefined {
    return undefined
  }

  tombstones(): readonly GroupRecord[] {
    return []
  }

  #notServed(): KafkaError {
    const detail = `Group ${this.groupId} is a ${this.type} group, and those are not served here`
    return new KafkaError('GROUP_ID_NOT_FOUND', detail)
  }
}

/** Applies a record of a share or streams group. Of what it is not the group's epoch or a member, nothing is kept in memory. */
export function replayForeign(groups: Map<string, Group>, record: GroupRecord): void {
  switch (record.type) {
    case 'ShareGroupMetadata':
    case 'StreamsGroupMetadata': {
      const { groupId } = record.key
      const type = record.type === 'ShareGroupMetadata' ? 'share' : 'streams'
      if (record.value) foreignGroup(groups, groupId, type)
      else if (groups.get(groupId) instanceof ForeignGroup) groups.delete(groupId)
      return
    }
    case 'ShareGroupMemberMetadata':
    case 'StreamsGroupMemberMetadata': {
      const { groupId, memberId } = record.key
      const type = record.type === 'ShareGroupMemberMetadata' ? 'share' : 'streams'
      if (record.value) foreignGroup(groups, groupId, type)?.setMember(memberId, true)
      else foreignOf(groups, groupId)?.setMember(memberId, false)
    }
  }
}

/**
 * The group, made if there is none but a simple one, which its offsets have made when they stand before it in the log.
 * Undefined when the name is another kind's, which a sound log never has.
 */
function foreignGroup(
  groups: Map<string, Group>,
  groupId: string,
  type: 'share' | 'streams',
): ForeignGroup | undefined {
  const known = groups.get(groupId)
  const isSimple = known?.type === 'classic' && known.protocolType === ''
  if (!known || isSimple) groups.set(groupId, new ForeignGroup(groupId, type))
  return foreignOf(groups, groupId)
}

function foreignOf(groups: Map<string, Group>, groupId: string): ForeignGroup | undefined {
  const group = groups.get(groupId)
  return group instanceof ForeignGroup ? group : undefined
}
