// The checker finds every kind of anomaly in made-up bad histories, and nothing in their innocent twins.
import { expect, test } from 'vitest'
import { checkHistory } from './checker.ts'
import { type AnomalyKind, anomalyKinds } from './findings.ts'
import type { Happening, HistoryEvent, Position } from './history.ts'

/** An event, and how long after the one before it: 1 ms when it is not said. */
type Step = { readonly process: string; readonly after?: number } & Happening

function timed(steps: readonly Step[]): HistoryEvent[] {
  let at = 0
  return steps.map(({ after = 1, ...step }) => {
    at += after
    return { ...step, at }
  })
}

const send = (...values: string[]): Step => ({ process: 'w', op: 'send', partition: 0, values })
const sent = (offset: number, ...values: string[]): Step => ({
  process: 'w',
  op: 'sent',
  partition: 0,
  offset,
  values,
})
/** Values a, b, c … sent and acknowledged at 0, 1, 2 … */
const written = (values: string): Step[] => [send(...values), sent(0, ...values)]
const records = (from: number, values: string) =>
  [...values].map((value, index) => [from + index, value] as const)
const log = (values: string, start = 0): Step => ({
  process: 'reader',
  op: 'log',
  partition: 0,
  start,
  end: start + values.length,
  records: records(start, values),
})
const begin = (process: string, instance?: string): Step => ({
  process,
  op: 'start',
  group: 'g',
  ...(instance === undefined ? {} : { instance }),
})
const assign = (process: string, generation?: number): Step => ({
  process,
  op: 'assign',
  partitions: [0],
  ...(generation === undefined ? {} : { generation }),
})
const revoke = (process: string): Step => ({ process, op: 'revoke', partitions: [0] })
const poll = (process: string, from: number, values: string): Step => ({
  process,
  op: 'poll',
  partition: 0,
  records: records(from, values),
})
const at = (process: string, offset: number): Step => ({
  process,
  op: 'position',
  partition: 0,
  offset,
})
const seek = (process: string, offset: number): Step => ({
  process,
  op: 'seek',
  partition: 0,
  offset,
})
const close = (process: string): Step => ({ process, op: 'close' })
const ask = (process: string, offset: number, id = 0): Step => ({
  process,
  op: 'commit',
  id,
  offsets: [[0, offset]],
})
const kept = (process: string, id = 0): Step => ({ process, op: 'committed', id })
const failed = (process: string, refused = false, id = 0): Step => ({
  process,
  op: 'uncommitted',
  id,
  refused,
})
const commit = (process: string, offset: number, id = 0): Step[] => [
  ask(process, offset, id),
  kept(process, id),
]
const fetched = (offset: number, ago = 1): Step => ({
  process: 'onlooker',
  op: 'fetched',
  group: 'g',
  since: -ago,
  offsets: [[0, offset]] as Position[],
})
const drained: Step = { process: 'driver', op: 'drained', group: 'g' }

/** `since` of an onlooker is written as time before its answer. */
function history(steps: readonly Step[]): HistoryEvent[] {
  return timed(steps).map((event) =>
    event.op === 'fetched' ? { ...event, since: event.at + event.since } : event,
  )
}

/** A consumer `name` that begins and gets the partition. */
const member = (name: string, generation?: number): Step[] => [
  begin(name),
  assign(name, generation),
]

interface Case {
  readonly kind: AnomalyKind
  readonly why: string
  readonly bad: readonly Step[]
  readonly innocent: string
  readonly good: readonly Step[]
  /** What else such a history shows. */
  readonly also?: readonly AnomalyKind[]
}

