// Calls of one turn become one append, and each gets its own results.
import { expect, test } from 'vitest'
import { Gather } from '../../../routes/http/gather.ts'
import { ANONYMOUS } from '../../../src/access/session.ts'
import type { Acks, Broker, ProducedRecord } from '../../../src/broker/broker.ts'

const record = (text: string): ProducedRecord => ({
  key: null,
  value: new TextEncoder().encode(text),
  headers: [],
})

/** A gather over a broker that remembers the appends and numbers the records. */
function gathering() {
  const appends: { topic: string; acks: Acks; values: string[] }[] = []
  let offset = 0
  const produceRecords: Broker['produceRecords'] = (_session, topic, records, acks) => {
    const values = records.map(({ value }) => new TextDecoder().decode(value ?? undefined))
    appends.push({ topic, acks, values })
    if (topic === 'missing') return Promise.reject(new Error('There is no such topic'))
    return Promise.resolve(records.map(() => ({ partition: 0, offset: offset++, timestamp: 1 })))
  }
  return { appends, gather: new Gather({ produceRecords }) }
}

test('Gather appends the calls of one turn together, in order, and tells each its own', async () => {
  const { appends, gather } = gathering()
  const calls = [['a'], ['b', 'c'], ['d']].map((values) =>
    gather.produce(ANONYMOUS, 'topic', values.map(record), 1),
  )
  expect(appends).toEqual([])
  const results = await Promise.all(calls)
  expect(appends).toEqual([{ topic: 'topic', acks: 1, values: ['a', 'b', 'c', 'd'] }])
  const offsets = results.map((each) => each.map((result) => 'offset' in result && result.offset))
  expect(offsets).toEqual([[0], [1, 2], [3]])
  await gather.produce(ANONYMOUS, 'topic', [record('e')], 1)
  expect(appends).toHaveLength(2)
})

test('Gather keeps topics, acknowledgements and clients apart', async () => {
  const { appends, gather } = gathering()
  const other = { ...ANONYMOUS, clientId: 'other' }
  await Promise.all([
    gather.produce(ANONYMOUS, 'one', [record('a')], 1),
    gather.produce(ANONYMOUS, 'two', [record('b')], 1),
    gather.produce(ANONYMOUS, 'one', [record('c')], -1),
    gather.produce(other, 'one', [record('d')], 1),
    gather.produce(ANONYMOUS, 'one', [record('e')], 1),
  ])
  expect(appends.map(({ values }) => values)).toEqual([['a', 'e'], ['b'], ['c'], ['d']])
})

test('Gather lets no append grow without bounds', async () => {
  const { appends, gather } = gathering()
  const many = Array.from({ length: 700 }, (_, number) => record(String(number)))
  const calls = [many, many, [record('last')]]
  await Promise.all(calls.map((records) => gather.produce(ANONYMOUS, 'topic', records, 1)))
  expect(appends.map(({ values }) => values.length)).toEqual([700, 701])
  expect(appends[1]?.values.at(-1)).toBe('last')
})

test('Gather fails the calls of one append together, and no others', async () => {
  const { gather } = gathering()
  const calls = ['missing', 'missing', 'topic'].map((topic) =>
    gather.produce(ANONYMOUS, topic, [record('a')], 1),
  )
  const settled = await Promise.allSettled(calls)
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
})
