// The schema language: one declaration holds all versions of a message; its types are inferred, its codecs compiled from it.
// Life cycle: `message()` at import; the codec of a version when that version is first used. Pure, no I/O.
import { KafkaError } from '#storage/base/errors.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { struct } from './composites.ts'
import type { Fields, FieldsInput, FieldsOutput } from './fields.ts'
import { type Codec, malformed } from './type.ts'

/** What a message is besides its fields. */
export interface MessageOptions {
  /** API key of a request or response; record type of a coordinator or metadata record. */
  readonly key?: number
  /** Oldest and newest version. */
  readonly versions: readonly [number, number]
  /** The first version with compact forms and tag sections (KIP-482); none when left out. */
  readonly flexible?: number
}

/** A declared message. Decode and encode refuse a version outside `versions` with UNSUPPORTED_VERSION. */
export interface Message<T = unknown, I = T> {
  readonly key: number | undefined
  readonly versions: readonly [number, number]
  readonly latestVersion: number
  /** Whether `version` uses compact forms and tag sections. */
  isFlexible(version: number): boolean
  /** Reads one message and leaves the reader behind it. Byte values are views. Throws CORRUPT_MESSAGE. */
  read(reader: ByteReader, version: number): T
  /** Writes one message. Throws when a value has no form in this version. */
  write(writer: ByteWriter, value: I, version: number): void
  /** Reads a message that fills `bytes`. Throws CORRUPT_MESSAGE. */
  decode(bytes: Uint8Array, version: number): T
  /** The message as fresh bytes. */
  encode(value: I, version: number): Uint8Array<ArrayBuffer>
}

/** What decoding the message gives: every field, with its default where the version lacks it. */
export type Infer<M> = M extends Message<infer T, infer _> ? T : never

/** What encoding the message takes: fields with a default may be left out. */
export type InferInput<M> = M extends Message<infer _, infer I> ? I : never

/** Declares a message. */
export function message<F extends Fields>(
  { key, versions, flexible = Number.POSITIVE_INFINITY }: MessageOptions,
  fields: F,
): Message<FieldsOutput<F>, FieldsInput<F>> {
  const type = struct(fields)
  const compiled: Codec<FieldsOutput<F>, FieldsInput<F>>[] = []
  const [oldest, latestVersion] = versions
  function codec(version: number): Codec<FieldsOutput<F>, FieldsInput<F>> {
    const known = compiled[version]
    if (known !== undefined) return known
    if (!(version >= oldest && version <= latestVersion && Number.isInteger(version))) {
      const detail = `Version ${version} of message ${key ?? ''} is outside [${versions.join(', ')}]`
      throw new KafkaError('UNSUPPORTED_VERSION', detail)
    }
    const fresh = type.codec(version, version >= flexible)
    compiled[version] = fresh
    return fresh
  }
  return {
    key,
    versions,
    latestVersion,
    isFlexible: (version) => version >= flexible,
    read: (reader, version) => codec(version).read(reader),
    write: (writer, value, version) => codec(version).write(writer, value),
    decode(bytes, version) {
      const reader = new ByteReader(bytes)
      const value = codec(version).read(reader)
      if (reader.remaining > 0) throw malformed(`${reader.remaining} bytes follow the message`)
      return value
    },
    encode(value, version) {
      const writer = new ByteWriter()
      codec(version).write(writer, value)
      return writer.written
    },
  }
}
