// The schema language's composed types: arrays and structs.
import { KafkaError } from '#storage/base/errors.ts'
import type { ByteReader } from '#storage/bytes/byte-reader.ts'
import { type ByteWriter, uvarintSize } from '#storage/bytes/byte-writer.ts'
import { asField, type Field, type Fields, type FieldsInput, type FieldsOutput } from './fields.ts'
import { readLength, required, writeLength } from './primitives.ts'
import { type Codec, isSame, malformed, type Type } from './type.ts'

const NONE: readonly never[] = Object.freeze([])
const ABSENT = -1
const ABSENT_IN_TAG = 0
const PRESENT = 1

/** A run of values. Its default is the empty one. */
export function array<T, I>(element: Type<T, I>): Type<readonly T[], readonly I[]> {
  return {
    defaultValue: NONE,
    codec(version, flexible) {
      return required(arrayCodec(element.codec(version, flexible), flexible))
    },
  }
}

/** A run of values, or null from version `nullableSince` on. Its default is the empty one unless the field says `null`. */
export function nullableArray<T, I>(
  element: Type<T, I>,
  nullableSince = 0,
): Type<readonly T[] | null, readonly I[] | null> {
  return {
    defaultValue: NONE,
    codec(version, flexible) {
      if (version < nullableSince) return array(element).codec(version, flexible)
      return arrayCodec(element.codec(version, flexible), flexible)
    },
  }
}

/** Named fields in order, then in flexible versions their tag section. By default every field has its own default. */
export function struct<F extends Fields>(fields: F): Type<FieldsOutput<F>, FieldsInput<F>> {
  const defaults = Object.entries(fields).map(([name, field]) => [
    name,
    asField(field).defaultValue,
  ])
  return {
    defaultValue: Object.freeze(Object.fromEntries(defaults)) as FieldsOutput<F>,
    codec: (version, flexible) =>
      structCodec(fields, version, flexible) as Codec<FieldsOutput<F>, FieldsInput<F>>,
  }
}

/** A struct behind a marker byte, or null, its default. */
export function nullableStruct<F extends Fields>(
  fields: F,
): Type<FieldsOutput<F> | null, FieldsInput<F> | null> {
  return markedStruct(fields, ABSENT)
}

/** The same as a tagged field, where Kafka marks null with 0. */
export function nullableTaggedStruct<F extends Fields>(
  fields: F,
): Type<FieldsOutput<F> | null, FieldsInput<F> | null> {
  return markedStruct(fields, ABSENT_IN_TAG)
}

function markedStruct<F extends Fields>(
  fields: F,
  absent: number,
): Type<FieldsOutput<F> | null, FieldsInput<F> | null> {
  const whole = struct(fields)
  return {
    defaultValue: null,
    codec(version, flexible) {
      const { read, write } = whole.codec(version, flexible)
      return {
        read: (reader) => (reader.int8() <= absent ? null : read(reader)),
        write(writer, value) {
          writer.int8(value === null ? absent : PRESENT)
          if (value !== null) write(writer, value)
        },
      }
    },
  }
}

function arrayCodec<T, I>(
  { read, write }: Codec<T, I>,
  flexible: boolean,
): Codec<readonly T[] | null, readonly I[] | null> {
  return {
    read(reader) {
      // Every element takes at least a byte, so readLength bounds the count too; memory grows only as elements are read.
      const count = readLength(reader, flexible)
      if (count === -1) return null
      reader.expectElements(count)
      const values: T[] = []
      for (let at = 0; at < count; at++) values.push(read(reader))
      return values
    },
    write(writer, values) {
      writeLength(writer, values === null ? -1 : values.length, flexible)
      if (values !== null) for (const value of values) write(writer, value)
    },
  }
}

/** A struct's value while its fields are looked up by name. */
type Named = Record<string, unknown>

