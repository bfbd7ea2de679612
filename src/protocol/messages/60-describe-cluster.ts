// API key 60: DescribeCluster, the cluster and its brokers.
import { array, struct } from '../codec/composites.ts'
import { optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin asks who the brokers are (KIP-700). v1: or the controllers: endpoint type 2 (KIP-919).
 * v2: fenced brokers too (KIP-1073).
 */
export const DescribeClusterRequest = message(
  { key: 60, versions: [0, 2], flexible: 0 },
  {
    includeClusterAuthorizedOperations: bool(),
    endpointType: since(1, int8(), 1),
    includeFencedBrokers: since(2, bool()),
  },
)
/** DescribeClusterRequest, decoded. */
export type DescribeClusterRequest = Infer<typeof DescribeClusterRequest>

/**
 * The cluster's id, controller and brokers (KIP-700). v1: endpoint type (KIP-919). v2: which
 * brokers are fenced (KIP-1073).
 */
export const DescribeClusterResponse = message(
  { key: 60, versions: [0, 2], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: optional(nullableString(), null),
    endpointType: since(1, int8(), 1),
    clusterId: string(),
    controllerId: optional(int32(), -1),
    brokers: array(
      struct({
        brokerId: int32(),
        host: string(),
        port: int32(),
        rack: optional(nullableString(), null),
        isFenced: since(2, bool()),
      }),
    ),
    clusterAuthorizedOperations: optional(int32(), -2_147_483_648),
  },
)
/** DescribeClusterResponse, decoded. */
export type DescribeClusterResponse = Infer<typeof DescribeClusterResponse>
