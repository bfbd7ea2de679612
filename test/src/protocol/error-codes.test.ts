// Numbers and retriability of errors, against a sample that was read from Kafka 4.3.1's `Errors`.
import { expect, test } from 'vitest'
import { errorCode, errorName, isRetriable } from '../../../src/protocol/error-codes.ts'

test.each([
  { name: 'UNKNOWN_SERVER_ERROR', code: -1, retry: false },
  { name: 'OFFSET_OUT_OF_RANGE', code: 1, retry: false },
  { name: 'CORRUPT_MESSAGE', code: 2, retry: true },
  { name: 'NOT_LEADER_OR_FOLLOWER', code: 6, retry: true },
  { name: 'TOPIC_ALREADY_EXISTS', code: 36, retry: false },
  { name: 'KAFKA_STORAGE_ERROR', code: 56, retry: true },
  { name: 'INVALID_RECORD', code: 87, retry: false },
  { name: 'SHARE_SESSION_LIMIT_REACHED', code: 133, retry: true },
] as const)('errorCode($name) is $code', ({ name, code, retry }) => {
  expect(errorCode(name)).toBe(code)
  expect(errorName(code)).toBe(name)
  expect(isRetriable(name)).toBe(retry)
})

test('errorName() names every number from 1 to 133, and has one name for what it does not know', () => {
  const names = Array.from({ length: 133 }, (_, at) => errorName(at + 1))
  expect(new Set(names).size).toBe(133)
  expect(names).not.toContain('UNKNOWN_SERVER_ERROR')
  expect(errorName(134)).toBe('UNKNOWN_SERVER_ERROR')
})
