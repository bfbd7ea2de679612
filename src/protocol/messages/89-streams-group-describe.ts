// API key 89: StreamsGroupDescribe, the state of streams groups.
import { array, nullableArray, nullableStruct, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, int64, nullableString, string, uint16 } from '../codec/primitives.ts'

const keyValue = struct({ key: string(), value: string() })

const topicInfo = struct({
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
})

const taskOffset = struct({ subtopologyId: string(), partition: int32(), offset: int64() })

const taskIds = struct({ subtopologyId: string(), partitions: array(int32()) })

const assignment = struct({
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
})

/** An admin asks about streams groups (KIP-1071). */
export const StreamsGroupDescribeRequest = message(
  { key: 89, versions: [0, 0], flexible: 0 },
  { groupIds: array(string()), includeAuthorizedOperations: bool() },
)
/** StreamsGroupDescribeRequest, decoded. */
export type StreamsGroupDescribeRequest = Infer<typeof StreamsGroupDescribeRequest>

/** The groups, their topology and their members (KIP-1071). */
export const StreamsGroupDescribeResponse = message(
  { key: 89, versions: [0, 0], flexible: 0 },
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
        topology: optional(
          nullableStruct({
            epoch: int32(),
            subtopologies: optional(
              nullableArray(
                struct({
                  subtopologyId: string(),
                  sourceTopics: array(string()),
                  repartitionSinkTopics: array(string()),
                  stateChangelogTopics: array(topicInfo),
                  repartitionSourceTopics: array(topicInfo),
                }),
              ),
              null,
            ),
          }),
        ),
        members: array(
          struct({
            memberId: string(),
            memberEpoch: int32(),
            instanceId: optional(nullableString(), null),
            rackId: optional(nullableString(), null),
            clientId: string(),
            clientHost: string(),
            topologyEpoch: int32(),
            processId: string(),
            userEndpoint: optional(nullableStruct({ host: string(), port: uint16() })),
            clientTags: array(keyValue),
            taskOffsets: array(taskOffset),
            taskEndOffsets: array(taskOffset),
            assignment,
            targetAssignment: assignment,
            isClassic: bool(),
          }),
        ),
        authorizedOperations: optional(int32(), -2_147_483_648),
      }),
    ),
  },
)
/** StreamsGroupDescribeResponse, decoded. */
export type StreamsGroupDescribeResponse = Infer<typeof StreamsGroupDescribeResponse>
