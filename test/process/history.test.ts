// The checker of the crash tests finds every kind of contradiction.
import { expect, test } from 'vitest'
import { type Attempt, contradictions } from './history.ts'

const sent = (value: string, offset?: number, writer = 'w'): Attempt => ({
  writer,
  value,
  ...(offset === undefined ? {} : { acknowledged: { partition: 0, offset } }),
})
const log = (...values: string[]) =>
  new Map([[0, values.map((value, offset) => ({ offset, value }))]])

test.each([
  { why: 'all is well', attempts: [sent('a', 0), sent('b', 1)], read: log('a', 'b'), found: [] },
  {
    why: 'an unanswered value is there, or not',
    attempts: [sent('a'), sent('b'), sent('c', 1)],
    read: log('a', 'c'),
    found: [],
  },
  {
    why: 'a lost write',
    attempts: [sent('a', 0), sent('b', 1)],
    read: log('a'),
    found: ['b, acknowledged at 0@1, is lost'],
  },
  {
    why: 'a value at another offset',
    attempts: [sent('a', 1)],
    read: log('a'),
    found: ['a, acknowledged at 0@1, is at 0@0'],
  },
  {
    why: 'a value twice',
    attempts: [sent('a')],
    read: log('a', 'a'),
    found: ['a is at 0@0 and 0@1'],
  },
  {
    why: 'an invented value',
    attempts: [],
    read: log('x'),
    found: ['0@0 holds x, which nobody sent'],
  },
  {
    why: 'values out of order',
    attempts: [sent('a'), sent('b')],
    read: log('b', 'a'),
    found: ['a at 0@1 stands behind a later value of w'],
  },
  {
    why: 'two writers in any order',
    attempts: [sent('a', undefined, 'v'), sent('b')],
    read: log('b', 'a'),
    found: [],
  },
  {
    why: 'a gap between offsets',
    attempts: [sent('a'), sent('b')],
    read: new Map([
      [
        0,
        [
          { offset: 0, value: 'a' },
          { offset: 2, value: 'b' },
        ],
      ],
    ]),
    found: ['Offset 0@2 follows 0'],
  },
])('contradictions() says, when there is $why, $found', ({ attempts, read, found }) => {
  expect(contradictions(attempts, read)).toEqual(found)
})
