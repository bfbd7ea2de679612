// Texts for terminals: colours, times, bytes, and nothing that moves the cursor.
import type { Int64 } from '#storage/bytes/int64.ts'

/** Colours of a terminal; each returns the text unchanged when there are none. */
export interface Palette {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
}

/** The colours to use on a stream. */
export function palette(hasColours: boolean): Palette {
  const paint = (code: number) => (text: string) =>
    hasColours ? `\u001b[${code}m${text}\u001b[0m` : text
  return { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32) }
}

/** A timestamp in UTC, or its number where no calendar reaches. */
export function timeText(timestamp: Int64): string {
  const isDate = typeof timestamp === 'number' && timestamp >= 0 && timestamp <= 253_402_300_799_999
  return isDate ? new Date(timestamp).toISOString() : String(timestamp)
}

/** A count with separators. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** The text without control characters, and no longer than `most` characters. */
export function printable(text: string, most = Infinity): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0)
    return code < 32 ? String.fromCharCode(0x2400 + code) : '\u2421'
  })
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean
}

/** The text of bytes; undefined when they are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes as base64. */
export function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  }
  return btoa(binary)
}

/** The bytes of a base64 text. */
export function base64Bytes(text: string): Uint8Array {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}

/** Sixteen bytes a line: position, hex, characters. */
export function* hexLines(bytes: Uint8Array, position: number): Generator<string> {
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const characters = Array.from(row, (byte) =>
      byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.',
    ).join('')
    yield `${String(position + at).padStart(12)}  ${hex.padEnd(47)}  ${characters}`
  }
}
