// Loads by name, for profiles: each drives one broker for a while and says what it has done.
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '#src/protocol/messages/01-fetch.ts'
import {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '#src/protocol/messages/19-create-topics.ts'
import { RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import { RawClient, requestBytes, responseOf } from './raw-client.ts'
import { benchBatch } from './workspace.ts'

/** What a load has done. A read counts the records that came. */
export interface LoadResult {
  readonly requests: number
  readonly records: number
  readonly seconds: number
}

/** The broker under load. */
export interface LoadTarget {
  readonly kafkaPort: number
  readonly url: string
}

/** Prepares what the load needs, and gives what drives the broker until the time is over. */
export type LoadCase = (target: LoadTarget) => Promise<(seconds: number) => Promise<LoadResult>>

const PRODUCE_VERSION = 13
const FETCH_VERSION = 17
const CREATE_VERSION = 7

interface ProduceLoad {
  readonly recordBytes: number
  readonly batchBytes: number
  readonly partitions?: number
  /** Partitions that one request writes to. */
  readonly perRequest?: number
  readonly connections?: number
  readonly inFlight?: number
  readonly acks?: 1 | -1
}

/** The loads, by name. */
export const LOAD_CASES: Readonly<Record<string, LoadCase>> = {
  'produce-100b-16k': producing({ recordBytes: 100, batchBytes: 16_384 }),
  'produce-100b-128k': producing({ recordBytes: 100, batchBytes: 131_072 }),
  'produce-1k': producing({ recordBytes: 1024, batchBytes: 16_384 }),
  'produce-1k-128k': producing({ recordBytes: 1024, batchBytes: 131_072 }),
  'produce-small': producing({ recordBytes: 100, batchBytes: 1 }),
  'produce-small-1000-partitions': producing({
    ...{ recordBytes: 128, batchBytes: 1, partitions: 1000, perRequest: 100 },
  }),
  'produce-small-1000-partitions-single': producing({
    ...{ recordBytes: 128, batchBytes: 1, partitions: 1000 },
  }),
  'produce-durable': producing({
    ...{ recordBytes: 100, batchBytes: 1120, acks: -1, connections: 50, inFlight: 1 },
  }),
  'fetch-64k': fetching(65_536),
  'fetch-1m': fetching(1_048_576),
  e2e: endToEnd(),
  'http-produce': overHttp(),
  sse: tailing(100),
}

/** Batches as fast as they are answered. */
function producing(load: ProduceLoad): LoadCase {
  const { recordBytes, batchBytes, acks = 1, perRequest = 1 } = load
  const { partitions = 1, connections = 3, inFlight = 5 } = load
  return async ({ kafkaPort }) => {
    const clients = await connected(kafkaPort, connections)
    const topicId = await createTopic(clients[0] as RawClient, partitions)
    const records = benchBatch(recordBytes, batchBytes)
    const { recordCount } = new RecordBatch(records)
    const requests = Array.from({ length: partitions / perRequest }, (_, number) => {
      const partitionData = Array.from({ length: perRequest }, (_, at) => {
        return { index: number * perRequest + at, records }
      })
      const topicData = [{ topicId, partitionData }]
      return requestBytes(ProduceRequest, PRODUCE_VERSION, { acks, timeoutMs: 30_000, topicData })
    })
    let next = 0
    const step = async (client: RawClient) => {
      const answer = await client.ask(requests[next++ % requests.length] as Uint8Array)
      checkProduced(answer)
      return perRequest * recordCount
    }
    return (seconds) =>
      drive(
        clients.flatMap((client) => Array(inFlight).fill(client)),
        step,
        seconds,
      )
  }
}

function checkProduced(answer: Uint8Array): void {
  for (const { partitionResponses } of responseOf(ProduceResponse, PRODUCE_VERSION, answer)
    .responses)
    for (const { errorCode, errorMessage } of partitionResponses)
      if (errorCode !== 0) throw new Error(`Produce was answered with ${errorCode} ${errorMessage}`)
}

/** Three readers of one partition of 100-byte records, over and over. */
function fetching(maxBytes: number): LoadCase {
  return async ({ kafkaPort }) => {
    const clients = await connected(kafkaPort, 3)
    const topicId = await filledTopic(clients[0] as RawClient)
    const positions = new Map(clients.map((client) => [client, 0]))
    const step = async (client: RawClient) => {
      const offset = positions.get(client) ?? 0
      const records = fetched(await client.ask(fetchRequest(topicId, offset, { maxBytes })))
      const end = nextOffset(records)
      positions.set(client, end ?? 0)
      return end === undefined ? 0 : end - offset
    }
    return (seconds) => drive(clients, step, seconds)
  }
}

async function filledTopic(client: RawClient): Promise<string> {
  const topicId = await createTopic(client, 1)
  const records = benchBatch(100, 16_384)
  const topicData = [{ topicId, partitionData: [{ index: 0, records }] }]
  const request = { acks: 1, timeoutMs: 30_000, topicData }
  const bytes = requestBytes(ProduceRequest, PRODUCE_VERSION, request)
  // 128 MiB: more than readers get through before they begin again, and all of it in memory.
  for (let number = 0; number < 8192; number += 16)
    for (const answer of await Promise.all(Array.from({ length: 16 }, () => client.ask(bytes))))
      checkProduced(answer)
  return topicId
}

/** One record in flight: produced, and read by a fetch that waits for it. */
function endToEnd(): LoadCase {
  return async ({ kafkaPort }) => {
    const [producer, consumer] = (await connected(kafkaPort, 2)) as [RawClient, RawClient]
    const topicId = await createTopic(producer, 1)
    const records = benchBatch(100, 1)
    const topicData = [{ topicId, partitionData: [{ index: 0, records }] }]
    const request = { acks: 1, timeoutMs: 30_000, topicData }
    const bytes = requestBytes(ProduceRequest, PRODUCE_VERSION, request)
    let offset = 0
    const step = async () => {
      const waiting = { maxBytes: 1_048_576, maxWaitMs: 5000 }
      const read = consumer.ask(fetchRequest(topicId, offset, waiting))
      const [answer] = await Promise.all([producer.ask(bytes), read])
      checkProduced(answer)
      offset = nextOffset(fetched(await read)) ?? offset
      return 1
    }
    return (seconds) => drive([producer], step, seconds)
  }
}

/** One record a request as JSON, 32 at a time. */
function overHttp(): LoadCase {
  return async ({ url, kafkaPort }) => {
    const [client] = await connected(kafkaPort, 1)
    await createTopic(client as RawClient, 1, 'over-http')
    const body = JSON.stringify({ records: [{ value: { text: 'x'.repeat(100) } }] })
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    const step = async () => {
      const answer = await fetch(`${url}/topics/over-http?acks=1`, request)
      await answer.arrayBuffer()
      if (!answer.ok) throw new Error(`A produce was answered with ${answer.status}`)
      return 1
    }
    return (seconds) => drive(Array(32).fill(client), step, seconds)
  }
}

/** Tails of one topic that gets a record every few milliseconds; what comes to each of them counts. */
function tailing(tails: number): LoadCase {
  return async ({ url, kafkaPort }) => {
    const [client] = (await connected(kafkaPort, 1)) as [RawClient]
    const topicId = await createTopic(client, 1, 'tailed')
    let seen = 0
    const stop = new AbortController()
    for (let number = 0; number < tails; number++) {
      const headers = { accept: 'text/event-stream' }
      const at = `${url}/topics/tailed/records?from=latest`
      const answer = await fetch(at, { headers, signal: stop.signal })
      if (!answer.ok || !answer.body) throw new Error(`A tail was answered with ${answer.status}`)
      void countEvents(answer.body, () => seen++)
    }
    const topicData = [{ topicId, partitionData: [{ index: 0, records: benchBatch(100, 1) }] }]
    const request = { acks: 1, timeoutMs: 30_000, topicData }
    const bytes = requestBytes(ProduceRequest, PRODUCE_VERSION, request)
    const step = async () => {
      const before = seen
      checkProduced(await client.ask(bytes))
      await new Promise((resolve) => setTimeout(resolve, 5))
      return seen - before
    }
    return async (seconds) => {
      const result = await drive([client], step, seconds)
      return result
    }
  }
}

async function countEvents(body: ReadableStream<Uint8Array>, count: () => void): Promise<void> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of body)
      for (const line of decoder.decode(chunk).split('\n')) if (line.startsWith('data:')) count()
  } catch {
    // The broker has gone.
  }
}

