// What the comparison of two answers sees, and what it must overlook.
import { expect, test } from 'vitest'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { differences, Pairs } from './compare.ts'

const batch = (value: string, producerId = -1, baseOffset = 0) =>
  buildBatch([{ value: new TextEncoder().encode(value), timestamp: 1 }], {
    producerId,
    baseOffset,
    baseSequence: producerId === -1 ? -1 : 0,
    producerEpoch: producerId === -1 ? -1 : 0,
  })

test.each([
  { why: 'the same', kafka: { a: 1, b: [1, 2] }, ours: { a: 1, b: [1, 2] }, paths: [] },
  { why: 'another number', kafka: { a: 1 }, ours: { a: 2 }, paths: ['a'] },
  { why: 'null for an empty list', kafka: { a: [] }, ours: { a: null }, paths: ['a'] },
  { why: 'a field too few', kafka: { a: 1, b: 2 }, ours: { a: 1 }, paths: ['b'] },
  {
    why: 'a list in another order, by name',
    kafka: {
      topics: [
        { name: 'x', n: 1 },
        { name: 'y', n: 2 },
      ],
    },
    ours: {
      topics: [
        { name: 'y', n: 2 },
        { name: 'x', n: 1 },
      ],
    },
    paths: [],
  },
  {
    why: 'an element too few',
    kafka: { topics: [{ name: 'x' }, { name: 'y' }] },
    ours: { topics: [{ name: 'y' }] },
    paths: ['topics[x]'],
  },
  { why: 'other words', kafka: { errorMessage: 'No' }, ours: { errorMessage: 'Never' }, paths: [] },
  {
    why: 'no words',
    kafka: { errorMessage: 'No' },
    ours: { errorMessage: null },
    paths: ['errorMessage'],
  },
  {
    why: 'other records',
    kafka: { records: batch('a') },
    ours: { records: batch('b') },
    paths: ['records[0].records'],
  },
  {
    why: 'records elsewhere',
    kafka: { records: batch('a') },
    ours: { records: batch('a', -1, 5) },
    paths: ['records[0].baseOffset', 'records[0].lastOffset'],
  },
  {
    why: 'another producer',
    kafka: { records: batch('a', 7) },
    ours: { records: batch('a', 9) },
    paths: [],
  },
  {
    why: 'another member, who leads',
    kafka: { memberId: 'kafka', leader: 'kafka' },
    ours: { memberId: 'ours', leader: 'ours' },
    paths: [],
  },
  {
    why: 'somebody else who leads',
    kafka: { memberId: 'kafka', leader: 'kafka' },
    ours: { memberId: 'ours', leader: 'another' },
    paths: ['leader'],
  },
  {
    why: 'bytes that are no records',
    kafka: { assignment: new Uint8Array([0, 1]), metadata: new Uint8Array([7]) },
    ours: { assignment: new Uint8Array([0, 2]), metadata: new Uint8Array([7]) },
    paths: ['assignment'],
  },
  { why: 'no producer', kafka: { producerId: 7 }, ours: { producerId: -1 }, paths: ['producerId'] },
  {
    why: 'a session that was not given',
    kafka: { sessionId: 5 },
    ours: { sessionId: 0 },
    paths: ['sessionId'],
  },
])('differences() of two answers, with $why', ({ kafka, ours, paths }) => {
  expect(differences(kafka, ours, new Pairs()).map(({ path }) => path)).toEqual(paths)
})

test('differences() keeps to the pairs of ids that it has seen', () => {
  const pairs = new Pairs()
  expect(differences({ topicId: 'A' }, { topicId: 'B' }, pairs)).toEqual([])
  expect(pairs.ours('topicId', 'A')).toBe('B')
  expect(differences({ topicId: 'A' }, { topicId: 'C' }, pairs)).toHaveLength(1)
})
