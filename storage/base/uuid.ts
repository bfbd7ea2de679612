// Kafka's uuids: 16 bytes, written as 22 characters of URL-safe base64 (`org.apache.kafka.common.Uuid`).
import { KafkaError } from './errors.ts'
import type { Random } from './world.ts'

/** A uuid as text: 22 characters of URL-safe base64 without padding. */
export type Uuid = string

/** All bits zero: "no uuid". */
export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'
/** 0…01: the topic id of `__cluster_metadata`; as a directory id it means UNASSIGNED. */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** A random uuid (RFC 4122 version 4) whose text does not begin with `-`, as Kafka makes them. */
export function randomUuid(random: Random): Uuid {
  for (;;) {
    const bytes = random.bytes(16)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const text = uuidFromBytes(bytes)
    if (!text.startsWith('-')) return text
  }
}

/** The text of 16 bytes. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  const binary = String.fromCharCode(...bytes.subarray(0, 16))
  return btoa(binary).slice(0, 22).replaceAll('+', '-').replaceAll('/', '_')
}

/** The 16 bytes of a text. Throws INVALID_REQUEST when it is not a uuid. */
export function uuidToBytes(uuid: Uuid): Uint8Array {
  if (!/^[\w-]{22}$/.test(uuid)) throw new KafkaError('INVALID_REQUEST', `Not a uuid: ${uuid}`)
  const binary = atob(`${uuid.replaceAll('-', '+').replaceAll('_', '/')}==`)
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