const cases: readonly Case[] = [
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
  {
    kind: 'poll-skip',
    why: 'a consumer is not given a record between two others',
    bad: [...written('abc'), ...member('c'), poll('c', 0, 'a'), poll('c', 2, 'c'), log('abc')],
    innocent: 'there is no record at that offset',
    good: [
      send('a', 'c'),
      ...member('c'),
      poll('c', 0, 'a'),
      poll('c', 2, 'c'),
      {
        process: 'r',
        op: 'log',
        partition: 0,
        start: 0,
        end: 3,
        records: [
          [0, 'a'],
          [2, 'c'],
        ],
      },
    ],
  },
  {
    kind: 'poll-skip',
    why: 'a consumer begins behind what was committed',
    bad: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      ...member('d'),
      poll('d', 2, 'c'),
      log('abc'),
    ],
    innocent: 'that may have been committed, nobody knows',
    good: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'ab'),
      ...commit('c', 1),
      ask('c', 2, 1),
      failed('c', false, 1),
      ...member('d'),
      poll('d', 2, 'c'),
      log('abc'),
    ],
  },
  {
    kind: 'poll-skip',
    why: 'a consumer begins at one position and is given another',
    bad: [...written('ab'), ...member('c'), at('c', 0), poll('c', 1, 'b'), log('ab')],
    innocent: 'it sought it',
    good: [
      ...written('ab'),
      ...member('c'),
      at('c', 0),
      seek('c', 1),
      poll('c', 1, 'b'),
      log('ab'),
    ],
  },
  {
    kind: 'nonmonotonic-poll',
    why: 'a consumer is given a record twice',
    bad: [...written('ab'), ...member('c'), poll('c', 0, 'ab'), poll('c', 1, 'b'), log('ab')],
    innocent: 'it got the partition again',
    good: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      poll('c', 1, 'b'),
      revoke('c'),
      assign('c'),
      poll('c', 1, 'b'),
      log('ab'),
    ],
  },
  {
    kind: 'nonmonotonic-poll',
    why: 'records of one poll go back',
    bad: [
      ...written('ab'),
      ...member('c'),
      {
        process: 'c',
        op: 'poll',
        partition: 0,
        records: [
          [0, 'a'],
          [1, 'b'],
          [0, 'a'],
        ],
      },
      log('ab'),
    ],
    innocent: 'it sought them',
    good: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'ab'),
      seek('c', 0),
      poll('c', 0, 'a'),
      log('ab'),
    ],
  },
  {
    kind: 'unowned-poll',
    why: 'a consumer is given records of a partition that was taken away',
    bad: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      revoke('c'),
      ...commit('c', 1),
      poll('c', 1, 'b'),
      log('ab'),
    ],
    innocent: 'it still had it',
    good: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      poll('c', 1, 'b'),
      revoke('c'),
      log('ab'),
    ],
  },
  {
    kind: 'group-skip',
    why: 'a group committed past a record that nobody was given',
    bad: [...written('abc'), ...member('c'), poll('c', 0, 'a'), ...commit('c', 2), log('abc')],
    innocent: 'the commit was refused',
    good: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'a'),
      ask('c', 2),
      failed('c', true),
      log('abc'),
    ],
  },
  {
    kind: 'lost-commit',
    why: 'a consumer begins before what was committed',
    bad: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      ...member('d'),
      at('d', 0),
      log('ab'),
    ],
    innocent: 'the commit came while it asked',
    good: [
      ...written('ab'),
      ...member('c'),
      poll('c', 0, 'a'),
      ask('c', 1),
      ...member('d'),
      at('d', 0),
      kept('c'),
      log('ab'),
    ],
  },
  {
    kind: 'lost-commit',
    why: 'an onlooker finds an older position',
    bad: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'ab'),
      ...commit('c', 1),
      ...commit('c', 2),
      { ...fetched(1), after: 5 },
      log('abc'),
    ],
    innocent: 'it had asked before the newer one was kept',
    good: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'ab'),
      ...commit('c', 1),
      ...commit('c', 2),
      { ...fetched(1, 6), after: 5 },
      log('abc'),
    ],
  },
  {
    kind: 'lost-commit',
    why: 'an onlooker finds nothing',
    bad: [
      ...written('a'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      { ...fetched(-1), after: 5 },
      log('a'),
    ],
    innocent: 'nothing was kept yet',
    good: [
      ...written('a'),
      ...member('c'),
      poll('c', 0, 'a'),
      ask('c', 1),
      { ...fetched(-1), after: 5 },
      kept('c'),
      log('a'),
    ],
  },
  {
    kind: 'invented-commit',
    why: 'a consumer begins where nobody committed',
    bad: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'abc'),
      ...commit('c', 3),
      ...member('d'),
      at('d', 2),
      log('abc'),
    ],
    innocent: 'somebody tried to',
    good: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'abc'),
      ask('c', 2),
      ask('c', 3, 1),
      failed('c', false, 1),
      ...member('d'),
      at('d', 2),
      log('abc'),
    ],
  },
  {
    kind: 'invented-commit',
    why: 'an onlooker finds a refused position',
    bad: [
      ...written('a'),
      ...member('c'),
      poll('c', 0, 'a'),
      ask('c', 1),
      failed('c', true),
      begin('x'),
      fetched(1),
      log('a'),
    ],
    innocent: 'it was kept',
    good: [
      ...written('a'),
      ...member('c'),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      { ...fetched(1), after: 3 },
      log('a'),
    ],
  },
  {
    kind: 'committed-back',
    why: 'a lower position is kept after a higher one',
    bad: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'abc'),
      ...commit('c', 3),
      ...commit('c', 2),
      log('abc'),
    ],
    innocent: 'both were on their way together',
    good: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'abc'),
      ask('c', 3),
      ask('c', 2, 1),
      kept('c'),
      kept('c', 1),
      log('abc'),
    ],
  },
  {
    kind: 'committed-back',
    why: 'that is so without a reason',
    bad: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'abc'),
      ...commit('c', 3),
      ...commit('c', 1),
      log('abc'),
    ],
    innocent: 'the consumer had gone back',
    good: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'abc'),
      ...commit('c', 3),
      seek('c', 0),
      poll('c', 0, 'a'),
      ...commit('c', 1),
      log('abc'),
    ],
  },
  {
    kind: 'zombie-commit',
    why: 'a position of the former owner is kept',
    bad: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'ab'),
      ...commit('c', 1),
      ...member('d'),
      ...commit('c', 2),
      log('abc'),
    ],
    innocent: 'it was refused',
    good: [
      ...written('abc'),
      ...member('c'),
      poll('c', 0, 'ab'),
      ...commit('c', 1),
      ...member('d'),
      ask('c', 2),
      failed('c', true),
      log('abc'),
    ],
  },
  {
    kind: 'two-owners',
    why: 'two members own a partition in one generation',
    bad: [...written('a'), ...member('c', 7), ...member('d', 7), log('a')],
    innocent: 'there was a rebalance between',
    good: [...written('a'), ...member('c', 7), ...member('d', 8), log('a')],
  },
  {
    kind: 'two-owners',
    why: 'the first of two owners has not given it up',
    bad: [...written('a'), ...member('c', 1), ...member('d', 2), ...member('e', 2), log('a')],
    innocent: 'the group was empty and began anew',
    good: [...written('a'), ...member('c', 1), close('c'), ...member('d', 1), log('a')],
  },
  {
    kind: 'two-owners',
    why: 'the two are different instances',
    bad: [
      ...written('a'),
      begin('c', 'one'),
      assign('c', 7),
      begin('d', 'two'),
      assign('d', 7),
      log('a'),
    ],
    innocent: 'a static member came back',
    good: [
      ...written('a'),
      begin('c', 'one'),
      assign('c', 7),
      close('c'),
      begin('d', 'one'),
      assign('d', 7),
      log('a'),
    ],
  },
]

