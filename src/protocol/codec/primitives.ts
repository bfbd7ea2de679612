// The schema language's plain types: numbers, text, bytes, uuids. Constants behind functions, so that schemas read alike.
import { KafkaError } from '#storage/base/errors.ts'
import { type Uuid, ZERO_UUID } from '#storage/base/uuid.ts'
import type { ByteReader } from '#storage/bytes/byte-reader.ts'
import type { ByteWriter } from '#storage/bytes/byte-writer.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { type Codec, malformed, type Type } from './type.ts'

/** Kafka's generated readers refuse longer strings, in both forms. */
const MAX_STRING_BYTES = 32_767
const MAX_BYTES = 2_147_483_646
const EMPTY_BYTES = new Uint8Array(0)

const encoder = new TextEncoder()

const INT8 = integer(
  -128,
  127,
  (reader) => reader.int8(),
  (writer, value) => writer.int8(value),
)
const INT16 = integer(
  -32_768,
  32_767,
  (reader) => reader.int16(),
  (writer, value) => writer.int16(value),
)
const INT32 = integer(
  -2_147_483_648,
  2_147_483_647,
  (reader) => reader.int32(),
  (writer, value) => writer.int32(value),
)
const INT64 = integer(
  Number.MIN_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER,
  (reader) => reader.safeInt64(),
  (writer, value) => writer.int64(value),
)
const UINT16 = integer(
  0,
  65_535,
  (reader) => reader.uint16(),
  (writer, value) => writer.uint16(value),
)
const UINT32 = integer(
  0,
  4_294_967_295,
  (reader) => reader.uint32(),
  (writer, value) => writer.uint32(value),
)
const INT64_EXACT = plain<Int64>(
  0,
  (reader) => reader.int64(),
  (writer, value) => writer.int64(value),
)
const FLOAT64 = plain(
  0,
  (reader) => reader.float64(),
  (writer, value) => writer.float64(value),
)
const BOOL = plain(
  false,
  (reader) => reader.int8() !== 0,
  (writer, value) => writer.int8(value ? 1 : 0),
)
const UUID_FORM = required<Uuid, Uuid>({
  read: (reader) => reader.uuid(),
  write: (writer, value) => writer.uuid(value as Uuid),
})
const UUID: Type<Uuid> = { defaultValue: ZERO_UUID, codec: () => UUID_FORM }
const STRING = text()
const BYTES = blob()

/** A signed byte. */
export const int8 = (): Type<number> => INT8
/** Two signed bytes. */
export const int16 = (): Type<number> => INT16
/** Four signed bytes. */
export const int32 = (): Type<number> => INT32
/** Eight bytes that fit a safe integer: offsets, sizes, counts, epochs. Others are refused. */
export const int64 = (): Type<number> => INT64
/** Eight bytes whatever they hold: timestamps and producer ids (RULES 20). */
export const int64Exact = (): Type<Int64> => INT64_EXACT
/** Two bytes, unsigned. */
export const uint16 = (): Type<number> => UINT16
/** Four bytes, unsigned. */
export const uint32 = (): Type<number> => UINT32
/** An IEEE 754 double. */
export const float64 = (): Type<number> => FLOAT64
/** One byte; anything but 0 is true. */
export const bool = (): Type<boolean> => BOOL
/** Sixteen bytes, as 22 characters of base64. */
export const uuid = (): Type<Uuid> => UUID
/** Text of at most 32767 bytes. */
export const string = (): Type<string> => STRING
/** Bytes; a view on what was read. */
export const bytes = (): Type<Uint8Array> => BYTES
/** Record batches as they came; on the wire the same as `bytes()`. */
export const records = (): Type<Uint8Array> => BYTES

/** Text, or null from version `nullableSince` on. Its default is the empty text unless the field says `null`. */
export function nullableString(nullableSince = 0): Type<string | null> {
  return {
    defaultValue: '',
    codec: (version, flexible) =>
      version >= nullableSince
        ? flexible
          ? COMPACT_NULLABLE_STRING
          : NULLABLE_STRING
        : STRING.codec(version, flexible),
  }
}

/** Bytes, or null from version `nullableSince` on. */
export function nullableBytes(nullableSince = 0): Type<Uint8Array | null> {
  return {
    defaultValue: EMPTY_BYTES,
    codec: (version, flexible) =>
      version >= nullableSince
        ? flexible
          ? COMPACT_NULLABLE_BYTES
          : NULLABLE_BYTES
        : BYTES.codec(version, flexible),
  }
}

