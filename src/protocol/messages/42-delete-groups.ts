// API key 42: DeleteGroups, delete groups.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, string } from '../codec/primitives.ts'

/** An admin deletes empty groups (KIP-229). v2: flexible. */
export const DeleteGroupsRequest = message(
  { key: 42, versions: [0, 2], flexible: 2 },
  { groupsNames: array(string()) },
)
/** DeleteGroupsRequest, decoded. */
export type DeleteGroupsRequest = Infer<typeof DeleteGroupsRequest>

/** What became of each group (KIP-229). v1: answered before throttling (KIP-219). v2: flexible. */
export const DeleteGroupsResponse = message(
  { key: 42, versions: [0, 2], flexible: 2 },
  { throttleTimeMs: int32(), results: array(struct({ groupId: string(), errorCode: int16() })) },
)
/** DeleteGroupsResponse, decoded. */
export type DeleteGroupsResponse = Infer<typeof DeleteGroupsResponse>
