// API key 67: AllocateProducerIds, a block of producer ids.
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, int64Exact } from '../codec/primitives.ts'

/** A broker asks the controller for producer ids (KIP-730). */
export const AllocateProducerIdsRequest = message(
  { key: 67, versions: [0, 0], flexible: 0 },
  { brokerId: int32(), brokerEpoch: optional(int64(), -1) },
)
/** AllocateProducerIdsRequest, decoded. */
export type AllocateProducerIdsRequest = Infer<typeof AllocateProducerIdsRequest>

/** The first id of the block, and its length (KIP-730). */
export const AllocateProducerIdsResponse = message(
  { key: 67, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerIdStart: int64Exact(),
    producerIdLen: int32(),
  },
)
/** AllocateProducerIdsResponse, decoded. */
export type AllocateProducerIdsResponse = Infer<typeof AllocateProducerIdsResponse>
