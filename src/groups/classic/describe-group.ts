// A classic group as DescribeGroups tells of it.
import type { DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import type { ClassicGroup } from './classic-group.ts'

/** What an administrator is told of a classic group. */
export type DescribedClassicGroup = Pick<
  DescribeGroupsResponse['groups'][number],
  'groupId' | 'groupState' | 'protocolType' | 'protocolData' | 'members'
>

const NO_BYTES = new Uint8Array(0)

/** What the members said when they joined is told of a stable group only: in others it may belong to no protocol yet. */
export function describeClassicGroup(group: ClassicGroup): DescribedClassicGroup {
  const isStable = group.isInState('Stable')
  return {
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? member.metadata(group.protocolName) : NO_BYTES,
      memberAssignment: member.assignment,
    })),
  }
}
