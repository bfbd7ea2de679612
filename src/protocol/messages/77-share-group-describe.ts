// API key 77: ShareGroupDescribe, the state of share groups.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

const topicPartitions = struct({ topicId: uuid(), topicName: string(), partitions: array(int32()) })

const assignment = struct({ topicPartitions: array(topicPartitions) })

/** An admin asks about share groups (KIP-932). Version 0 was never stable. */
export const ShareGroupDescribeRequest = message(
  { key: 77, versions: [1, 1], flexible: 0 },
  { groupIds: array(string()), includeAuthorizedOperations: bool() },
)
/** ShareGroupDescribeRequest, decoded. */
export type ShareGroupDescribeRequest = Infer<typeof ShareGroupDescribeRequest>

/** The groups and their members (KIP-932). */
export const ShareGroupDescribeResponse = message(
  { key: 77, versions: [1, 1], flexible: 0 },
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
            rackId: optional(nullableString(), null),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(string()),
            assignment,
          }),
        ),
        authorizedOperations: optional(int32(), -2_147_483_648),
      }),
    ),
  },
)
/** ShareGroupDescribeResponse, decoded. */
export type ShareGroupDescribeResponse = Infer<typeof ShareGroupDescribeResponse>
