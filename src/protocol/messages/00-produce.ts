// API key 0: Produce, write record batches.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, tagged, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  int16,
  int32,
  int64,
  int64Exact,
  nullableRecords,
  nullableString,
  string,
  uuid,
} from '../codec/primitives.ts'

/**
 * A producer appends batches, one to a partition. acks: 0, 1 or −1 (all). Versions 0 to 2 are
 * advertised for old librdkafka but refused (KAFKA-18659). v3: transactional id, message format v2
 * (KIP-98). v7: zstd (KIP-110). v8: record errors in the answer (KIP-467). v9: flexible. v10: the
 * leader in the answer (KIP-951). v11: TRANSACTION_ABORTABLE; v12: adds partitions to the
 * transaction by itself (KIP-890). v13: topic ids (KIP-516).
 */
export const ProduceRequest = message(
  { key: 0, versions: [3, 13], flexible: 9 },
  {
    transactionalId: optional(nullableString(), null),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct({
        name: ignorable(until(12, string())),
        topicId: ignorable(since(13, uuid())),
        partitionData: array(struct({ index: int32(), records: nullableRecords() })),
      }),
    ),
  },
)
/** ProduceRequest, decoded. */
export type ProduceRequest = Infer<typeof ProduceRequest>

/**
 * Where each batch went, or why not; there is none for acks 0. v5: log start offset. v8: record
 * errors and a message (KIP-467). v9: flexible. v10: current leader and node endpoints (KIP-951).
 * v13: topic ids (KIP-516).
 */
export const ProduceResponse = message(
  { key: 0, versions: [3, 13], flexible: 9 },
  {
    responses: array(
      struct({
        name: ignorable(until(12, string())),
        topicId: ignorable(since(13, uuid())),
        partitionResponses: array(
          struct({
            index: int32(),
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: optional(int64Exact(), -1),
            logStartOffset: ignorable(since(5, int64(), -1)),
            recordErrors: ignorable(
              since(
                8,
                array(
                  struct({
                    batchIndex: int32(),
                    batchIndexErrorMessage: optional(nullableString(), null),
                  }),
                ),
              ),
            ),
            errorMessage: ignorable(since(8, nullableString(), null)),
            currentLeader: tagged(
              0,
              10,
              struct({ leaderId: optional(int32(), -1), leaderEpoch: optional(int32(), -1) }),
            ),
          }),
        ),
      }),
    ),
    throttleTimeMs: optional(int32()),
    nodeEndpoints: tagged(
      0,
      10,
      array(
        struct({
          nodeId: int32(),
          host: string(),
          port: int32(),
          rack: optional(nullableString(), null),
        }),
      ),
    ),
  },
)
/** ProduceResponse, decoded. */
export type ProduceResponse = Infer<typeof ProduceResponse>
