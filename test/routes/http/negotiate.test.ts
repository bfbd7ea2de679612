// The choice of an answer's type by Accept.
import { expect, test } from 'vitest'
import { mediaType, negotiate } from '../../../routes/http/negotiate.ts'

const OFFERS = ['application/x-ndjson', 'text/event-stream'] as const

test.each([
  { accept: undefined, type: 'application/x-ndjson' },
  { accept: '', type: 'application/x-ndjson' },
  { accept: '*/*', type: 'application/x-ndjson' },
  { accept: 'text/event-stream', type: 'text/event-stream' },
  { accept: 'text/*;q=0.9, application/x-ndjson;q=0.1', type: 'text/event-stream' },
  { accept: '*/*;q=0.1, text/event-stream', type: 'text/event-stream' },
  { accept: '*/*, application/x-ndjson;q=0', type: 'text/event-stream' },
  { accept: 'application/jsonl', type: 'application/x-ndjson' },
])('negotiate() answers Accept "$accept" with $type', ({ accept, type }) => {
  expect(negotiate(accept, OFFERS)).toBe(type)
})

test('negotiate() refuses with 406 what it does not have', () => {
  expect(() => negotiate('text/html', OFFERS)).toThrow(expect.objectContaining({ errorCode: 406 }))
})

test('mediaType() leaves parameters and case aside', () => {
  expect(mediaType('Application/JSON; charset=utf-8')).toBe('application/json')
})
