// API key 69: ConsumerGroupDescribe, the state of new-protocol groups.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

const topicPartitions = struct({ topicId: uuid(), topicName: string(), partitions: array(int32()) })

const assignment = struct({ topicPartitions: array(topicPartitions) })

/** An admin asks about groups of the new consumer protocol (KIP-848). */
export const ConsumerGroupDescribeRequest = message(
  { key: 69, versions: [0, 1], flexible: 0 },
  { groupIds: array(string()), includeAuthorizedOperations: bool() },
)
/** ConsumerGroupDescribeRequest, decoded. */
export type ConsumerGroupDescribeRequest = Infer<typeof ConsumerGroupDescribeRequest>

/**
 * The groups, their members, what these have and what they are to have (KIP-848). v1: member type,
 * 0 classic, 1 consumer (KIP-1099).
 */
export const ConsumerGroupDescribeResponse = message(
  { key: 69, versions: [0, 1], flexible: 0 },
  {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: optional(nullableString(), null),
        groupId: string(),
        groupState: string(),
        groupEpoch: int32(),
        assignmentEpoch: int32(),
        assignorName: string(),
        members: array(
          struct({
            memberId: string(),
            instanceId: optional(nullableString(), null),
            rackId: optional(nullableString(), null),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(string()),
            subscribedTopicRegex: optional(nullableString(), null),
            assignment,
            targetAssignment: assignment,
            memberType: ignorable(since(1, int8(), -1)),
          }),
        ),
        authorizedOperations: optional(int32(), -2_147_483_648),
      }),
    ),
  },
)
/** ConsumerGroupDescribeResponse, decoded. */
export type ConsumerGroupDescribeResponse = Infer<typeof ConsumerGroupDescribeResponse>
