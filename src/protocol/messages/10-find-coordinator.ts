// API key 10: FindCoordinator, which broker coordinates a group.
import { array, struct } from '../codec/composites.ts'
import { ignorable, range, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * A client looks for the coordinator of a key. v1: key type: 0 group, 1 transaction (KIP-98). v3:
 * flexible. v4: several keys, in `coordinatorKeys` (KIP-699). v5: TRANSACTION_ABORTABLE (KIP-890).
 * v6: 2, share group, its key `groupId:topicId:partition` (KIP-932).
 */
export const FindCoordinatorRequest = message(
  { key: 10, versions: [0, 6], flexible: 3 },
  {
    key: until(3, string()),
    keyType: since(1, int8()),
    coordinatorKeys: since(4, array(string())),
  },
)
/** FindCoordinatorRequest, decoded. */
export type FindCoordinatorRequest = Infer<typeof FindCoordinatorRequest>

/**
 * The coordinator; node −1 with an error. v1: throttle time and error message. v2: answered before
 * throttling (KIP-219). v3: flexible. v4: one entry per key, in `coordinators` (KIP-699).
 */
export const FindCoordinatorResponse = message(
  { key: 10, versions: [0, 6], flexible: 3 },
  {
    throttleTimeMs: ignorable(since(1, int32())),
    errorCode: until(3, int16()),
    errorMessage: ignorable(range([1, 3], nullableString())),
    nodeId: until(3, int32()),
    host: until(3, string()),
    port: until(3, int32()),
    coordinators: since(
      4,
      array(
        struct({
          key: string(),
          nodeId: int32(),
          host: string(),
          port: int32(),
          errorCode: int16(),
          errorMessage: nullableString(),
        }),
      ),
    ),
  },
)
/** FindCoordinatorResponse, decoded. */
export type FindCoordinatorResponse = Infer<typeof FindCoordinatorResponse>
