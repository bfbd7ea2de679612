// API key 88: StreamsGroupHeartbeat, membership of a streams group.
import { array, nullableArray, nullableStruct, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  bool,
  int8,
  int16,
  int32,
  int64,
  nullableString,
  string,
  uint16,
} from '../codec/primitives.ts'

const keyValue = struct({ key: string(), value: string() })

const topicInfo = struct({
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
})

const taskIds = struct({ subtopologyId: string(), partitions: array(int32()) })

const endpoint = { host: string(), port: uint16() }

const taskOffset = struct({ subtopologyId: string(), partition: int32(), offset: int64() })

const status = struct({ statusCode: int8(), statusDetail: string() })

const topicPartition = struct({ topic: string(), partitions: array(int32()) })

/**
 * A member of a Kafka Streams application joins (epoch 0), lives or leaves (−1, static −2). Null
 * or −1: unchanged since the last (KIP-1071).
 */
export const StreamsGroupHeartbeatRequest = message(
  { key: 88, versions: [0, 0], flexible: 0 },
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    endpointInformationEpoch: int32(),
    instanceId: optional(nullableString(), null),
    rackId: optional(nullableString(), null),
    rebalanceTimeoutMs: optional(int32(), -1),
    topology: optional(
      nullableStruct({
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
      }),
    ),
    activeTasks: optional(nullableArray(taskIds), null),
    standbyTasks: optional(nullableArray(taskIds), null),
    warmupTasks: optional(nullableArray(taskIds), null),
    processId: optional(nullableString(), null),
    userEndpoint: optional(nullableStruct(endpoint)),
    clientTags: optional(nullableArray(keyValue), null),
    taskOffsets: optional(nullableArray(taskOffset), null),
    taskEndOffsets: optional(nullableArray(taskOffset), null),
    shutdownApplication: optional(bool()),
  },
)
/** StreamsGroupHeartbeatRequest, decoded. */
export type StreamsGroupHeartbeatRequest = Infer<typeof StreamsGroupHeartbeatRequest>

/** The member's epoch, its tasks and what is wrong with the group (KIP-1071). */
export const StreamsGroupHeartbeatResponse = message(
  { key: 88, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: optional(nullableString(), null),
    memberId: string(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    acceptableRecoveryLag: int32(),
    taskOffsetIntervalMs: int32(),
    status: nullableArray(status),
    activeTasks: optional(nullableArray(taskIds), null),
    standbyTasks: optional(nullableArray(taskIds), null),
    warmupTasks: optional(nullableArray(taskIds), null),
    endpointInformationEpoch: int32(),
    partitionsByUserEndpoint: optional(
      nullableArray(
        struct({
          userEndpoint: struct(endpoint),
          activePartitions: array(topicPartition),
          standbyPartitions: array(topicPartition),
        }),
      ),
      null,
    ),
  },
)
/** StreamsGroupHeartbeatResponse, decoded. */
export type StreamsGroupHeartbeatResponse = Infer<typeof StreamsGroupHeartbeatResponse>
