// What becomes of patterns that are wrong or costly. That right ones mean what they mean to Kafka is shown by test/golden/groups.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileTopicPattern } from '../../../../src/groups/subscriptions/topic-pattern.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'

test.each([
  {
    why: 'a class without an end',
    text: '[a',
    says: /`\[a` is not a regular expression in RE2's syntax: missing closing \]/,
  },
  {
    why: 'lookahead',
    text: 'a(?=b)',
    says: /`a\(\?=b\)` is not .* invalid or unsupported Perl syntax/,
  },
  { why: 'a million repetitions', text: '(a{1000}){1000}', says: /invalid repeat count/ },
  { why: 'endless nesting', text: '('.repeat(15_000), says: /^.{10,600}$/ },
  { why: 'deep nesting', text: '(?:'.repeat(5000) + ')*'.repeat(5000), says: /nests too deeply/ },
  { why: 'length', text: 'a?'.repeat(10_000), says: /takes 20002 instructions, more than 10000/ },
])('compileTopicPattern() refuses $why and says so', ({ text, says }) => {
  expect(() => compileTopicPattern(text)).toThrow(
    expect.objectContaining({
      name: 'KafkaError',
      code: 'INVALID_REGULAR_EXPRESSION',
      message: expect.stringMatching(says),
    }),
  )
})

test('compileTopicPattern() either compiles a text or refuses it, whatever it holds', () => {
  const unit = fc.constantFrom(...'ab(|)[]{}*+?^$\\.,-19:=<>PQEsim\u00e9\ud83d\ude80 ')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 20 }), (text) => {
      try {
        expect(typeof compileTopicPattern(text).matches('ab')).toBe('boolean')
      } catch (error) {
        expect(error).toBeInstanceOf(KafkaError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('compileTopicPattern() keeps the text as the member wrote it', () => {
  expect(compileTopicPattern('(?i)a|b').text).toBe('(?i)a|b')
})

test('A pattern describes whole names, those of internal topics too', () => {
  const names = ['orders', 'orders.eu', 'my-orders', '__consumer_offsets']
  const found = (text: string) => names.filter((name) => compileTopicPattern(text).matches(name))
  expect(found('orders')).toEqual(['orders'])
  expect(found('orders.*')).toEqual(['orders', 'orders.eu'])
  expect(found('.*')).toEqual(names)
})

test('A pattern that makes others backtrack needs no exponential time', () => {
  const pattern = compileTopicPattern('(a*)*(a|aa)*(a?){100}b')
  const names = ['a'.repeat(249), `${'a'.repeat(248)}b`]
  expect(names.filter((name) => pattern.matches(name))).toEqual([names[1]])
})
