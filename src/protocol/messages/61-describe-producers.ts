// API key 61: DescribeProducers, the producers that a partition knows.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, int64Exact, nullableString, string } from '../codec/primitives.ts'

/** An admin asks for the producer state of partitions (KIP-664). */
export const DescribeProducersRequest = message(
  { key: 61, versions: [0, 0], flexible: 0 },
  { topics: array(struct({ name: string(), partitionIndexes: array(int32()) })) },
)
/** DescribeProducersRequest, decoded. */
export type DescribeProducersRequest = Infer<typeof DescribeProducersRequest>

/** The active producers of each partition; `currentTxnStartOffset` −1: no transaction (KIP-664). */
export const DescribeProducersResponse = message(
  { key: 61, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: optional(nullableString(), null),
            activeProducers: array(
              struct({
                producerId: int64Exact(),
                producerEpoch: int32(),
                lastSequence: optional(int32(), -1),
                lastTimestamp: optional(int64Exact(), -1),
                coordinatorEpoch: int32(),
                currentTxnStartOffset: optional(int64(), -1),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
/** DescribeProducersResponse, decoded. */
export type DescribeProducersResponse = Infer<typeof DescribeProducersResponse>
