// How keys and values are shown in JSON.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRecord } from '../../../routes/http/produced-record.ts'
import { type RecordFormat, recordJson } from '../../../routes/http/record-json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | null) => value && new TextDecoder().decode(value)

function stored(fields: {
  key?: Uint8Array | null
  value?: Uint8Array | null
  headers?: { key: string; value: Uint8Array | null }[]
  timestamp?: number | bigint
}) {
  const { key = null, value = null, headers = [], timestamp = 7 } = fields
  return { topic: 't', partition: 0, offset: 5, timestamp, key, value, headers }
}

test('recordJson() writes the shape that the documentation shows', () => {
  const headers = [
    { key: 'a', value: bytes('é') },
    { key: 'b', value: new Uint8Array([255]) },
    { key: 'c', value: null },
  ]
  expect(recordJson(stored({ key: bytes('k'), value: bytes('{"n":1}'), headers }))).toBe(
    '{"topic":"t","partition":0,"offset":5,"timestamp":7,"headers":[{"name":"a","value":"é"},' +
      '{"name":"b","value":"/w==","value_encoding":"base64"},{"name":"c","value":null}],' +
      '"key":"k","value":{"n":1}}',
  )
})

test.each([
  {
    why: 'JSON as it is, digits and all',
    value: '{"id":12345678901234567890,"x":1.0}',
    shown: '{"id":12345678901234567890,"x":1.0}',
  },
  { why: 'JSON on several lines on one', value: '{\r\n"a":\n1}', shown: '{ "a": 1}' },
  { why: 'text as a string', value: 'hello', shown: '"hello"' },
  { why: 'quoted text once', value: '"hello"', shown: '"hello"' },
  { why: 'broken JSON as a string', value: '{"a":', shown: '"{\\"a\\":"' },
  { why: 'a number as a number', value: '42', shown: '42' },
  { why: 'the text null as a string, for null is a tombstone', value: 'null', shown: '"null"' },
  { why: 'an empty value as an empty string', value: '', shown: '""' },
  { why: 'text with a byte order mark unharmed', value: '\uFEFF1', shown: '"\uFEFF1"' },
])('recordJson() shows a value, $why', ({ value, shown }) => {
  expect(recordJson(stored({ value: bytes(value) }))).toContain(`"value":${shown}}`)
})

test.each([
  { why: 'text', key: 'en', shown: '"en"' },
  { why: 'digits as text', key: '42', shown: '"42"' },
  { why: 'JSON objects as JSON', key: '{"a":1}', shown: '{"a":1}' },
])('recordJson() shows a key, $why', ({ key, shown }) => {
  expect(recordJson(stored({ key: bytes(key) }))).toContain(`"key":${shown},`)
})

test('recordJson() says when bytes are base64', () => {
  const json = recordJson(stored({ key: new Uint8Array([128]), value: new Uint8Array([0xff, 0]) }))
  expect(JSON.parse(json)).toMatchObject({
    key: 'gA==',
    key_encoding: 'base64',
    value: '/wA=',
    value_encoding: 'base64',
  })
})

test('recordJson() shows timestamps beyond 2^53 as strings', () => {
  expect(recordJson(stored({ timestamp: 9_223_372_036_854_775_807n }))).toContain(
    '"timestamp":"9223372036854775807"',
  )
})

test.each<{ format: RecordFormat; json: string; key: string | null; value: string | null }>([
  { format: 'plain', json: '{"key":"en","value":"hello"}', key: 'en', value: '"hello"' },
  { format: 'json', json: '{"key":"en","value":"hello"}', key: '"en"', value: '"hello"' },
  { format: 'binary', json: '{"key":"ZW4=","value":"aGVsbG8="}', key: 'en', value: 'hello' },
  { format: 'plain', json: '{"value":null}', key: null, value: null },
  { format: 'plain', json: '{"key":7,"value":{"a": 1.0}}', key: '7', value: '{"a": 1.0}' },
  {
    format: 'plain',
    json: '{"value":12345678901234567890}',
    key: null,
    value: '12345678901234567890',
  },
  {
    format: 'plain',
    json: '{"key":"en","key_encoding":"json","value":"hi","value_encoding":"text"}',
    key: '"en"',
    value: 'hi',
  },
  { format: 'plain', json: '{"value":"aGk=","value_encoding":"base64"}', key: null, value: 'hi' },
])('decodeRecord() stores $json as $format', ({ format, json, key, value }) => {
  const record = decodeRecord(json, format)
  expect([text(record.key), text(record.value)]).toEqual([key, value])
})

test('decodeRecord() takes timestamps and headers', () => {
  const record = decodeRecord(
    '{"timestamp":9223372036854775807,"partition":3,"headers":[{"name":"a","value":"b"},{"name":"c","value":"/w==","value_encoding":"base64"},{"name":"d","value":null}]}',
    'plain',
  )
  expect(record).toMatchObject({ timestamp: 9_223_372_036_854_775_807n, partition: 3 })
  expect(record.headers).toEqual([
    { key: 'a', value: bytes('b') },
    { key: 'c', value: new Uint8Array([255]) },
    { key: 'd', value: null },
  ])
  expect(decodeRecord('{"timestamp":"-5"}', 'plain').timestamp).toBe(-5)
})

test.each([
  { why: 'no object', json: '[]' },
  { why: 'base64 that is none', json: '{"value":"*","value_encoding":"base64"}' },
  { why: 'an unknown encoding', json: '{"value":"a","value_encoding":"hex"}' },
  { why: 'text that is no string', json: '{"value":1,"value_encoding":"text"}' },
  { why: 'a partition that is none', json: '{"partition":-1}' },
  { why: 'a timestamp beyond 64 bits', json: '{"timestamp":9223372036854775808}' },
  { why: 'a timestamp with a fraction', json: '{"timestamp":1.5}' },
  { why: 'headers that are no list', json: '{"headers":{}}' },
  { why: 'a header without a name', json: '{"headers":[{"value":"a"}]}' },
  { why: 'a header with a number', json: '{"headers":[{"name":"a","value":1}]}' },
])('decodeRecord() refuses $why with 422', ({ json }) => {
  expect(() => decodeRecord(json, 'plain')).toThrow(expect.objectContaining({ errorCode: 42206 }))
})

test('recordJson() reads back as any JSON value that decodeRecord() stored', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const produced = decodeRecord(JSON.stringify({ value }), 'plain')
      const shown = JSON.parse(recordJson(stored({ value: produced.value })))
      expect(JSON.stringify(shown.value)).toBe(JSON.stringify(value))
    }),
  )
})

test('recordJson() is one line, and gives any bytes back by way of their encoding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
      const line = recordJson(stored({ value }), 'binary')
      expect(line).not.toMatch(/[\r\n]/)
      expect(decodeRecord(line, 'binary').value).toEqual(value)
    }),
  )
})

test('recordJson() writes a value as it writes a key of the same bytes, whichever way it takes', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '1',
    '-',
    '.5',
    'null',
    'true',
    ' ',
    '\n',
    '\r',
    'a',
    'é',
    '\\',
  )
  const texts = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.jsonValue().map((value) => JSON.stringify(value, null, 1)),
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string(),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = new TextEncoder().encode(text)
      const place = { topic: 't', partition: 0, offset: 0, timestamp: 1, headers: [] }
      const json = recordJson({ ...place, key: bytes, value: bytes }, 'json')
      const [key, value] = json.slice('{"topic":"t","key":'.length).split(',"value":')
      expect(value).toBe(`${key},"partition":0,"offset":0}`)
    }),
    { numRuns: 500 },
  )
})
