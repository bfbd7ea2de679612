// Two doors on one log: what goes in through one comes out of the other, at the same offset.
import { afterEach, expect, test } from 'vitest'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '#src/protocol/messages/01-fetch.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { type RunningBroker, startBroker } from '../../mod.ts'
import { RawClient } from '../clients/raw-client.ts'

const PRODUCE = { request: ProduceRequest, response: ProduceResponse }
const FETCH = { request: FetchRequest, response: FetchResponse }
const T0 = 1_700_000_000_000

const running: { broker: RunningBroker; client: RawClient }[] = []

afterEach(async () => {
  for (const { broker, client } of running.splice(0)) {
    client.close()
    await broker.stop()
  }
})

async function twoDoors() {
  const broker = await startBroker()
  const client = await RawClient.connect(broker.kafka ?? '')
  running.push({ broker, client })
  return { broker, client }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | null) => value && new TextDecoder().decode(value)

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'A batch produced by a Kafka client (%s) is read over HTTP at the same offsets, with keys, headers and times',
  async (compression) => {
    const { broker, client } = await twoDoors()
    await broker.produce('doors', [{ value: 'first' }])
    const records = buildBatch(
      [
        {
          key: bytes('k'),
          value: bytes('{"a":1}'),
          timestamp: T0,
          headers: [{ key: 'h', value: bytes('x') }],
        },
        { key: null, value: null, timestamp: T0 + 1 },
      ],
      { compression },
    )
    const topicData = [{ name: 'doors', partitionData: [{ index: 0, records }] }]
    const answer = await client.ask(PRODUCE, { acks: -1, timeoutMs: 10_000, topicData }, 9)
    expect(answer.responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: 0,
      baseOffset: 1,
    })

    const url = `${broker.url}/topics/doors/partitions/0/records?offset=1`
    const read = await (await fetch(url)).json()
    expect(read).toMatchObject([
      { offset: 1, key: 'k', value: { a: 1 }, timestamp: T0, headers: [{ name: 'h' }] },
      { offset: 2, key: null, value: null, timestamp: T0 + 1 },
    ])
  },
)

test('Records produced over HTTP are fetched by a Kafka client at the same offsets', async () => {
  const { broker, client } = await twoDoors()
  const body = { records: [{ key: 'en', value: 'hello' }, { value: { n: 2 } }] }
  const produced = await fetch(`${broker.url}/topics/doors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(await produced.json()).toMatchObject({ offsets: [{ offset: 0 }, { offset: 1 }] })

  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'doors', partitions }] }
  const answer = await client.ask(FETCH, request, 12)
  const [fetched] = answer.responses[0]?.partitions ?? []
  expect(fetched).toMatchObject({ errorCode: 0, highWatermark: 2 })
  const batches = Array.from(readBatches(fetched?.records ?? new Uint8Array()))
  const records = batches.flatMap((batch) => Array.from(readRecords(batch)))
  expect(records.map(({ offset, key, value }) => [offset, text(key), text(value)])).toEqual([
    [0, 'en', '"hello"'],
    [1, null, '{"n":2}'],
  ])
})
