// API key 78: ShareFetch, acquire records of a share group.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  bool,
  int8,
  int16,
  int32,
  int64,
  nullableString,
  records,
  string,
  uuid,
} from '../codec/primitives.ts'

/**
 * A member acquires records, and acknowledges earlier ones (KIP-932). Version 0 was never stable.
 * v2: acquire mode (KIP-1206), renewal (KIP-1222).
 */
export const ShareFetchRequest = message(
  { key: 78, versions: [1, 2], flexible: 0 },
  {
    groupId: optional(nullableString(), null),
    memberId: nullableString(),
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: optional(int32(), 2_147_483_647),
    maxRecords: int32(),
    batchSize: int32(),
    shareAcquireMode: ignorable(since(2, int8())),
    isRenewAck: since(2, bool()),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            acknowledgementBatches: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                acknowledgeTypes: array(int8()),
              }),
            ),
          }),
        ),
      }),
    ),
    forgottenTopicsData: array(struct({ topicId: uuid(), partitions: array(int32()) })),
  },
)
/** ShareFetchRequest, decoded. */
export type ShareFetchRequest = Infer<typeof ShareFetchRequest>

/** The records, and which of them are acquired, for how long (KIP-932). */
export const ShareFetchResponse = message(
  { key: 78, versions: [1, 2], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: optional(nullableString(), null),
    acquisitionLockTimeoutMs: int32(),
    responses: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: optional(nullableString(), null),
            acknowledgeErrorCode: int16(),
            acknowledgeErrorMessage: optional(nullableString(), null),
            currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }),
            records: records(),
            acquiredRecords: array(
              struct({ firstOffset: int64(), lastOffset: int64(), deliveryCount: int16() }),
            ),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: optional(nullableString(), null),
      }),
    ),
  },
)
/** ShareFetchResponse, decoded. */
export type ShareFetchResponse = Infer<typeof ShareFetchResponse>