/** Record batches, or null from version `nullableSince` on. */
export const nullableRecords = nullableBytes

/** The classic form of a type even in flexible versions. Its only use is the client id of the request header. */
export function classic<T, I>(type: Type<T, I>): Type<T, I> {
  return { defaultValue: type.defaultValue, codec: (version) => type.codec(version, false) }
}

/** The same form without null: neither read nor written. */
export function required<T, I>(codec: Codec<T | null, I | null>): Codec<T, I> {
  return {
    read(reader) {
      const value = codec.read(reader)
      if (value === null) throw malformed('A value that cannot be null is null')
      return value
    },
    write(writer, value) {
      if (value === null)
        throw new KafkaError('UNSUPPORTED_VERSION', 'Null has no form in this version')
      codec.write(writer, value)
    },
  }
}

/** Reads a length or count: −1 means null. Anything beyond the bytes that are left is refused before memory is taken. */
export function readLength(reader: ByteReader, flexible: boolean): number {
  const length = flexible ? reader.uvarint() - 1 : reader.int32()
  if (length < -1) throw malformed(`Length ${length} is negative`)
  if (length > reader.remaining) {
    throw malformed(`Length ${length} exceeds the ${reader.remaining} bytes that are left`)
  }
  return length
}

/** Writes a length or count; −1 means null. */
export function writeLength(writer: ByteWriter, length: number, flexible: boolean): void {
  if (length > MAX_BYTES)
    throw new KafkaError('INVALID_REQUEST', `Length ${length} is beyond int32`)
  if (flexible) writer.uvarint(length + 1)
  else writer.int32(length)
}

function plain<T>(
  defaultValue: T,
  read: (reader: ByteReader) => T,
  write: (writer: ByteWriter, value: T) => void,
): Type<T> {
  const codec = { read, write }
  return { defaultValue, codec: () => codec }
}

function integer(
  least: number,
  greatest: number,
  read: (reader: ByteReader) => number,
  write: (writer: ByteWriter, value: number) => void,
): Type<number> {
  return plain(0, read, (writer, value) => {
    // The comparison also refuses NaN; a DataView would wrap all of them silently.
    if (!(value >= least && value <= greatest)) {
      throw new KafkaError('INVALID_REQUEST', `${value} is outside [${least}, ${greatest}]`)
    }
    write(writer, value)
  })
}

const NULLABLE_STRING = textCodec(false)
const COMPACT_NULLABLE_STRING = textCodec(true)
const NULLABLE_BYTES = blobCodec(false)
const COMPACT_NULLABLE_BYTES = blobCodec(true)

function text(): Type<string> {
  const classicForm = required(textCodec(false))
  const compactForm = required(textCodec(true))
  return { defaultValue: '', codec: (_version, flexible) => (flexible ? compactForm : classicForm) }
}

function blob(): Type<Uint8Array> {
  const classicForm = required(blobCodec(false))
  const compactForm = required(blobCodec(true))
  return {
    defaultValue: EMPTY_BYTES,
    codec: (_version, flexible) => (flexible ? compactForm : classicForm),
  }
}

function textCodec(flexible: boolean): Codec<string | null> {
  return {
    read(reader) {
      const size = flexible ? reader.uvarint() - 1 : reader.int16()
      if (size === -1) return null
      if (size < 0 || size > MAX_STRING_BYTES) throw malformed(`A string cannot have ${size} bytes`)
      return reader.utf8(size)
    },
    write(writer, value) {
      const encoded = value === null ? null : encoder.encode(value)
      const size = encoded === null ? -1 : encoded.length
      if (size > MAX_STRING_BYTES) {
        throw new KafkaError('INVALID_REQUEST', `A string of ${size} bytes is longer than 32767`)
      }
      if (flexible) writer.uvarint(size + 1)
      else writer.int16(size)
      if (encoded !== null) writer.raw(encoded)
    },
  }
}

function blobCodec(flexible: boolean): Codec<Uint8Array | null> {
  return {
    read(reader) {
      const size = readLength(reader, flexible)
      return size === -1 ? null : reader.view(size)
    },
    write(writer, value) {
      writeLength(writer, value === null ? -1 : value.length, flexible)
      if (value !== null) writer.raw(value)
    },
  }
}
