// Stored records as JSON. Values that are JSON are embedded as they are stored, so no number loses a digit.
import type { StoredRecord } from '#src/broker/reading.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { encodeBase64 } from './base64.ts'
import { isPlainJson } from './json-scan.ts'

/** How a stored record is written: our own shape, or one of REST v2's two, which have no headers and no timestamp. */
export type RecordFormat = 'plain' | 'json' | 'binary'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One record as one line of JSON. */
export function recordJson(record: StoredRecord, format: RecordFormat = 'plain'): string {
  const topic = topicJson(record.topic)
  const { partition, offset } = record
  if (format === 'binary') {
    const [key, value] = [base64Json(record.key), base64Json(record.value)]
    return `{"topic":${topic},"key":${key},"value":${value},"partition":${partition},"offset":${offset}}`
  }
  const key = bytesMember('key', record.key, format === 'plain' ? keyJson : valueJson)
  const value = plainValue(record.value) ?? bytesMember('value', record.value, valueJson)
  if (format === 'json') {
    return `{"topic":${topic},${key},${value},"partition":${partition},"offset":${offset}}`
  }
  const timestamp = timestampJson(record.timestamp)
  const headers = record.headers.length === 0 ? '' : record.headers.map(headerJson).join(',')
  return `{"topic":${topic},"partition":${partition},"offset":${offset},"timestamp":${timestamp},"headers":[${headers}],${key},${value}}`
}

/** The last topic as JSON: records come in runs of one. */
let lastTopic = { name: '', json: '""' }

function topicJson(name: string): string {
  if (lastTopic.name !== name) lastTopic = { name, json: JSON.stringify(name) }
  return lastTopic.json
}

/** A value that is JSON on one line, as nearly all are, with less work; undefined when it may be something else. */
function plainValue(bytes: Uint8Array | null): string | undefined {
  if (bytes === null) return '"value":null'
  if (bytes.length <= 4 || !isPlainJson(bytes)) return undefined
  const text = decoder.decode(bytes)
  const isOneLine = !text.includes('\n') && !text.includes('\r')
  return !isOneLine || text.trim() === 'null' ? undefined : `"value":${text}`
}

/** A timestamp as a JSON number, or as a string where a number would not be exact. */
export function timestampJson(timestamp: Int64): string {
  return typeof timestamp === 'bigint' ? `"${timestamp}"` : String(timestamp)
}

function headerJson(header: { readonly key: string; readonly value: Uint8Array | null }): string {
  return `{"name":${JSON.stringify(header.key)},${bytesMember('value', header.value, JSON.stringify)}}`
}

/** `"name":…` by way of the text of the bytes; base64 and a note that says so where they are not UTF-8. */
function bytesMember(
  name: string,
  bytes: Uint8Array | null,
  toJson: (text: string) => string,
): string {
  if (bytes === null) return `"${name}":null`
  const text = utf8(bytes)
  if (text === undefined) return `"${name}":"${encodeBase64(bytes)}","${name}_encoding":"base64"`
  return `"${name}":${toJson(text)}`
}

/**
 * A value: JSON is embedded, other text becomes a string. The text `null` becomes a string too, because a JSON null
 * says that there is no value (a tombstone).
 */
function valueJson(text: string): string {
  return isJson(text) && text.trim() !== 'null' ? oneLine(text) : JSON.stringify(text)
}

/** A key is an identity, not a document: `42` is text. Only objects, arrays and quoted strings are taken for JSON. */
function keyJson(text: string): string {
  return /^\s*[[{"]/.test(text) && isJson(text) ? oneLine(text) : JSON.stringify(text)
}

/** Line ends in valid JSON are white space, and would break NDJSON and SSE. */
function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, ' ') : text
}

function isJson(text: string): boolean {
  if (!/^\s*[-[{"\dtfn]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function base64Json(bytes: Uint8Array | null): string {
  return bytes === null ? 'null' : `"${encodeBase64(bytes)}"`
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
