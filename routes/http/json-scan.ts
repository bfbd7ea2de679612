// Reads the records of a produce straight from the body's bytes, in one pass, where the body is a plain one.
import type { ProducedRecord } from '#src/broker/broker.ts'

/** The formats whose members are taken as they stand in the body; base64 is not. */
export type ScannedFormat = 'plain' | 'json'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const MINUS = 0x2d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** Deeper values are left to JSON.parse. */
const MAX_DEPTH = 32
/** Numbers of so many digits are exact. */
const MAX_DIGITS = 15
const MAX_PARTITION_DIGITS = 9

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const NAMES = {
  records: encoder.encode('records'),
  key: encoder.encode('key'),
  value: encoder.encode('value'),
  partition: encoder.encode('partition'),
  timestamp: encoder.encode('timestamp'),
}
const LITERALS = ['true', 'false', 'null'].map((text) => encoder.encode(text))

/**
 * The records of `{"records": […]}`; undefined where the body is not valid, or has anything in it that is rare (headers,
 * encodings, escapes in keys, unknown members, no record, more than `maxRecords`): whoever reads it thoroughly then says
 * what it is. Keys and values are views of `bytes`.
 */
export function scanRecords(
  bytes: Uint8Array,
  format: ScannedFormat,
  maxRecords: number,
): ProducedRecord[] | undefined {
  return new Scan(bytes, format).list(maxRecords)
}

/** One record that is all of `bytes`; as `scanRecords`. */
export function scanRecord(bytes: Uint8Array, format: ScannedFormat): ProducedRecord | undefined {
  return new Scan(bytes, format).single()
}

/** Whether the bytes are one JSON value, and nothing that only a thorough reader can tell. */
export function isPlainJson(bytes: Uint8Array): boolean {
  return new Scan(bytes, 'json').isOneValue()
}

/** Every step leaves the position behind what it has read, and gives false or undefined for whatever is not plainly valid. */
class Scan {
  readonly #bytes: Uint8Array
  readonly #format: ScannedFormat
  #at = 0
  #isAscii = true
  #isEscaped = false

  constructor(bytes: Uint8Array, format: ScannedFormat) {
    this.#bytes = bytes
    this.#format = format
  }

