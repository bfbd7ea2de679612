// What a configuration key is: its type, default, bounds and documentation, as data.

/** Kafka's types of values (`ConfigDef.Type`). INT and SHORT are checked to fit 32 and 16 bits, LONG 64. */
export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'SHORT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD'

/** What a value must satisfy beyond its type. */
export type ConfigRule =
  /** A number within the bounds, both included, or equal to `or`. */
  | { readonly kind: 'range'; readonly min?: number; readonly max?: number; readonly or?: number }
  | { readonly kind: 'oneOf'; readonly values: readonly string[]; readonly ignoreCase?: boolean }
  /** Items without duplicates and empty ones, each of `values` when given. */
  | { readonly kind: 'list'; readonly values?: readonly string[]; readonly mayBeEmpty: boolean }
  /** The whole text matches; `form` says in words how it looks, or one item of a list. */
  | { readonly kind: 'form'; readonly pattern: RegExp; readonly form: string }

/** One configuration key. */
export interface ConfigDefinition {
  readonly name: string
  readonly type: ConfigType
  /** As it would be written in a file; null when there is none. */
  readonly defaultValue: string | null
  /** One sentence without a full stop. */
  readonly documentation: string
  readonly rule?: ConfigRule
  /** Accepted, but named in no listing: Kafka keeps it for its tests. */
  readonly isInternal?: true
}

/** Makes definitions of one type: name, default, documentation, rule. */
type Define = (
  name: string,
  defaultValue: string | null,
  documentation: string,
  rule?: ConfigRule,
) => ConfigDefinition

const define =
  (type: ConfigType): Define =>
  (name, defaultValue, documentation, rule) =>
    rule === undefined
      ? { name, type, defaultValue, documentation }
      : { name, type, defaultValue, documentation, rule }

/** `true` or `false`. */
export const boolean: Define = define('BOOLEAN')
/** A text. */
export const string: Define = define('STRING')
/** A 32-bit integer. */
export const int: Define = define('INT')
/** A 16-bit integer. */
export const short: Define = define('SHORT')
/** A 64-bit integer. */
export const long: Define = define('LONG')
/** A 64-bit float. */
export const double: Define = define('DOUBLE')
/** Texts separated by commas. */
export const list: Define = define('LIST')
/** The name of a Java class, which nothing here loads. */
export const javaClass: Define = define('CLASS')
/** A text that is never shown. */
export const password: Define = define('PASSWORD')

/** The same key, but in no listing. */
export function internal(definition: ConfigDefinition): ConfigDefinition {
  return { ...definition, isInternal: true }
}

/** A number of `min` or more. */
export function atLeast(min: number): ConfigRule {
  return { kind: 'range', min }
}

/** A number from `min` to `max`, or equal to `or`. */
export function between(min: number, max: number, or?: number): ConfigRule {
  return or === undefined ? { kind: 'range', min, max } : { kind: 'range', min, max, or }
}

/** One of these texts. */
export function oneOf(...values: readonly string[]): ConfigRule {
  return { kind: 'oneOf', values }
}

/** One of these texts, in any case. */
export function oneOfIgnoringCase(...values: readonly string[]): ConfigRule {
  return { kind: 'oneOf', values, ignoreCase: true }
}

/** A list with at least one item, each of `values` when any are given. */
export function items(...values: readonly string[]): ConfigRule {
  return values.length === 0
    ? { kind: 'list', mayBeEmpty: false }
    : { kind: 'list', values, mayBeEmpty: false }
}

/** A list that may be empty, each item of `values` when any are given. */
export function anyItems(...values: readonly string[]): ConfigRule {
  return values.length === 0
    ? { kind: 'list', mayBeEmpty: true }
    : { kind: 'list', values, mayBeEmpty: true }
}

/** A text that is not blank. */
export const notBlank: ConfigRule = { kind: 'form', pattern: /\S/, form: 'text that is not blank' }

/** A text of this form; of a list, its items joined by commas. */
export function form(pattern: RegExp, words: string): ConfigRule {
  return { kind: 'form', pattern, form: words }
}

/** Whether the value is a secret: shown to nobody. */
export function isSensitive(definition: ConfigDefinition): boolean {
  return definition.type === 'PASSWORD'
}
