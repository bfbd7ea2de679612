// Two doors on one log: what goes in through one comes out of the other, at the same offset.
import { afterEach, expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '#src/protocol/messages/01-fetch.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '#src/protocol/messages/02-list-offsets.ts'
import {
  DeleteRecordsRequest,
  DeleteRecordsResponse,
} from '#src/protocol/messages/21-delete-records.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { type RunningBroker, startBroker } from '../../mod.ts'
import { RawClient } from '../clients/raw-client.ts'
import { nameOf } from './kafka/handlers/clients.ts'

const PRODUCE = { request: ProduceRequest, response: ProduceResponse }
const FETCH = { request: FetchRequest, response: FetchResponse }
const LIST_OFFSETS = { request: ListOffsetsRequest, response: ListOffsetsResponse }
const DELETE_RECORDS = { request: DeleteRecordsRequest, response: DeleteRecordsResponse }
const EARLIEST = -2
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

test.each([
  { before: '2', offset: 2, start: 2, status: 200, error: 'NONE', policy: 'delete' },
  { before: 'latest', offset: -1, start: 3, status: 200, error: 'NONE', policy: 'delete' },
  { before: '0', offset: 0, start: 0, status: 200, error: 'NONE', policy: 'delete' },
  { before: '4', offset: 4, start: 0, status: 416, error: 'OFFSET_OUT_OF_RANGE', policy: 'delete' },
  { before: '1', offset: 1, start: 0, status: 400, error: 'POLICY_VIOLATION', policy: 'compact' },
])(
  'Records deleted before $before over HTTP leave what DeleteRecords below $offset leaves ($status, $error)',
  async ({ before, offset, start, status, error, policy }) => {
    const { broker, client } = await twoDoors()
    for (const name of ['over-http', 'over-kafka']) {
      await broker.broker.createTopic(ANONYMOUS, { name, configs: { 'cleanup.policy': policy } })
      await broker.produce(
        name,
        ['a', 'b', 'c'].map((value) => ({ key: value, value })),
      )
    }
    const url = `${broker.url}/topics/over-http/partitions/0/records?before=${before}`
    const deleted = await fetch(url, { method: 'DELETE' })
    expect(deleted.status).toBe(status)
    const partitions = [{ partitionIndex: 0, offset }]
    const request = { topics: [{ name: 'over-kafka', partitions }], timeoutMs: 10_000 }
    const { topics } = await client.ask(DELETE_RECORDS, request, 2)
    expect(nameOf(topics[0]?.partitions[0]?.errorCode ?? -1)).toBe(error)
    if (status === 200) {
      expect(await deleted.json()).toEqual({ log_start_offset: start })
      expect(topics[0]?.partitions[0]?.lowWatermark).toBe(start)
    }
    for (const name of ['over-http', 'over-kafka']) {
      const earliest = [{ partitionIndex: 0, timestamp: EARLIEST }]
      const asked = { replicaId: -1, topics: [{ name, partitions: earliest }] }
      const { topics: listed } = await client.ask(LIST_OFFSETS, asked, 7)
      expect(listed[0]?.partitions[0]).toMatchObject({ errorCode: 0, offset: start })
    }
  },
)
