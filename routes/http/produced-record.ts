// A record in a request's JSON becomes bytes.
import type { ProducedRecord } from '#src/broker/broker.ts'
import { canonicalInt64, type Int64 } from '#storage/bytes/int64.ts'
import { decodeBase64 } from './base64.ts'
import { HttpError } from './errors.ts'
import { objectMembers } from './json-text.ts'
import type { RecordFormat } from './record-json.ts'

type Encoding = 'json' | 'text' | 'base64'

const encoder = new TextEncoder()
const MAX_INT32 = 2_147_483_647

/**
 * Reads one record from a JSON text that is known to be valid. `json` (REST v2) stores keys and values as JSON text;
 * `binary` takes base64; `plain` is like `json`, but a key that is a string is stored as its characters, as Java's
 * StringSerializer does, so that both choose the same partition. JSON text is stored as it was sent, character for
 * character. `key_encoding` and `value_encoding` (json, text, base64) choose otherwise. Throws 422.
 */
export function decodeRecord(text: string, format: RecordFormat): ProducedRecord {
  if (text[0] !== '{') throw invalid('A record is a JSON object')
  const members = objectMembers(text)
  const partition = members.get('partition')
  const timestamp = members.get('timestamp')
  return {
    partition: partition === undefined || partition === 'null' ? undefined : index(partition),
    key: bytesOf('key', members, format),
    value: bytesOf('value', members, format),
    headers: headersOf(members.get('headers'), format),
    timestamp: timestamp === undefined || timestamp === 'null' ? undefined : parseInt64(timestamp),
  }
}

/** Milliseconds as a JSON number or string of any int64. Throws 422. */
export function parseInt64(text: string): Int64 {
  const digits = text.replace(/^"(.*)"$/, '$1')
  if (!/^-?\d{1,19}$/.test(digits)) throw invalid(`Timestamp ${text} is not an integer`)
  const value = BigInt(digits)
  if (BigInt.asIntN(64, value) !== value) throw invalid(`Timestamp ${text} is outside of 64 bits`)
  return canonicalInt64(value)
}

function bytesOf(
  name: 'key' | 'value',
  members: ReadonlyMap<string, string>,
  format: RecordFormat,
): Uint8Array | null {
  const text = members.get(name)
  if (text === undefined || text === 'null') return null
  const isString = text.startsWith('"')
  const encoding = encodingOf(name, members, format, isString)
  if (encoding === 'json') return encoder.encode(text)
  if (!isString) throw invalid(`The ${name} must be a string to be taken as ${encoding}`)
  const content = String(JSON.parse(text))
  return encoding === 'text' ? encoder.encode(content) : decodeBase64(content, name)
}

function encodingOf(
  name: 'key' | 'value',
  members: ReadonlyMap<string, string>,
  format: RecordFormat,
  isString: boolean,
): Encoding {
  const asked = members.get(`${name}_encoding`)
  if (asked === undefined || asked === 'null') {
    if (format === 'binary') return 'base64'
    return format === 'plain' && name === 'key' && isString ? 'text' : 'json'
  }
  const encoding: unknown = JSON.parse(asked)
  if (encoding === 'json' || encoding === 'text' || encoding === 'base64') return encoding
  throw invalid(`The ${name}_encoding ${asked} is none of json, text, base64`)
}

function headersOf(text: string | undefined, format: RecordFormat): ProducedRecord['headers'] {
  if (text === undefined || text === 'null') return []
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list)) throw invalid('The headers are a list of {"name", "value"}')
  return list.map((header: unknown) => headerOf(header, format))
}

function headerOf(header: unknown, format: RecordFormat): ProducedRecord['headers'][number] {
  if (typeof header !== 'object' || header === null || !('name' in header)) {
    throw invalid('A header is an object with a name')
  }
  const { name } = header
  const value = 'value' in header ? header.value : null
  const encoding = 'value_encoding' in header ? header.value_encoding : undefined
  if (typeof name !== 'string') throw invalid("A header's name is a string")
  if (value === null) return { key: name, value: null }
  if (typeof value !== 'string') throw invalid(`The value of header ${name} is not a string`)
  const isBase64 = encoding === 'base64' || (encoding === undefined && format === 'binary')
  return {
    key: name,
    value: isBase64 ? decodeBase64(value, `header ${name}`) : encoder.encode(value),
  }
}

function index(text: string): number {
  const partition = Number(text)
  if (Number.isInteger(partition) && partition >= 0 && partition <= MAX_INT32) return partition
  throw invalid(`Partition ${text} is not a partition number`)
}

function invalid(message: string): HttpError {
  return new HttpError(42206, message)
}