/** A field in one version: `codec` is undefined where the version lacks it. */
interface CompiledField {
  readonly name: string
  readonly defaultValue: unknown
  readonly read: (reader: ByteReader) => unknown
  readonly write: (writer: ByteWriter, value: unknown) => void
}

interface CompiledTag extends CompiledField {
  readonly tag: number
}

/**
 * ```
 * field field … [ uvarint count, { uvarint tag, uvarint size, value } … ]   the part in brackets in flexible versions
 * ```
 */
function structCodec(fields: Fields, version: number, flexible: boolean): Codec<Named> {
  const all = Object.entries(fields).map(([name, field]) => ({ name, ...asField(field) }))
  const present = all.filter((field) => version >= field.since && version <= field.until)
  const guarded = all.filter((field) => !present.includes(field) && !field.isIgnorable)
  const compiled = present.map((field) => compile(field, version, flexible))
  const body = compiled.filter((field) => field.tag === undefined)
  const tags = compiled.filter((field) => field.tag !== undefined) as CompiledTag[]
  tags.sort((left, right) => left.tag - right.tag)
  // Copied for each value, so that all have one shape and what is absent has its default.
  const template = Object.fromEntries(all.map(({ name, defaultValue }) => [name, defaultValue]))
  return {
    read(reader) {
      const value = { ...template }
      for (const field of body) value[field.name] = field.read(reader)
      if (flexible) readTags(reader, tags, value)
      return value
    },
    write(writer, value) {
      for (const field of guarded) refuseUnlessDefault(field, value, version)
      for (const field of body) {
        const given = value[field.name]
        field.write(writer, given === undefined ? field.defaultValue : given)
      }
      if (flexible) writeTags(writer, tags, value)
    },
  }
}

function compile({ name, ...field }: Field & { name: string }, version: number, flexible: boolean) {
  const { read, write } = field.type.codec(version, flexible)
  return { name, tag: field.tag, defaultValue: field.defaultValue, read, write }
}

function refuseUnlessDefault(field: Field & { name: string }, value: Named, version: number): void {
  if (isSame(value[field.name], field.defaultValue)) return
  throw new KafkaError('UNSUPPORTED_VERSION', `Version ${version} has no field ${field.name}`)
}

function readTags(reader: ByteReader, known: readonly CompiledTag[], value: Named): void {
  const count = reader.uvarint()
  for (let at = 0; at < count; at++) {
    const tag = reader.uvarint()
    const size = reader.uvarint()
    if (size > reader.remaining) throw malformed(`Tag ${tag} has ${size} bytes beyond the end`)
    const end = reader.position + size
    const field = known.find((candidate) => candidate.tag === tag)
    if (field === undefined) {
      reader.skip(size)
      continue
    }
    value[field.name] = field.read(reader)
    if (reader.position !== end) throw malformed(`Tag ${tag} does not fill its ${size} bytes`)
  }
}

function writeTags(writer: ByteWriter, known: readonly CompiledTag[], value: Named): void {
  // This runs for every struct: most have no tagged fields, and most of those that have one leave it at its default.
  let count = 0
  for (const field of known) if (isSet(field, value)) count++
  writer.uvarint(count)
  if (count === 0) return
  for (const field of known) {
    if (!isSet(field, value)) continue
    writer.uvarint(field.tag)
    const start = writer.position
    field.write(writer, value[field.name])
    insertSize(writer, start)
  }
}

function isSet(field: CompiledTag, value: Named): boolean {
  return !isSame(value[field.name], field.defaultValue)
}

/** Puts the size of what was written since `start` before it. */
function insertSize(writer: ByteWriter, start: number): void {
  const size = writer.position - start
  const prefix = uvarintSize(size)
  writer.reserve(prefix)
  const bytes = writer.written
  bytes.copyWithin(start + prefix, start, start + size)
  let rest = size
  for (let at = start; at < start + prefix; at++) {
    bytes[at] = at === start + prefix - 1 ? rest & 0x7f : (rest & 0x7f) | 0x80
    rest >>>= 7
  }
}
