// Which member has which partition, while an assignor works.
import type { Uuid } from '#storage/base/uuid.ts'
import type { AssignorInput } from './assignor.ts'

/** No member has the partition. */
export const UNOWNED = -1

/** For each topic the index of the member that has each of its partitions, or UNOWNED. */
export type PartitionOwners = ReadonlyMap<Uuid, Int32Array>

/**
 * Who has what of these topics now. A member keeps what it is still subscribed to and what still exists; where two claim
 * the same partition, which no assignor brings about, the last has it.
 */
export function currentOwners(
  { members, topics }: AssignorInput,
  topicIds: Iterable<Uuid>,
): PartitionOwners {
  const owners = new Map<Uuid, Int32Array>()
  for (const topicId of topicIds) {
    const count = Math.max(0, topics.partitionCount(topicId))
    owners.set(topicId, new Int32Array(count).fill(UNOWNED))
  }
  let index = 0
  for (const { current, subscribedTopicIds } of members.values()) {
    for (const [topicId, partitions] of current) {
      const ofTopic = owners.get(topicId)
      if (ofTopic === undefined || !subscribedTopicIds.has(topicId)) continue
      // A typed array takes no value outside its bounds: such partitions exist no more.
      for (const partition of partitions) ofTopic[partition] = index
    }
    index++
  }
  return owners
}
