// Made-up bad histories of a log, each beside an innocent twin.
import type { AnomalyKind } from './findings.ts'
import {
  assign,
  begin,
  commit,
  drained,
  log,
  member,
  poll,
  type Step,
  send,
  sent,
  written,
} from './steps.ts'

/** A bad history, and its innocent twin. */
export interface Case {
  readonly kind: AnomalyKind
  readonly why: string
  readonly bad: readonly Step[]
  readonly innocent: string
  readonly good: readonly Step[]
  /** What else such a history shows. */
  readonly also?: readonly AnomalyKind[]
}

/** Of what was written and what was read. */
export const logCases: readonly Case[] = [
  {
    kind: 'lost-write',
    why: 'an acknowledged value is gone, and a later one is there',
    bad: [...written('ab'), { ...log('b', 1), start: 0 } as Step],
    innocent: 'the value was never acknowledged',
    good: [send('a'), send('b'), sent(1, 'b'), { ...log('b', 1), start: 0 } as Step],
  },
  {
    kind: 'lost-write',
    why: 'a value was consumed and is gone in the last read',
    bad: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'ab'),
      { process: 'r', op: 'log', partition: 0, start: 0, end: 2, records: [[1, 'b']] },
    ],
    innocent: 'it was deleted on purpose',
    good: [...written('ab'), ...member('c'), poll('c', 0, 'ab'), log('b', 1)],
  },
  {
    kind: 'unseen',
    why: 'the last acknowledged value is not read',
    bad: [...written('ab'), log('a')],
    innocent: 'its fate is unknown',
    good: [
      send('a'),
      sent(0, 'a'),
      send('b'),
      { process: 'w', op: 'unsent', values: ['b'] },
      log('a'),
    ],
  },
  {
    kind: 'unseen',
    why: 'a drained group was not given a record',
    bad: [...written('ab'), ...member('c'), poll('c', 0, 'a'), drained, log('ab')],
    innocent: 'another member was given it',
    good: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      ...member('d'),
      poll('d', 1, 'b'),
      drained,
      log('ab'),
    ],
  },
  {
    kind: 'duplicate',
    why: 'a value has two offsets',
    bad: [...written('a'), log('aa')],
    innocent: 'two values look alike only at their beginning',
    good: [...written('ab'), log('ab')],
  },
  {
    kind: 'duplicate',
    why: 'a record is given again though a position behind it was committed',
    bad: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'ab'),
      ...commit('c', 2),
      ...member('d'),
      poll('d', 0, 'ab'),
      log('ab'),
    ],
    also: ['lost-commit'],
    innocent: 'the position behind it was not committed',
    good: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      poll('c', 1, 'b'),
      ...member('d'),
      poll('d', 1, 'b'),
      log('ab'),
    ],
  },
  {
    kind: 'inconsistent-offsets',
    why: 'two consumers see different values at one offset',
    bad: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      { ...begin('d'), group: 'h' } as Step,
      assign('d'),
      poll('d', 0, 'b'),
      log('ab'),
    ],
    also: ['duplicate', 'invented-value'],
    innocent: 'two groups see the same',
    good: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      { ...begin('d'), group: 'h' } as Step,
      assign('d'),
      poll('d', 0, 'a'),
      log('ab'),
    ],
  },
  {
    kind: 'inconsistent-offsets',
    why: 'a value was acknowledged at the offset of another',
    bad: [send('a'), sent(0, 'a'), send('b'), sent(0, 'b'), log('ab')],
    also: ['reordered-write'],
    innocent: 'each has its own',
    good: [send('a'), sent(0, 'a'), send('b'), sent(1, 'b'), log('ab')],
  },
  {
    kind: 'invented-value',
    why: 'nobody sent a value',
    bad: [...written('a'), log('ax')],
    innocent: 'its sender got no answer',
    good: [...written('a'), send('x'), log('ax')],
  },
  {
    kind: 'refused-value',
    why: 'a refused value is there',
    bad: [send('a'), { process: 'w', op: 'unsent', values: ['a'], refused: true }, log('a')],
    innocent: 'it only failed',
    good: [send('a'), { process: 'w', op: 'unsent', values: ['a'] }, log('a')],
  },
  {
    kind: 'reordered-write',
    why: 'a value stands before one that was acknowledged before it was sent',
    bad: [send('b'), sent(1, 'b'), send('a'), sent(0, 'a'), log('ab')],
    innocent: 'it was sent before the other was acknowledged',
    good: [send('b'), send('a'), sent(1, 'b'), sent(0, 'a'), log('ab')],
  },
  {
    kind: 'reordered-write',
    why: 'that is so for values of two producers',
    bad: [
      send('b'),
      sent(1, 'b'),
      { ...send('a'), process: 'v' },
      { ...sent(0, 'a'), process: 'v' },
      log('ab'),
    ],
    innocent: 'nobody knows which came first within a millisecond',
    good: [
      send('b'),
      sent(1, 'b'),
      { ...send('a'), process: 'v', after: 0 },
      { ...sent(0, 'a'), process: 'v' },
      log('ab'),
    ],
  },
]
