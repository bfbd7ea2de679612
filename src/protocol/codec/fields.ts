// Fields of a struct: in which versions a field exists, where it stands, and what it holds elsewhere.
import type { Type } from './type.ts'

const LATEST = 32_767

/** A field with more to say than its type. In what is written it may be left out: then it has its default. */
export interface Field<T = unknown, I = T> {
  readonly type: Type<T, I>
  /** The versions that have it, both ends included. */
  readonly since: number
  readonly until: number
  readonly defaultValue: T
  /** Its tag when it stands in the tag section instead of the body. */
  readonly tag: number | undefined
  /** Whether a value other than the default may be dropped in a version that lacks the field. */
  readonly isIgnorable: boolean
}

/** The fields of a struct, in the order of the wire. A bare type is a field of all versions that must be given. */
export type Fields = Readonly<Record<string, Type | Field>>

/** What decoding gives. */
export type FieldsOutput<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T, infer _> | Type<infer T, infer _> ? T : never
}

/** What encoding takes. */
export type FieldsInput<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Field ? never : K]: F[K] extends Type<infer _, infer I>
    ? I
    : never
} & {
  readonly [K in keyof F as F[K] extends Field ? K : never]?: F[K] extends Field<infer _, infer I>
    ? I
    : never
}

/** A field of all versions with a default of its own, so that it may be left out. */
export function optional<T, I>(type: Type<T, I>, defaultValue = type.defaultValue): Field<T, I> {
  return { type, since: 0, until: LATEST, defaultValue, tag: undefined, isIgnorable: false }
}

/** A field that version `since` brought. */
export function since<T, I>(
  since: number,
  type: Type<T, I>,
  defaultValue = type.defaultValue,
): Field<T, I> {
  return { ...optional(type, defaultValue), since }
}

/** A field whose last version is `until`. */
export function until<T, I>(
  until: number,
  type: Type<T, I>,
  defaultValue = type.defaultValue,
): Field<T, I> {
  return { ...optional(type, defaultValue), until }
}

/** A field of the versions `since` to `until`, both included. */
export function range<T, I>(
  [since, until]: readonly [number, number],
  type: Type<T, I>,
  defaultValue = type.defaultValue,
): Field<T, I> {
  return { ...optional(type, defaultValue), since, until }
}

/** A tagged field (KIP-482): it stands in the tag section, and only when it differs from its default. */
export function tagged<T, I>(
  tag: number,
  since: number,
  type: Type<T, I>,
  defaultValue = type.defaultValue,
): Field<T, I> {
  return { ...optional(type, defaultValue), since, tag }
}

/** Lets the field's value be dropped silently where the version lacks it; without this, writing it is refused. */
export function ignorable<T, I>(field: Field<T, I> | Type<T, I>): Field<T, I> {
  return { ...asField(field), isIgnorable: true }
}

/** The full form of a bare type. */
export function asField<T, I>(field: Field<T, I> | Type<T, I>): Field<T, I> {
  return 'codec' in field ? optional(field) : field
}
