// API key 79: ShareAcknowledge, acknowledge records of a share group.
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
  string,
  uuid,
} from '../codec/primitives.ts'

/**
 * A member accepts (1), releases (2) or rejects (3) records; 0 is a gap (KIP-932). Version 0 was
 * never stable. v2: renewal (4) (KIP-1222).
 */
export const ShareAcknowledgeRequest = message(
  { key: 79, versions: [1, 2], flexible: 0 },
  {
    groupId: optional(nullableString(), null),
    memberId: nullableString(),
    shareSessionEpoch: int32(),
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
  },
)
/** ShareAcknowledgeRequest, decoded. */
export type ShareAcknowledgeRequest = Infer<typeof ShareAcknowledgeRequest>

/** What became of each partition (KIP-932). v2: lock timeout (KIP-1222). */
export const ShareAcknowledgeResponse = message(
  { key: 79, versions: [1, 2], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: optional(nullableString(), null),
    acquisitionLockTimeoutMs: ignorable(since(2, int32())),
    responses: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: optional(nullableString(), null),
            currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }),
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
/** ShareAcknowledgeResponse, decoded. */
export type ShareAcknowledgeResponse = Infer<typeof ShareAcknowledgeResponse>
