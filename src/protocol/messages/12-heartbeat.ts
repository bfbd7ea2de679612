// API key 12: Heartbeat, a classic group member lives.
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string } from '../codec/primitives.ts'

/** A classic-group member says that it is alive. v3: static membership (KIP-345). v4: flexible. */
export const HeartbeatRequest = message(
  { key: 12, versions: [0, 4], flexible: 4 },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: since(3, nullableString(), null),
  },
)
/** HeartbeatRequest, decoded. */
export type HeartbeatRequest = Infer<typeof HeartbeatRequest>

/**
 * Whether the member still belongs to its generation. v1: throttle time. v2: answered before
 * throttling (KIP-219). v4: flexible.
 */
export const HeartbeatResponse = message(
  { key: 12, versions: [0, 4], flexible: 4 },
  { throttleTimeMs: ignorable(since(1, int32())), errorCode: int16() },
)
/** HeartbeatResponse, decoded. */
export type HeartbeatResponse = Infer<typeof HeartbeatResponse>