test.each(cases)('checkHistory() finds a $kind when $why', ({ kind, bad, also = [] }) => {
  const { kinds, anomalies } = checkHistory(history(bad))
  expect(kinds, anomalies.join('\n')).toContain(kind)
  expect(kinds.filter((other) => other !== kind && !also.includes(other))).toEqual([])
})

test.each(cases)('checkHistory() finds no $kind when $innocent', ({ good }) => {
  expect(checkHistory(history(good)).anomalies).toEqual([])
})

test('checkHistory() is tested on every kind of anomaly', () => {
  const tested = new Set(cases.map(({ kind }) => kind))
  expect(anomalyKinds.filter((kind) => !tested.has(kind))).toEqual([])
})

test('checkHistory() says how much there was to check', () => {
  const steps = [
    ...written('abc'),
    send('d'),
    ...member('c'),
    poll('c', 0, 'ab'),
    ...commit('c', 1),
    ...member('d'),
    at('d', 1),
    poll('d', 1, 'bc'),
    log('abc'),
  ]
  expect(checkHistory(history(steps)).seen).toEqual({
    events: steps.length,
    acknowledged: 3,
    unknown: 1,
    delivered: 4,
    redelivered: 1,
    committed: 1,
    assigned: 2,
    positions: 2,
  })
})

test('checkHistory() counts all anomalies of a kind and tells ten', () => {
  const { anomalies, counts } = checkHistory(history([log('abcdefghijklmno')]))
  expect(counts.get('invented-value')).toBe(15)
  expect(anomalies).toHaveLength(10)
  expect(anomalies[0]).toBe('invented-value: 0@0 holds a, which nobody sent there')
})