  list(maxRecords: number): ProducedRecord[] | undefined {
    this.#space()
    if (!this.#take(OPEN_BRACE)) return undefined
    this.#space()
    if (!this.#name(NAMES.records) || !this.#take(OPEN_BRACKET)) return undefined
    const records: ProducedRecord[] = []
    do {
      this.#space()
      const record = records.length < maxRecords ? this.#record() : undefined
      if (record === undefined) return undefined
      records.push(record)
      this.#space()
    } while (this.#take(COMMA))
    if (!this.#take(CLOSE_BRACKET)) return undefined
    this.#space()
    return this.#take(CLOSE_BRACE) && this.#isAtEnd() ? records : undefined
  }

  single(): ProducedRecord | undefined {
    this.#space()
    const record = this.#record()
    return record !== undefined && this.#isAtEnd() ? record : undefined
  }

  isOneValue(): boolean {
    this.#space()
    return this.#value(0) && this.#isAtEnd()
  }

  /** Each member at most once. */
  #record(): ProducedRecord | undefined {
    if (!this.#take(OPEN_BRACE)) return undefined
    let key: Uint8Array | null | undefined
    let value: Uint8Array | null | undefined
    let partition: number | undefined
    let timestamp: number | undefined
    do {
      this.#space()
      if (value === undefined && this.#name(NAMES.value)) {
        value = this.#content(false)
        if (value === undefined) return undefined
      } else if (key === undefined && this.#name(NAMES.key)) {
        key = this.#content(this.#format === 'plain')
        if (key === undefined) return undefined
      } else if (partition === undefined && this.#name(NAMES.partition)) {
        partition = this.#digits(MAX_PARTITION_DIGITS)
        if (partition === undefined) return undefined
      } else if (timestamp === undefined && this.#name(NAMES.timestamp)) {
        timestamp = this.#digits(MAX_DIGITS)
        if (timestamp === undefined) return undefined
      } else {
        return undefined
      }
      this.#space()
    } while (this.#take(COMMA))
    if (!this.#take(CLOSE_BRACE)) return undefined
    return { partition, key: key ?? null, value: value ?? null, headers: [], timestamp }
  }

  /** A member's name, its colon, and the space around it. */
  #name(name: Uint8Array): boolean {
    const bytes = this.#bytes
    const end = this.#at + 1 + name.length
    if (bytes[this.#at] !== QUOTE || bytes[end] !== QUOTE) return false
    for (let at = 0; at < name.length; at++) {
      if (bytes[this.#at + 1 + at] !== name[at]) return false
    }
    const start = this.#at
    this.#at = end + 1
    this.#space()
    if (this.#take(COLON)) {
      this.#space()
      return true
    }
    // A name without its colon is no member: it stays in the way of all others.
    this.#at = start
    return false
  }

  /** The bytes of a key or value; null for JSON's null. `isText` takes a string without its quotes. */
  #content(isText: boolean): Uint8Array | null | undefined {
    const start = this.#at
    const isString = this.#bytes[start] === QUOTE
    this.#isEscaped = false
    if (!this.#value(0)) return undefined
    if (isString && isText) {
      return this.#isEscaped ? undefined : this.#bytes.subarray(start + 1, this.#at - 1)
    }
    const isNull = this.#bytes[start] === 0x6e
    return isNull ? null : this.#bytes.subarray(start, this.#at)
  }

  /** A number that is nothing but digits. */
  #digits(most: number): number | undefined {
    const start = this.#at
    if (!this.#number()) return undefined
    if (this.#at - start > most) return undefined
    let value = 0
    for (let at = start; at < this.#at; at++) {
      const digit = (this.#bytes[at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) return undefined
      value = value * 10 + digit
    }
    return value
  }

  #value(depth: number): boolean {
    switch (this.#bytes[this.#at]) {
      case QUOTE:
        return this.#string()
      case OPEN_BRACE:
        return this.#nested(depth + 1, CLOSE_BRACE)
      case OPEN_BRACKET:
        return this.#nested(depth + 1, CLOSE_BRACKET)
      case 0x74:
      case 0x66:
      case 0x6e:
        return LITERALS.some((literal) => this.#literal(literal))
      default:
        return this.#number()
    }
  }

  #nested(depth: number, close: number): boolean {
    if (depth > MAX_DEPTH) return false
    this.#at += 1
    this.#space()
    if (this.#take(close)) return true
    do {
      this.#space()
      if (close === CLOSE_BRACE) {
        if (this.#bytes[this.#at] !== QUOTE || !this.#string()) return false
        this.#space()
        if (!this.#take(COLON)) return false
        this.#space()
      }
      if (!this.#value(depth)) return false
      this.#space()
    } while (this.#take(COMMA))
    return this.#take(close)
  }

  #string(): boolean {
    const bytes = this.#bytes
    const { length } = bytes
    let at = this.#at + 1
    let isAscii = true
    while (at < length) {
      const code = bytes[at] as number
      if (code === QUOTE) {
        this.#at = at + 1
        this.#isAscii &&= isAscii
        return true
      }
      if (code < 0x20) return false
      if (code === BACKSLASH) {
        this.#isEscaped = true
        const size = escapeSize(bytes, at)
        if (size === 0) return false
        at += size
      } else {
        if (code >= 0x80) isAscii = false
        at += 1
      }
    }
    return false
  }

  #number(): boolean {
    const bytes = this.#bytes
    const start = bytes[this.#at] === MINUS ? this.#at + 1 : this.#at
    let at = digitsEnd(bytes, start)
    if (at === start || (bytes[start] === 0x30 && at > start + 1)) return false
    if (bytes[at] === 0x2e) {
      const fraction = at + 1
      at = digitsEnd(bytes, fraction)
      if (at === fraction) return false
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      const sign = bytes[at + 1]
      const exponent = sign === 0x2b || sign === MINUS ? at + 2 : at + 1
      at = digitsEnd(bytes, exponent)
      if (at === exponent) return false
    }
    this.#at = at
    return true
  }

  #literal(literal: Uint8Array): boolean {
    for (let at = 0; at < literal.length; at++) {
      if (this.#bytes[this.#at + at] !== literal[at]) return false
    }
    this.#at += literal.length
    return true
  }

  #take(code: number): boolean {
    if (this.#bytes[this.#at] !== code) return false
    this.#at += 1
    return true
  }

  #space(): void {
    const bytes = this.#bytes
    let at = this.#at
    for (let code = bytes[at]; code !== undefined && code <= 0x20; code = bytes[at]) {
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
      at += 1
    }
    this.#at = at
  }

  /** Nothing is left, and all of it was UTF-8. */
  #isAtEnd(): boolean {
    this.#space()
    if (this.#at !== this.#bytes.length) return false
    return this.#isAscii || isUtf8(this.#bytes)
  }
}

function digitsEnd(bytes: Uint8Array, start: number): number {
  let at = start
  for (let code = bytes[at]; code !== undefined && code >= 0x30 && code <= 0x39; code = bytes[at]) {
    at += 1
  }
  return at
}

/** The bytes of the escape sequence at `at`; 0 when it is none. */
function escapeSize(bytes: Uint8Array, at: number): number {
  const code = bytes[at + 1] ?? 0
  if (code !== 0x75) return '"\\/bfnrt'.includes(String.fromCharCode(code)) ? 2 : 0
  for (let digit = at + 2; digit < at + 6; digit++) {
    if (!isHexDigit(bytes[digit] ?? 0)) return 0
  }
  return 6
}

function isHexDigit(code: number): boolean {
  const lower = code | 0x20
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66)
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}
