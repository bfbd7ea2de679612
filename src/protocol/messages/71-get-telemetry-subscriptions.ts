// API key 71: GetTelemetrySubscriptions, which metrics a client should send.
import { array } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, string, uuid } from '../codec/primitives.ts'

/** A client asks which metrics are wanted; the zero id: give me one (KIP-714). */
export const GetTelemetrySubscriptionsRequest = message(
  { key: 71, versions: [0, 0], flexible: 0 },
  { clientInstanceId: uuid() },
)
/** GetTelemetrySubscriptionsRequest, decoded. */
export type GetTelemetrySubscriptionsRequest = Infer<typeof GetTelemetrySubscriptionsRequest>

/** What to send, how often, how compressed (KIP-714). */
export const GetTelemetrySubscriptionsResponse = message(
  { key: 71, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    acceptedCompressionTypes: array(int8()),
    pushIntervalMs: int32(),
    telemetryMaxBytes: int32(),
    deltaTemporality: bool(),
    requestedMetrics: array(string()),
  },
)
/** GetTelemetrySubscriptionsResponse, decoded. */
export type GetTelemetrySubscriptionsResponse = Infer<typeof GetTelemetrySubscriptionsResponse>