/** Each lane repeats `step`, which gives the records that it moved, until the time is over. */
async function drive(
  lanes: readonly RawClient[],
  step: (client: RawClient) => Promise<number>,
  seconds: number,
): Promise<LoadResult> {
  const start = performance.now()
  const end = start + 1000 * seconds
  let [requests, records] = [0, 0]
  const lane = async (client: RawClient) => {
    while (performance.now() < end) {
      // Not `records += await …`, which would add to what it was before the wait.
      const moved = await step(client)
      records += moved
      requests++
    }
  }
  await Promise.all(lanes.map(lane))
  return { requests, records, seconds: (performance.now() - start) / 1000 }
}

async function createTopic(
  client: RawClient,
  numPartitions: number,
  name = `load-${process.pid}-${performance.now().toFixed(0)}`,
): Promise<string> {
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  const bytes = requestBytes(CreateTopicsRequest, CREATE_VERSION, { topics: [topic] })
  const answer = responseOf(CreateTopicsResponse, CREATE_VERSION, await client.ask(bytes))
  const [made] = answer.topics
  if (made?.errorCode !== 0) throw new Error(`Topic ${name} met ${made?.errorMessage}`)
  return made.topicId ?? ''
}

function connected(port: number, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(port)))
}

function fetchRequest(
  topicId: string,
  fetchOffset: number,
  { maxBytes, maxWaitMs = 500 }: { maxBytes: number; maxWaitMs?: number },
): Uint8Array {
  const partition = { partition: 0, fetchOffset, partitionMaxBytes: maxBytes }
  const topics = [{ topicId, partitions: [partition] }]
  const request = { maxWaitMs, minBytes: 1, maxBytes, topics, forgottenTopicsData: [] }
  return requestBytes(FetchRequest, FETCH_VERSION, request)
}

function fetched(answer: Uint8Array): Uint8Array {
  const { errorCode, responses } = responseOf(FetchResponse, FETCH_VERSION, answer)
  const partition = responses[0]?.partitions[0]
  const code = errorCode || (partition?.errorCode ?? 0)
  if (code !== 0) throw new Error(`Fetch was answered with ${code}`)
  return partition?.records ?? new Uint8Array(0)
}

/** The offset behind the last whole batch; undefined when there is none. */
function nextOffset(records: Uint8Array): number | undefined {
  let next: number | undefined
  for (const batch of readBatches(records)) next = batch.nextOffset
  return next
}
