// How long a produce waits (acks=1, one in flight) while a log of several GiB is compacted, against an idle broker:
// `npm run bench:cleaning [-- --mib N --seconds N --codec none|lz4|zstd]`. The broker runs in a process of its own.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ANONYMOUS } from '#src/access/session.ts'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import {
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '#src/protocol/messages/headers.ts'
import { systemRandom } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { startBroker } from '../mod.ts'
import { benchBatch, withFolder } from './workspace.ts'

const MIB = 1_048_576
const VERSION = 9
/** Between two requests: a producer with linger, not one that fills a core by itself. */
const PAUSE_MS = 2
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mib: { type: 'string', default: '2048' },
    seconds: { type: 'string', default: '10' },
    codec: { type: 'string', default: 'none' },
  },
})

/** Fills the log that will be compacted: ten records a key, of 1 KiB, in batches of 16 KiB. */
async function fill(data: string, bytes: number, codec: 'none' | 'lz4' | 'zstd') {
  const broker = await startBroker({ data, http: false, config: { 'log.cleaner.enable': 'false' } })
  const configs = {
    'cleanup.policy': 'compact',
    'min.cleanable.dirty.ratio': '0.01',
    'segment.bytes': String(128 * MIB),
  }
  for (const name of ['big', 'small']) {
    const own = name === 'big' ? configs : {}
    await broker.broker.createTopic(ANONYMOUS, { name, partitionCount: 1, configs: own })
  }
  const client = await connected(broker.kafka ?? '')
  const text = systemRandom.bytes(MIB).map((byte) => 32 + (byte & 63))
  const encoder = new TextEncoder()
  const keys = Math.ceil(bytes / 1_050 / 10)
  for (let written = 0; written < bytes; ) {
    const records = Array.from({ length: 16 }, () => {
      const from = Math.floor(systemRandom.float() * (MIB - 1_024))
      const key = encoder.encode(`key-${Math.floor(systemRandom.float() * keys)}`)
      return { key, value: text.subarray(from, from + 1_024), timestamp: Date.now() }
    })
    const batch = buildBatch(records, { compression: codec })
    await client.produce('big', batch)
    written += batch.length
  }
  client.close()
  await broker.stop()
}

/** A connection with one request in flight. */
async function connected(address: string) {
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host).setNoDelay(true)
  await new Promise((resolve) => socket.once('connect', resolve))
  let received = new Uint8Array(0)
  let answered: (() => void) | undefined
  socket.on('data', (bytes) => {
    const joined = new Uint8Array(received.length + bytes.length)
    joined.set(received)
    joined.set(bytes, received.length)
    received = joined
    const size = received.length < 4 ? Infinity : new DataView(received.buffer).getInt32(0)
    if (received.length >= size + 4) answered?.()
  })
  let correlationId = 0
  return {
    close: () => socket.destroy(),
    async produce(name: string, records: Uint8Array): Promise<void> {
      const body = new ByteWriter(records.length + 256)
      const header = { requestApiKey: 0, requestApiVersion: VERSION, clientId: 'bench' }
      const id = ++correlationId
      const headerVersion = requestHeaderVersion(ProduceRequest, VERSION)
      RequestHeader.write(body, { ...header, correlationId: id }, headerVersion)
      const partitionData = [{ index: 0, records }]
      const topicData = [{ name, partitionData }]
      ProduceRequest.write(body, { acks: 1, timeoutMs: 30_000, topicData }, VERSION)
      const frame = new Uint8Array(4 + body.written.length)
      new DataView(frame.buffer).setInt32(0, body.written.length)
      frame.set(body.written, 4)
      const wait = new Promise<void>((resolve) => {
        answered = resolve
      })
      socket.write(frame)
      await wait
      const reader = new ByteReader(received.subarray(4))
      received = new Uint8Array(0)
      ResponseHeader.read(reader, responseHeaderVersion(ProduceResponse, VERSION))
      const { responses } = ProduceResponse.read(reader, VERSION)
      const code = responses[0]?.partitionResponses[0]?.errorCode
      if (code !== 0) throw new Error(`The produce was refused with ${code}`)
    },
  }
}

/** The broker, in a process of its own; its standard output says where it is, and ends with it. */
async function runBroker(data: string, isCleaning: boolean): Promise<void> {
  const broker = await startBroker({
    data,
    http: false,
    config: {
      'log.cleaner.enable': String(isCleaning),
      'log.cleaner.backoff.ms': '100',
      'millrace.scrub.max.bytes.per.second': '0',
    },
    onEvent: (line) => console.error(line),
  })
  console.log(broker.kafka)
  process.once('SIGTERM', () => {
    void broker.stop().then(() => process.exit(0))
  })
}

/** Produces until `isOver`, and tells how long each took. */
async function measure(data: string, isCleaning: boolean, isOver: (ms: number) => boolean) {
  const script = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, ['--bun', script, 'broker', data, String(isCleaning)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [address] = await new Promise<string[]>((resolve) => {
    createInterface(child.stdout).once('line', (line) => resolve([line]))
  })
  const client = await connected(address ?? '')
  const batch = benchBatch(100, 1_000)
  const times: number[] = []
  const start = performance.now()
  while (!isOver(performance.now() - start)) {
    const before = performance.now()
    await client.produce('small', batch)
    times.push(performance.now() - before)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  const seconds = (performance.now() - start) / 1000
  client.close()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
  times.sort((left, right) => left - right)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0
  const figures = [at(0.5), at(0.9), at(0.99), at(0.999), times.at(-1) ?? 0]
  const [p50, p90, p99, p999, longest] = figures.map((ms) => ms.toFixed(2))
  console.log(
    `${isCleaning ? 'cleaning' : 'idle'} ${seconds.toFixed(1)} s, ${times.length} produces: p50 ${p50} ms, p90 ${p90}, p99 ${p99}, p99.9 ${p999}, longest ${longest}`,
  )
  return at(0.99)
}

/** Whether the log was compacted to its active segment: then the checkpoint of the cleaner says so. */
function isCompacted(data: string): boolean {
  try {
    return / [1-9]/.test(
      /^big 0( \d+)$/m.exec(readFileSync(join(data, 'cleaner-offset-checkpoint'), 'utf8'))?.[1] ??
        '',
    )
  } catch {
    return false
  }
}

const [role, data = '', isCleaning] = positionals
if (role === 'broker') await runBroker(data, isCleaning === 'true')
else {
  await withFolder(async (folder) => {
    const bytes = Number(values.mib) * MIB
    const forMs = Number(values.seconds) * 1000
    console.log(`${values.mib} MiB of ${values.codec}, bun ${process.versions['bun']}`)
    await fill(folder, bytes, values.codec as 'none' | 'lz4' | 'zstd')
    const before = await measure(folder, false, (ms) => ms > forMs)
    const during = await measure(folder, true, (ms) => ms > 600_000 || isCompacted(folder))
    const after = await measure(folder, false, (ms) => ms > forMs)
    console.log(
      `p99 while cleaning is ${(during / Math.max(before, after)).toFixed(1)} times that of idle`,
    )
  })
}
