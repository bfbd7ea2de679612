// API key 3: Metadata, brokers, topics and leaders.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, range, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

/**
 * A client asks who the brokers are and who leads what. Null topics: all of them; in v0 an empty
 * list means that too. v4: may forbid auto-creation (KIP-204). v8: authorized operations
 * (KIP-430). v9: flexible. v10: topic ids, served since v12 (KIP-516). v11: the cluster's
 * operations moved to DescribeCluster (KIP-700).
 */
export const MetadataRequest = message(
  { key: 3, versions: [0, 13], flexible: 9 },
  {
    topics: nullableArray(
      struct({ topicId: ignorable(since(10, uuid())), name: nullableString(10) }),
      1,
    ),
    allowAutoTopicCreation: since(4, bool(), true),
    includeClusterAuthorizedOperations: range([8, 10], bool()),
    includeTopicAuthorizedOperations: since(8, bool()),
  },
)
/** MetadataRequest, decoded. */
export type MetadataRequest = Infer<typeof MetadataRequest>

/**
 * The brokers under the addresses of the listener that was asked, and the topics. v1: rack,
 * controller, internal flag. v2: cluster id (KIP-78). v3: throttle time. v5: offline replicas
 * (KIP-112). v6: answered before throttling (KIP-219). v7: leader epoch (KIP-320). v8: authorized
 * operations (KIP-430). v9: flexible. v10: topic ids (KIP-516). v12: names may be null. v13:
 * top-level error (KIP-1102).
 */
export const MetadataResponse = message(
  { key: 3, versions: [0, 13], flexible: 9 },
  {
    throttleTimeMs: ignorable(since(3, int32())),
    brokers: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: ignorable(since(1, nullableString(), null)),
      }),
    ),
    clusterId: ignorable(since(2, nullableString(), null)),
    controllerId: ignorable(since(1, int32(), -1)),
    topics: array(
      struct({
        errorCode: int16(),
        name: nullableString(12),
        topicId: ignorable(since(10, uuid())),
        isInternal: ignorable(since(1, bool())),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: ignorable(since(7, int32(), -1)),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            offlineReplicas: ignorable(since(5, array(int32()))),
          }),
        ),
        topicAuthorizedOperations: since(8, int32(), -2_147_483_648),
      }),
    ),
    clusterAuthorizedOperations: range([8, 10], int32(), -2_147_483_648),
    errorCode: ignorable(since(13, int16())),
  },
)
/** MetadataResponse, decoded. */
export type MetadataResponse = Infer<typeof MetadataResponse>
