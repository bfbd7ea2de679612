// API key 87: ReadShareGroupStateSummary, read where share partitions start.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, nullableString, string, uuid } from '../codec/primitives.ts'

/** A group coordinator reads the start offsets of share partitions (KIP-932). */
export const ReadShareGroupStateSummaryRequest = message(
  { key: 87, versions: [0, 1], flexible: 0 },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(struct({ partition: int32(), leaderEpoch: int32() })),
      }),
    ),
  },
)
/** ReadShareGroupStateSummaryRequest, decoded. */
export type ReadShareGroupStateSummaryRequest = Infer<typeof ReadShareGroupStateSummaryRequest>

/** The start offsets and epochs (KIP-932). v1: delivery complete count (KIP-1226). */
export const ReadShareGroupStateSummaryResponse = message(
  { key: 87, versions: [0, 1], flexible: 0 },
  {
    results: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            errorCode: int16(),
            errorMessage: optional(nullableString(), null),
            stateEpoch: int32(),
            leaderEpoch: int32(),
            startOffset: int64(),
            deliveryCompleteCount: ignorable(since(1, int32(), -1)),
          }),
        ),
      }),
    ),
  },
)
/** ReadShareGroupStateSummaryResponse, decoded. */
export type ReadShareGroupStateSummaryResponse = Infer<typeof ReadShareGroupStateSummaryResponse>
