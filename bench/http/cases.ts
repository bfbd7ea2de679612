// What is done to both sides, and what is promised of it.
import type { Target } from '../peers/result.ts'

/** One request over and over. */
export interface RequestCase {
  readonly kind: 'requests'
  readonly name: string
  readonly title: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly media?: string
  readonly body?: string
  /** Records in a request or its answer. */
  readonly records: number
  /** A text that every answer holds so many times. */
  readonly expect: readonly [text: string, count: number]
  readonly connections: number
  /** A request that is sent a few times before, such as one that makes records to read. */
  readonly before?: string
}

/** Tails of one topic. */
export interface TailCase {
  readonly kind: 'tails'
  readonly name: string
  readonly title: string
  readonly tails: number
}

/** A case of the table. */
export type HttpCase = RequestCase | TailCase

const value = (n: number) => ({ value: { n, text: 'x'.repeat(80) } })
const values = (count: number) => Array.from({ length: count }, (_, n) => value(n))
const LINES = 10_000

/** The cases, in their order. */
export const HTTP_CASES: readonly HttpCase[] = [
  {
    ...{ kind: 'requests', name: 'produce-single', method: 'POST', path: '/topics/bench?acks=1' },
    title: 'a record of 100 bytes a request, acks=1, 32 connections',
    ...{ body: JSON.stringify({ records: values(1) }), records: 1, connections: 32 },
    expect: ['"error_code":null', 1],
  },
  {
    ...{ kind: 'requests', name: 'produce-batch', method: 'POST', path: '/topics/bench?acks=1' },
    title: '100 records of 100 bytes a request, acks=1, 8 connections',
    ...{ body: JSON.stringify({ records: values(100) }), records: 100, connections: 8 },
    expect: ['"error_code":null', 100],
  },
  {
    ...{ kind: 'requests', name: 'produce-ndjson', method: 'POST', path: '/topics/bench?acks=1' },
    title: '10,000 lines of 100 bytes a request, acks=1, 2 connections',
    ...{ media: 'application/x-ndjson', records: LINES, connections: 2 },
    body: values(LINES)
      .map((each) => `${JSON.stringify(each)}\n`)
      .join(''),
    expect: [`"records":${LINES}`, 1],
  },
  {
    ...{ kind: 'requests', name: 'read', method: 'GET' },
    title: 'stateless reads of 100 records of 100 bytes, 8 connections',
    path: '/topics/bench/partitions/0/records?offset=0&max_records=100',
    ...{ records: 100, connections: 8, expect: ['"offset":', 100] },
    before: JSON.stringify({ records: values(100) }),
  },
  {
    ...{ kind: 'tails', name: 'sse-1000', tails: 1000 },
    title: 'a record at a time to 1,000 SSE tails of one topic, from its produce to each of them',
  },
]

const KIB_OF_20_KB = 19.53

/** What is promised on Bun. */
export const TARGETS: Readonly<Record<string, readonly Target[]>> = {
  'produce-single': [
    {
      ...{ metric: 'recordsPerSecond', of: 'millrace', over: 'limit' },
      ...{ comparison: '>=', limit: 0.6 },
      note: 'the limit parses the same JSON and does nothing',
    },
  ],
  'sse-1000': [
    { metric: 'p50Us', of: 'millrace', comparison: '<=', limit: 5000 },
    { metric: 'kibPerTail', of: 'millrace', comparison: '<=', limit: KIB_OF_20_KB },
  ],
}
