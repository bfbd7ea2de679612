// The reader of plain bodies against the thorough one: it may leave a body to the other, never read it differently.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scanRecord, scanRecords } from '../../../routes/http/json-scan.ts'
import { arrayElements, objectMembers } from '../../../routes/http/json-text.ts'
import { decodeRecord } from '../../../routes/http/produced-record.ts'
import type { ProducedRecord } from '../../../src/broker/broker.ts'

const encoder = new TextEncoder()

function scanned(text: string | Uint8Array, format: 'plain' | 'json' = 'plain', max = 1000) {
  return scanRecords(typeof text === 'string' ? encoder.encode(text) : text, format, max)
}

/** What the thorough reader says; undefined when it refuses. */
function thorough(bytes: Uint8Array, format: 'plain' | 'json'): ProducedRecord[] | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const parsed: unknown = JSON.parse(text)
    if (!Array.isArray(Object(parsed).records)) return undefined
    const records = arrayElements(objectMembers(text).get('records') ?? '[]')
    return records.map((record) => decodeRecord(record, format))
  } catch {
    return undefined
  }
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

const shown = (records: readonly ProducedRecord[] | undefined) =>
  records?.map(({ key, value, ...rest }) => ({ key: text(key), value: text(value), ...rest }))

test.each([
  { why: 'a value', body: '{"records":[{"value":{"n":1}}]}' },
  { why: 'spaces anywhere', body: ' {\n"records" :\t[ {"value" : [1 , 2] } , {"key":"k"}\r] } ' },
  {
    why: 'keys of all kinds',
    body: '{"records":[{"key":"a"},{"key":7},{"key":{"a":[]}},{"key":null}]}',
  },
  {
    why: 'numbers of all kinds',
    body: '{"records":[{"value":[-0.5e+10,0,-1,1E2,12345678901234567890]}]}',
  },
  { why: 'escapes in a value', body: '{"records":[{"value":"\\u00e9\\n\\"\\\\"}]}' },
  { why: 'text that is not ASCII', body: '{"records":[{"key":"é","value":"日本 🦀"}]}' },
  { why: 'literals', body: '{"records":[{"value":true},{"value":false},{"value":null}]}' },
  {
    why: 'a partition and a timestamp',
    body: '{"records":[{"partition":3,"timestamp":1795377193808,"value":1}]}',
  },
])('scanRecords() reads $why as the thorough reader does', ({ body }) => {
  const bytes = encoder.encode(body)
  for (const format of ['plain', 'json'] as const) {
    expect(scanned(bytes, format)).toBeDefined()
    expect(shown(scanned(bytes, format))).toEqual(shown(thorough(bytes, format)))
  }
})

test.each([
  { why: 'no records', body: '{"records":[]}' },
  { why: 'an empty record', body: '{"records":[{}]}' },
  { why: 'a comma at the end', body: '{"records":[{"value":1},]}' },
  { why: 'a comma at the end of a record', body: '{"records":[{"value":1,}]}' },
  { why: 'more than it may', body: '{"records":[{"value":1},{"value":2}]}', max: 1 },
  { why: 'another member', body: '{"records":[{"value":1}],"key_schema":"x"}' },
  { why: 'a name without a colon', body: '{"records":[{"value" "key":1}]}' },
  { why: 'a list without a colon', body: '{"records" [{"value":1}]}' },
  { why: 'headers', body: '{"records":[{"value":1,"headers":[]}]}' },
  { why: 'a member twice', body: '{"records":[{"value":1,"value":2}]}' },
  { why: 'an escape in a key', body: '{"records":[{"key":"\\u0041"}]}' },
  { why: 'a partition with a fraction', body: '{"records":[{"partition":1.0}]}' },
  { why: 'a negative timestamp', body: '{"records":[{"timestamp":-1}]}' },
  { why: 'a zero in front', body: '{"records":[{"value":01}]}' },
  { why: 'a bare point', body: '{"records":[{"value":1.}]}' },
  { why: 'an empty exponent', body: '{"records":[{"value":1e}]}' },
  { why: 'a line end in a string', body: '{"records":[{"value":"a\nb"}]}' },
  { why: 'an unknown escape', body: '{"records":[{"value":"\\x"}]}' },
  { why: 'a short escape', body: '{"records":[{"value":"\\u12"}]}' },
  { why: 'a half literal', body: '{"records":[{"value":tru}]}' },
  { why: 'text behind the end', body: '{"records":[{"value":1}]} x' },
  { why: 'great depth', body: `{"records":[{"value":${'['.repeat(40)}${']'.repeat(40)}}]}` },
  { why: 'nothing', body: '' },
])('scanRecords() leaves $why to the thorough reader', ({ body, max }) => {
  expect(scanned(body, 'plain', max)).toBeUndefined()
})

test('scanRecords() leaves bytes that are not UTF-8 to the thorough reader', () => {
  const bytes = encoder.encode('{"records":[{"value":"??"}]}')
  bytes.set([0xc3, 0x28], 22)
  expect(text(bytes.subarray(21, 25))).toContain('\ufffd')
  expect(scanned(bytes)).toBeUndefined()
})

test('scanRecord() reads one record that is all there is', () => {
  const record = scanRecord(encoder.encode(' {"key":"k","value":[1]} '), 'plain')
  expect(shown(record && [record])).toEqual([
    { key: 'k', value: '[1]', partition: undefined, timestamp: undefined, headers: [] },
  ])
  expect(scanRecord(encoder.encode('{"value":1}{"value":2}'), 'plain')).toBeUndefined()
})

const value = fc.jsonValue({ maxDepth: 3 })
const member = fc.record(
  { key: value, value, partition: fc.nat(20), timestamp: fc.nat() },
  { requiredKeys: [] },
)
const bodies = fc
  .tuple(fc.array(member, { minLength: 1, maxLength: 4 }), fc.constantFrom(undefined, 1))
  .map(([records, indent]) => encoder.encode(JSON.stringify({ records }, null, indent)))

test('scanRecords() agrees with the thorough reader wherever it reads at all', () => {
  let read = 0
  fc.assert(
    fc.property(bodies, fc.constantFrom('plain', 'json'), (bytes, format) => {
      const records = scanned(bytes, format)
      if (records === undefined) return
      read += 1
      expect(shown(records)).toEqual(shown(thorough(bytes, format)))
    }),
    { numRuns: 300 },
  )
  expect(read).toBeGreaterThan(30)
})

test('scanRecords() accepts no damaged body that the thorough reader refuses or reads otherwise', () => {
  const damage = fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\ \n0-.e+tfnu\u0000ÿ'))
  fc.assert(
    fc.property(bodies, fc.array(damage, { minLength: 1, maxLength: 3 }), (whole, damages) => {
      const bytes = whole.slice()
      for (const [at, character] of damages) {
        bytes[at % bytes.length] = character.charCodeAt(0)
      }
      const records = scanned(bytes)
      if (records !== undefined) expect(shown(records)).toEqual(shown(thorough(bytes, 'plain')))
    }),
    { numRuns: 2000 },
  )
})
