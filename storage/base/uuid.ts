// Kafka's uuids: 16 bytes, written as 22 characters of URL-safe base64 (`org.apache.kafka.common.Uuid`).
import { KafkaError } from './errors.ts'
import type { Random } from './world.ts'

/** A uuid as text: 22 characters of URL-safe base64 without padding. */
export type Uuid = string

/** All bits zero: "no uuid". */
export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'
/** 0…01: the topic id of `__cluster_metadata`; as a directory id it means UNASSIGNED. */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ'

const UUID_CHARACTERS = 22
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The two characters of 12 bits. */
const PAIRS = [...ALPHABET].flatMap((first) => [...ALPHABET].map((second) => first + second))
/** The 6 bits of a character by its code; -1 where there are none. */
const VALUES = new Int8Array(128).fill(-1)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value

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

/** The text of 16 bytes. Tables, because requests name every topic so: btoa takes four times as long. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  let text = ''
  for (let at = 0; at < 15; at += 3) {
    const bits = (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2)
    text += PAIRS[bits >>> 12]
    text += PAIRS[bits & 0xfff]
  }
  return text + PAIRS[byteAt(bytes, 15) << 4]
}

/** The 16 bytes of a text. Throws INVALID_REQUEST when it is not a uuid. */
export function uuidToBytes(uuid: Uuid): Uint8Array {
  if (uuid.length !== UUID_CHARACTERS) throw notUuid(uuid)
  const bytes = new Uint8Array(16)
  let bits = 0
  let count = 0
  // The last character holds two bits of the last byte; what else it says is ignored.
  for (let at = 0, to = 0; at < UUID_CHARACTERS; at++) {
    const value = VALUES[uuid.charCodeAt(at)] ?? -1
    if (value < 0) throw notUuid(uuid)
    bits = (bits << 6) | value
    count += 6
    if (count < 8) continue
    count -= 8
    bytes[to++] = bits >>> count
  }
  return bytes
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

const notUuid = (text: string): KafkaError =>
  new KafkaError('INVALID_REQUEST', `Not a uuid: ${text}`)
