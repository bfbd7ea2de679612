// API key 72: PushTelemetry, metrics of a client.
import { type Infer, message } from '../codec/message.ts'
import { bool, bytes, int8, int16, int32, uuid } from '../codec/primitives.ts'

/** A client sends its metrics (KIP-714). */
export const PushTelemetryRequest = message(
  { key: 72, versions: [0, 0], flexible: 0 },
  {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
)
/** PushTelemetryRequest, decoded. */
export type PushTelemetryRequest = Infer<typeof PushTelemetryRequest>

/** What became of them (KIP-714). */
export const PushTelemetryResponse = message(
  { key: 72, versions: [0, 0], flexible: 0 },
  { throttleTimeMs: int32(), errorCode: int16() },
)
/** PushTelemetryResponse, decoded. */
export type PushTelemetryResponse = Infer<typeof PushTelemetryResponse>
