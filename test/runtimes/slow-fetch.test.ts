// Fetches over real sockets, on the runtime that runs this: peers that read slowly, that leave halfway, and whose topic goes.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { startBroker } from '../../mod.ts'
import { FetchRequest, FetchResponse } from '../../src/protocol/messages/01-fetch.ts'
import { RequestHeader } from '../../src/protocol/messages/headers.ts'
import { RecordBatch, readBatches } from '../../storage/batch/record-batch.ts'
import { ByteReader } from '../../storage/bytes/byte-reader.ts'
import { ByteWriter } from '../../storage/bytes/byte-writer.ts'

const VERSION = 12
const MIB = 1_048_576
const RECORDS = 24
const RECORD_BYTES = 400_000
/** So many fit into the first segment. */
const SEALED = 13
/** Some of a segment, so that an active one is read from its map, which ends a MiB before its end. */
const PART_BYTES = 3 * MIB

const broker = await startBroker({
  http: false,
  config: { 'log.segment.bytes': String(5 * MIB), 'log.segment.delete.delay.ms': '0' },
})
const session = { principal: 'ANONYMOUS', clientAddress: '', clientId: '' }
const sockets: Socket[] = []
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await broker.stop()
})

/** Segments of 5 MiB: the first sealed, the last one active. Every record has bytes of its own. */
async function topicOf(topic: string): Promise<void> {
  for (let number = 0; number < RECORDS; number++) {
    const value = new Uint8Array(RECORD_BYTES)
    for (let at = 0; at < value.length; at++) value[at] = (number * 31 + at * 7) & 255
    await broker.produce(topic, [{ value, partition: 0 }], { acks: 1 })
  }
}

async function open(): Promise<Socket> {
  const [host = '', port] = (broker.kafka ?? '').split(':')
  const socket = connect(Number(port), host)
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

function askFor(socket: Socket, topic: string, fetchOffset: number, maxBytes = 50 * MIB): void {
  const writer = new ByteWriter()
  writer.reserve(4)
  const header = {
    ...{ requestApiKey: 1, requestApiVersion: VERSION },
    ...{ correlationId: 7, clientId: 'slow' },
  }
  RequestHeader.write(writer, header, 2)
  const partition = { partition: 0, fetchOffset, partitionMaxBytes: maxBytes }
  const topics = [{ topic, partitions: [partition] }]
  const wait = { maxWaitMs: 0, minBytes: 1, maxBytes }
  FetchRequest.write(
    writer,
    { ...wait, sessionEpoch: -1, topics, forgottenTopicsData: [] },
    VERSION,
  )
  writer.setInt32(0, writer.position - 4)
  socket.write(writer.written.slice())
}

/** The answer, `atHalf` awaited when half of it has come and nothing is read. */
async function answer(socket: Socket, atHalf: () => Promise<void>): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let size = 0
  let wasHalf = false
  for (;;) {
    const part = (socket.read() as Buffer | null) ?? undefined
    if (part) {
      parts.push(part)
      size += part.length
    }
    const first = parts[0]
    const whole = first === undefined ? Infinity : first.readInt32BE(0) + 4
    if (size >= whole) break
    if (!wasHalf && size > whole / 4) {
      wasHalf = true
      await atHalf()
    }
    if (!part) await once(socket, 'readable')
  }
  expect(wasHalf).toBe(true)
  const reader = new ByteReader(Buffer.concat(parts).subarray(4))
  reader.skip(5)
  const { responses } = FetchResponse.read(reader, VERSION)
  expect(reader.remaining).toBe(0)
  return responses[0]?.partitions[0]?.records ?? new Uint8Array(0)
}

/** Whole batches, each with a checksum that is right; gives the offset behind them. */
function check(records: Uint8Array, from: number): number {
  let next = from
  for (const batch of readBatches(records)) {
    expect([batch.baseOffset, batch.isCrcValid()]).toEqual([next, true])
    next = batch.nextOffset
  }
  return next
}

const segmentPath = (topic: string, baseOffset: number) =>
  `${broker.dataDirectories[0]}/${topic}-0/${String(baseOffset).padStart(20, '0')}.log`

test('A peer that reads slowly gets a log byte for byte, from sealed and from active segments', async () => {
  await topicOf('slow')
  const socket = await open()
  let next = 0
  while (next < RECORDS) {
    const segment = next < SEALED ? 0 : SEALED
    askFor(socket, 'slow', next, PART_BYTES)
    const other = await open()
    const records = await answer(socket, async () => {
      // Others are served meanwhile, and the log grows.
      askFor(other, 'slow', RECORDS - 1)
      check(await answer(other, () => Promise.resolve()), RECORDS - 1)
    })
    const file = readFileSync(segmentPath('slow', segment))
    const first = new RecordBatch(records).sizeInBytes
    const start = (next - segment) * first
    expect(Buffer.compare(records, file.subarray(start, start + records.length))).toBe(0)
    next = check(records, next)
  }
  expect(next).toBe(RECORDS)
})

test.each([
  { of: 'a sealed segment', topic: 'sealed', offset: 0, end: 7 },
  { of: 'an active segment', topic: 'active', offset: SEALED, end: SEALED + 7 },
  { of: 'the end of a log', topic: 'end', offset: RECORDS - 5, end: RECORDS },
])(
  'What is being sent of $of is sent, though its topic is deleted meanwhile',
  async ({ topic, offset, end }) => {
    await topicOf(topic)
    const socket = await open()
    askFor(socket, topic, offset, PART_BYTES)
    const records = await answer(socket, () => broker.broker.deleteTopic(session, topic))
    expect(check(records, offset)).toBe(end)
  },
)

test('A peer that leaves halfway takes nothing with it', async () => {
  await topicOf('left')
  for (let round = 0; round < 3; round++) {
    const leaving = await open()
    askFor(leaving, 'left', 0)
    await once(leaving, 'readable')
    leaving.destroy()
  }
  const socket = await open()
  askFor(socket, 'left', 0)
  expect(check(await answer(socket, () => Promise.resolve()), 0)).toBe(SEALED)
})
