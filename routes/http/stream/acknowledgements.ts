// What a WebSocket's peer says of records that it has dealt with.
import type { PartitionName } from '#src/broker/consumers/committed-offsets.ts'
import { HttpError } from '../errors.ts'

/** The peer has dealt with a partition's records up to `offset`, that one included. */
export interface Acknowledgement extends PartitionName {
  readonly offset: number
}

/** Reads `{"ack": {"topic", "partition", "offset"}}`, or a list of those. Throws 400. */
export function parseAcknowledgements(text: unknown): readonly Acknowledgement[] {
  let message: unknown
  try {
    message = typeof text === 'string' ? JSON.parse(text) : undefined
  } catch {
    message = undefined
  }
  const { ack } = Object(message) as { ack?: unknown }
  if (typeof ack !== 'object' || ack === null) {
    throw new HttpError(400, 'A message of yours must be {"ack": {"topic", "partition", "offset"}}')
  }
  return (Array.isArray(ack) ? ack : [ack]).map((each: unknown) => {
    const { topic, partition, offset } = Object(each) as Record<string, unknown>
    if (typeof topic !== 'string' || !isCount(partition) || !isCount(offset)) {
      throw new HttpError(400, 'An acknowledgement has a topic, a partition and an offset')
    }
    return { topic, partition, offset }
  })
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
