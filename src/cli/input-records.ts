// Turns input into the JSON of records, as the broker takes them.
import { CommandError } from './command-error.ts'
import { base64, utf8Text } from './display.ts'

/** `lines`: a value a line; `json`: a record object a line; `raw`: the whole input is one value. */
export type InputFormat = 'lines' | 'json' | 'raw'

/** What every record of the input gets. */
export interface RecordDefaults {
  readonly key: string | undefined
  /** What stands between key and value of a line. */
  readonly keySeparator: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** The JSON of a record from one line; undefined for a line that holds none. Throws CommandError. */
export function recordFromLine(
  line: Uint8Array,
  number: number,
  format: InputFormat,
  defaults: RecordDefaults,
): string | undefined {
  if (format === 'json') return jsonRecord(line, number)
  const { keySeparator } = defaults
  if (keySeparator === undefined) return valueRecord(line, defaults.key, defaults)
  const text = utf8Text(line)
  const at = text?.indexOf(keySeparator) ?? -1
  if (text === undefined || at < 0) {
    throw new CommandError(`Line ${number} has no key separator ${JSON.stringify(keySeparator)}`)
  }
  const value = new TextEncoder().encode(text.slice(at + keySeparator.length))
  return valueRecord(value, text.slice(0, at), defaults)
}

/** The JSON of a record with this value: as text when it is UTF-8, else as base64. */
export function valueRecord(
  value: Uint8Array,
  key: string | undefined,
  { headers }: RecordDefaults,
): string {
  const text = utf8Text(value)
  const members: Record<string, unknown> = {
    ...(key === undefined ? {} : { key, key_encoding: 'text' }),
    value: text ?? base64(value),
    value_encoding: text === undefined ? 'base64' : 'text',
  }
  const pairs = Object.entries(headers)
  if (pairs.length > 0)
    members['headers'] = pairs.map(([name, content]) => ({ name, value: content }))
  return JSON.stringify(members)
}

/** The line as it is, so that no number in it loses a digit. */
function jsonRecord(line: Uint8Array, number: number): string | undefined {
  const text = utf8Text(line)?.trim()
  if (text === '') return undefined
  if (text?.startsWith('{') === true && isJson(text)) return text
  throw new CommandError(`Line ${number} is not a JSON object`, {
    fix: 'A record is {"key":…,"value":…,"headers":[…]}; use --format lines for plain text',
  })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
