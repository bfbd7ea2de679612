// What classic groups' consumers tell each other through the coordinator: opaque to it, but for the topics they name.
import { KafkaError } from '#storage/base/errors.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, type InferInput, type Message, message } from '../codec/message.ts'
import { int32, nullableBytes, nullableString, string } from '../codec/primitives.ts'
import { malformed } from '../codec/type.ts'

const topicPartitions = array(struct({ topic: string(), partitions: array(int32()) }))

/** What a consumer wants. v1: owned partitions (KIP-429). v2: their generation. v3: rack (KIP-881). */
export const ConsumerProtocolSubscription = message(
  { versions: [0, 3] },
  {
    topics: array(string()),
    userData: optional(nullableBytes(), null),
    ownedPartitions: ignorable(since(1, topicPartitions)),
    generationId: ignorable(since(2, int32(), -1)),
    rackId: ignorable(since(3, nullableString(), null)),
  },
)
/** ConsumerProtocolSubscription, decoded. */
export type ConsumerProtocolSubscription = Infer<typeof ConsumerProtocolSubscription>

/** What a consumer gets. All versions are the same. */
export const ConsumerProtocolAssignment = message(
  { versions: [0, 3] },
  {
    assignedPartitions: topicPartitions,
    userData: optional(nullableBytes(), null),
  },
)
/** ConsumerProtocolAssignment, decoded. */
export type ConsumerProtocolAssignment = Infer<typeof ConsumerProtocolAssignment>

/** The version that the bytes begin with; it may be one that we don't know. Throws CORRUPT_MESSAGE. */
export function consumerProtocolVersion(bytes: Uint8Array): number {
  const version = new ByteReader(bytes).int16()
  if (version < 0) throw malformed(`Consumer protocol version ${version} is negative`)
  return version
}

/** A member's metadata as its subscription. Byte values are views. Throws CORRUPT_MESSAGE. */
export function parseSubscription(bytes: Uint8Array): ConsumerProtocolSubscription {
  return parse(ConsumerProtocolSubscription, bytes)
}

/**
 * The topics that a member's metadata names. They stand first in every version, so nothing behind them has to be
 * understood. Throws CORRUPT_MESSAGE.
 */
export function parseSubscribedTopics(bytes: Uint8Array): readonly string[] {
  return ConsumerProtocolSubscription.read(new ByteReader(bytes, Math.min(2, bytes.length)), 0)
    .topics
}

/** A member's assignment. Byte values are views. Throws CORRUPT_MESSAGE. */
export function parseAssignment(bytes: Uint8Array): ConsumerProtocolAssignment {
  return parse(ConsumerProtocolAssignment, bytes)
}

/** The bytes of a subscription; what `version` has no place for is left out. A version beyond 3 is written as 3. */
export function serializeSubscription(
  subscription: InferInput<typeof ConsumerProtocolSubscription>,
  version = ConsumerProtocolSubscription.latestVersion,
): Uint8Array<ArrayBuffer> {
  return serialize(ConsumerProtocolSubscription, subscription, version)
}

/** The bytes of an assignment. A version beyond 3, which a member may have asked for, is written as 3. */
export function serializeAssignment(
  assignment: InferInput<typeof ConsumerProtocolAssignment>,
  version = ConsumerProtocolAssignment.latestVersion,
): Uint8Array<ArrayBuffer> {
  return serialize(ConsumerProtocolAssignment, assignment, version)
}

/** Later versions only add behind what is known, so they are read as the latest known, and what follows is passed over. */
function parse<T, I>(type: Message<T, I>, bytes: Uint8Array): T {
  const version = consumerProtocolVersion(bytes)
  return type.read(new ByteReader(bytes, 2), Math.min(version, type.latestVersion))
}

function serialize<T, I>(type: Message<T, I>, value: I, version: number): Uint8Array<ArrayBuffer> {
  if (version < 0) {
    throw new KafkaError('UNSUPPORTED_VERSION', `Consumer protocol version ${version} is negative`)
  }
  const known = Math.min(version, type.latestVersion)
  const writer = new ByteWriter()
  writer.int16(known)
  type.write(writer, value, known)
  return writer.written
}
