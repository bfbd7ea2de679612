// The text format that Kafka's checkpoint files share: a version, a count, one entry a line.
import { StorageFault } from '../base/errors.ts'

const VERSION = '0'
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Writes `0`, the number of entries, and each entry's fields with a space between them; every line ends in `\n`. */
export function serializeCheckpoint(entries: readonly string[]): Uint8Array {
  return encoder.encode([VERSION, entries.length, ...entries, ''].join('\n'))
}

/**
 * The fields of each entry. An empty file has none. Throws `StorageFault` when version, count or the number of fields
 * is wrong; `name` says which file it was.
 */
export function parseCheckpoint(bytes: Uint8Array, name: string, fieldCount: number): string[][] {
  const text = decoder.decode(bytes)
  if (text === '') return []
  const [version, count, ...lines] = text.replace(/\n$/, '').split('\n')
  if (version?.trim() !== VERSION) throw malformed(name, `has version ${version}`)
  if (Number(count) !== lines.length || !/^\d+\s*$/.test(count ?? '')) {
    throw malformed(name, `announces ${count ?? 'no'} entries and has ${lines.length}`)
  }
  return lines.map((line) => {
    const fields = line.trim().split(/\s+/)
    if (fields.length !== fieldCount) throw malformed(name, `has the line "${line}"`)
    return fields
  })
}

/** A non-negative integer of a checkpoint. Throws `StorageFault` otherwise. */
export function parseCheckpointNumber(text: string | undefined, name: string): number {
  const value = Number(text)
  if (text && /^\d+$/.test(text) && Number.isSafeInteger(value)) return value
  throw malformed(name, `has "${text}" where a number belongs`)
}

function malformed(name: string, detail: string): StorageFault {
  return new StorageFault(`The file ${name} ${detail}`)
}
