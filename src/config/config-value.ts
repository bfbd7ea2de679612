// Texts to values and back, as Kafka's ConfigDef does it.
import { KafkaError } from '#storage/base/errors.ts'
import type { ConfigDefinition, ConfigRule, ConfigType } from './config-definition.ts'

/**
 * A parsed value. A LONG outside ±2^53 is rounded (Kafka's "never" is 2^63 - 1; comparisons still come out right);
 * `configText` gives the exact text of what was written.
 */
export type ConfigValue = boolean | number | string | readonly string[]

/**
 * The value of a text, checked against the key's rule. Throws INVALID_CONFIG with a sentence that names key and value
 * (a secret's value is left out).
 */
export function parseConfigValue(definition: ConfigDefinition, text: string): ConfigValue {
  const value = parseType(definition, text.trim())
  if (definition.rule !== undefined) checkRule(definition, definition.rule, value)
  return value
}

/** Whether a text is a valid value. */
export function isConfigValue(definition: ConfigDefinition, text: string): boolean {
  try {
    parseConfigValue(definition, text)
    return true
  } catch (error) {
    if (error instanceof KafkaError) return false
    throw error
  }
}

/** The normal form of a text, as Kafka shows it: `+5` is `5`, `a , b` is `a,b`, `0` of a DOUBLE is `0.0`. */
export function configText(definition: ConfigDefinition, text: string): string {
  const value = parseConfigValue(definition, text)
  if (typeof value === 'object') return value.join(',')
  if (definition.type === 'DOUBLE' && typeof value === 'number') return javaDouble(value)
  if (definition.type === 'LONG') return BigInt(text.trim().replace(/^\+/, '')).toString()
  return String(value)
}

/** The items of a LIST's text. An empty text is an empty list. */
export function listItems(text: string): string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/)
}

function parseType(definition: ConfigDefinition, text: string): ConfigValue {
  switch (definition.type) {
    case 'BOOLEAN': {
      const lower = text.toLowerCase()
      if (lower === 'true' || lower === 'false') return lower === 'true'
      throw invalid(definition, text, 'must be true or false')
    }
    case 'INT':
    case 'SHORT':
    case 'LONG':
      return parseInteger(definition, text)
    case 'DOUBLE':
      return parseDouble(definition, text)
    case 'LIST':
      return listItems(text)
    default:
      return text
  }
}

const BITS: Partial<Record<ConfigType, number>> = { SHORT: 16, INT: 32, LONG: 64 }

function parseInteger(definition: ConfigDefinition, text: string): number {
  const bits = BITS[definition.type] ?? 64
  if (!/^[+-]?\d{1,40}$/.test(text)) throw invalid(definition, text, 'must be a whole number')
  const exact = BigInt(text.replace(/^\+/, ''))
  if (BigInt.asIntN(bits, exact) !== exact) {
    throw invalid(definition, text, `must fit in ${bits} bits`)
  }
  return Number(exact)
}

function parseDouble(definition: ConfigDefinition, text: string): number {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[dDfF]?$/i.test(text)
    ? Number(text.replace(/[dDfF]$/, ''))
    : Number.NaN
  if (Number.isNaN(number)) throw invalid(definition, text, 'must be a number')
  return number
}

function checkRule(definition: ConfigDefinition, rule: ConfigRule, value: ConfigValue): void {
  switch (rule.kind) {
    case 'range':
      if (typeof value === 'number') checkRange(definition, rule, value)
      return
    case 'oneOf': {
      const found = rule.values.some((one) =>
        rule.ignoreCase ? one.toLowerCase() === String(value).toLowerCase() : one === value,
      )
      if (!found) throw invalid(definition, String(value), `must be one of ${commas(rule.values)}`)
      return
    }
    case 'list':
      if (typeof value === 'object') checkList(definition, rule, value)
      return
    case 'form': {
      const text = typeof value === 'object' ? value.join(',') : String(value)
      if (!rule.pattern.test(text)) throw invalid(definition, text, `must be ${rule.form}`)
    }
  }
}

function checkRange(
  definition: ConfigDefinition,
  { min, max, or }: { readonly min?: number; readonly max?: number; readonly or?: number },
  value: number,
): void {
  if (value === or) return
  const alternative = or === undefined ? '' : ` or ${or}`
  if (min !== undefined && value < min) {
    throw invalid(definition, String(value), `must be at least ${min}${alternative}`)
  }
  if (max !== undefined && value > max) {
    throw invalid(definition, String(value), `must be at most ${max}${alternative}`)
  }
}

function checkList(
  definition: ConfigDefinition,
  rule: { readonly values?: readonly string[]; readonly mayBeEmpty: boolean },
  value: readonly string[],
): void {
  const all = value.join(',')
  if (value.length === 0 && !rule.mayBeEmpty) throw invalid(definition, all, 'must not be empty')
  if (value.includes('')) throw invalid(definition, all, 'must not hold an empty item')
  if (new Set(value).size < value.length) throw invalid(definition, all, 'must not name one twice')
  const stranger = value.find((item) => rule.values?.includes(item) === false)
  if (stranger !== undefined) {
    throw invalid(definition, stranger, `must be one of ${commas(rule.values ?? [])}`)
  }
}

function invalid(definition: ConfigDefinition, text: string, sentence: string): KafkaError {
  const shown = definition.type === 'PASSWORD' ? '' : ` ${JSON.stringify(text)}`
  return new KafkaError(
    'INVALID_CONFIG',
    `Invalid value${shown} for ${definition.name}: it ${sentence}`,
  )
}

function commas(values: readonly string[]): string {
  return values.join(', ')
}

/** Java's `Double.toString`. */
function javaDouble(value: number): string {
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) {
    return Number.isInteger(value) ? `${value}.0` : String(value)
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}
