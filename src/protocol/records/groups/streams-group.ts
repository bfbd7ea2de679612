// Group record types 17 and 19 to 23: what is kept of a streams group (KIP-1071).
import { array, nullableArray, nullableStruct, struct } from '../../codec/composites.ts'
import { tagged } from '../../codec/fields.ts'
import { type Infer, message } from '../../codec/message.ts'
import {
  int8,
  int16,
  int32,
  int64,
  int64Exact,
  nullableString,
  string,
  uint16,
} from '../../codec/primitives.ts'

/** The group. */
export const StreamsGroupMetadataKey = message({ key: 17, versions: [0, 0] }, { groupId: string() })
/** StreamsGroupMetadataKey, decoded. */
export type StreamsGroupMetadataKey = Infer<typeof StreamsGroupMetadataKey>

/** The group epoch and the hash of the metadata of all its topics. */
export const StreamsGroupMetadataValue = message(
  { key: 17, versions: [0, 0], flexible: 0 },
  {
    epoch: int32(),
    metadataHash: int64Exact(),
    validatedTopologyEpoch: tagged(0, 0, int32(), -1),
    lastAssignmentConfigs: tagged(1, 0, nullableArray(struct({ key: string(), value: string() }))),
    storedDescriptionTopologyEpoch: tagged(2, 0, int32(), -1),
    failedDescriptionTopologyEpoch: tagged(3, 0, int32(), -1),
  },
)
/** StreamsGroupMetadataValue, decoded. */
export type StreamsGroupMetadataValue = Infer<typeof StreamsGroupMetadataValue>

/** Group and member. */
export const StreamsGroupMemberMetadataKey = message(
  { key: 19, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** StreamsGroupMemberMetadataKey, decoded. */
export type StreamsGroupMemberMetadataKey = Infer<typeof StreamsGroupMemberMetadataKey>

/** What a member says of itself. */
export const StreamsGroupMemberMetadataValue = message(
  { key: 19, versions: [0, 0], flexible: 0 },
  {
    instanceId: nullableString(),
    rackId: nullableString(),
    clientId: string(),
    clientHost: string(),
    rebalanceTimeoutMs: int32(),
    topologyEpoch: int32(),
    processId: string(),
    userEndpoint: nullableStruct({ host: string(), port: uint16() }),
    clientTags: array(struct({ key: string(), value: string() })),
  },
)
/** StreamsGroupMemberMetadataValue, decoded. */
export type StreamsGroupMemberMetadataValue = Infer<typeof StreamsGroupMemberMetadataValue>

/** The group. */
export const StreamsGroupTargetAssignmentMetadataKey = message(
  { key: 20, versions: [0, 0] },
  { groupId: string() },
)
/** StreamsGroupTargetAssignmentMetadataKey, decoded. */
export type StreamsGroupTargetAssignmentMetadataKey = Infer<
  typeof StreamsGroupTargetAssignmentMetadataKey
>

/** The group epoch that the target assignment was computed for. */
export const StreamsGroupTargetAssignmentMetadataValue = message(
  { key: 20, versions: [0, 0], flexible: 0 },
  { assignmentEpoch: int32(), assignmentTimestamp: tagged(0, 0, int64()) },
)
/** StreamsGroupTargetAssignmentMetadataValue, decoded. */
export type StreamsGroupTargetAssignmentMetadataValue = Infer<
  typeof StreamsGroupTargetAssignmentMetadataValue
>

/** Group and member. */
export const StreamsGroupTargetAssignmentMemberKey = message(
  { key: 21, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** StreamsGroupTargetAssignmentMemberKey, decoded. */
export type StreamsGroupTargetAssignmentMemberKey = Infer<
  typeof StreamsGroupTargetAssignmentMemberKey
>

const taskIds = struct({ subtopologyId: string(), partitions: array(int32()) })

/** The tasks that the member is to have. */
export const StreamsGroupTargetAssignmentMemberValue = message(
  { key: 21, versions: [0, 0], flexible: 0 },
  { activeTasks: array(taskIds), standbyTasks: array(taskIds), warmupTasks: array(taskIds) },
)
/** StreamsGroupTargetAssignmentMemberValue, decoded. */
export type StreamsGroupTargetAssignmentMemberValue = Infer<
  typeof StreamsGroupTargetAssignmentMemberValue
>

/** Group and member. */
export const StreamsGroupCurrentMemberAssignmentKey = message(
  { key: 22, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** StreamsGroupCurrentMemberAssignmentKey, decoded. */
export type StreamsGroupCurrentMemberAssignmentKey = Infer<
  typeof StreamsGroupCurrentMemberAssignmentKey
>

const ownedTaskIds = struct({
  subtopologyId: string(),
  partitions: array(int32()),
  assignmentEpochs: tagged(0, 0, nullableArray(int32())),
})

/** The tasks that the member has and has to give up, and how far it has come. */
export const StreamsGroupCurrentMemberAssignmentValue = message(
  { key: 22, versions: [0, 0], flexible: 0 },
  {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    activeTasks: array(ownedTaskIds),
    standbyTasks: array(ownedTaskIds),
    warmupTasks: array(ownedTaskIds),
    activeTasksPendingRevocation: array(ownedTaskIds),
    standbyTasksPendingRevocation: array(ownedTaskIds),
    warmupTasksPendingRevocation: array(ownedTaskIds),
  },
)
/** StreamsGroupCurrentMemberAssignmentValue, decoded. */
export type StreamsGroupCurrentMemberAssignmentValue = Infer<
  typeof StreamsGroupCurrentMemberAssignmentValue
>

/** The group. */
export const StreamsGroupTopologyKey = message({ key: 23, versions: [0, 0] }, { groupId: string() })
/** StreamsGroupTopologyKey, decoded. */
export type StreamsGroupTopologyKey = Infer<typeof StreamsGroupTopologyKey>

const topicInfo = struct({
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(struct({ key: string(), value: string() })),
})

/** The topology that the tasks are cut from. */
export const StreamsGroupTopologyValue = message(
  { key: 23, versions: [0, 0], flexible: 0 },
  {
    epoch: int32(),
    subtopologies: array(
      struct({
        subtopologyId: string(),
        sourceTopics: array(string()),
        sourceTopicRegex: array(string()),
        stateChangelogTopics: array(topicInfo),
        repartitionSinkTopics: array(string()),
        repartitionSourceTopics: array(topicInfo),
        copartitionGroups: array(
          struct({
            sourceTopics: array(int16()),
            sourceTopicRegex: array(int16()),
            repartitionSourceTopics: array(int16()),
          }),
        ),
      }),
    ),
  },
)
/** StreamsGroupTopologyValue, decoded. */
export type StreamsGroupTopologyValue = Infer<typeof StreamsGroupTopologyValue>
