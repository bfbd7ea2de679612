// API key 16: ListGroups, which groups there are.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, string } from '../codec/primitives.ts'

/**
 * An admin asks which groups this broker coordinates. v3: flexible. v4: by state (KIP-518). v5: by
 * type (KIP-848).
 */
export const ListGroupsRequest = message(
  { key: 16, versions: [0, 5], flexible: 3 },
  { statesFilter: since(4, array(string())), typesFilter: since(5, array(string())) },
)
/** ListGroupsRequest, decoded. */
export type ListGroupsRequest = Infer<typeof ListGroupsRequest>

/**
 * The groups. v1: throttle time. v2: answered before throttling (KIP-219). v3: flexible. v4: state
 * (KIP-518). v5: type (KIP-848).
 */
export const ListGroupsResponse = message(
  { key: 16, versions: [0, 5], flexible: 3 },
  {
    throttleTimeMs: ignorable(since(1, int32())),
    errorCode: int16(),
    groups: array(
      struct({
        groupId: string(),
        protocolType: string(),
        groupState: ignorable(since(4, string())),
        groupType: ignorable(since(5, string())),
      }),
    ),
  },
)
/** ListGroupsResponse, decoded. */
export type ListGroupsResponse = Infer<typeof ListGroupsResponse>
