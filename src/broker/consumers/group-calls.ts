// What a consumer inside the broker asks of the group coordinator: the same requests that come over the wire.
import type { InferInput } from '../../protocol/codec/message.ts'
import type {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '../../protocol/messages/08-offset-commit.ts'
import type {
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '../../protocol/messages/09-offset-fetch.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'

/** The calls, for one client. Errors of the whole request are thrown as KafkaError. */
export interface GroupCalls {
  heartbeat(
    request: ConsumerGroupHeartbeatRequest,
  ): Promise<InferInput<typeof ConsumerGroupHeartbeatResponse>>
  /** In version 9: topics by name. */
  commit(request: OffsetCommitRequest): Promise<InferInput<typeof OffsetCommitResponse>>
  /** In version 9: topics by name. */
  fetch(request: OffsetFetchRequest): Promise<InferInput<typeof OffsetFetchResponse>>
}
