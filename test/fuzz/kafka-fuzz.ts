// One seeded attack on the Kafka door of a whole broker, and what has to be true during and after it.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Message } from '#src/protocol/codec/message.ts'
import { ApiVersionsRequest } from '#src/protocol/messages/18-api-versions.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { type RunningBroker, startBroker } from '../../mod.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { frameOf, type HealthyClient, openHealthyClient } from './healthy-client.ts'
import { bombs } from './mutated-batches.ts'
import { type MutatedFrame, mutatedFrame, produceFrame, TARGET } from './mutated-frames.ts'
import { openRawConnection, type RawConnection } from './raw-connection.ts'

/** What the process may grow by, clients and generator included, whatever is sent. */
export const MEMORY_BOUND_BYTES = 512 * 1024 * 1024
/** A connection whose requests are neither answered nor closed by then is stuck. */
const PATIENCE_MS = 30_000
/** A fetch may wait for records: after this time its client ends its side, which has to end the wait. */
const FETCH_PATIENCE_MS = 500
const ATTACKERS = 8
const HEALTHY = 'healthy'
const PROBE_ID = 0x7ead_beef
const probe = frameOf(ApiVersionsRequest as Message, {
  value: {},
  version: 0,
  correlationId: PROBE_ID,
})
const FETCH = 1
const NOISE = -1

/** How long an attack is. */
export interface Attack {
  readonly seed: number
  readonly connections: number
}

/** What was sent, for a test that wants to know whether it tested anything. */
export interface AttackReport {
  readonly answered: number
  readonly closed: number
  readonly healthyRecords: number
  readonly acceptedBatches: number
  /** What the process grew by at most. */
  readonly grownBytes: number
}

/** Attacks a broker of its own. Throws, naming the seed and the request, at the first thing that must not be. */
export async function attack({ seed, connections }: Attack): Promise<AttackReport> {
  const data = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'))
  const lines: string[] = []
  try {
    const target = await openTarget(data, lines)
    try {
      const report = await attackTarget(target, { seed, connections })
      await target.broker.stop()
      const acceptedBatches = walkLogs(data)
      await checkRestarted(data, target.healthy)
      return { ...report, acceptedBatches }
    } finally {
      await target.broker.stop()
    }
  } catch (cause) {
    throw new Error(`MILLRACE_SEED=${seed}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

interface Target {
  readonly broker: RunningBroker
  readonly port: number
  readonly healthy: HealthyClient
  /** What the broker said. */
  readonly lines: string[]
}

async function openTarget(data: string, lines: string[]): Promise<Target> {
  const config = { 'num.partitions': '1', 'millrace.max.decompressed.message.bytes': '67108864' }
  const broker = await startBroker({
    data,
    config,
    onEvent: (line) => {
      lines.push(line)
    },
  })
  for (const topic of [HEALTHY, TARGET]) await broker.produce(topic, [{ value: 'first' }])
  const port = Number(broker.kafka?.split(':').at(-1))
  const healthy = await openHealthyClient(port, HEALTHY)
  healthy.acknowledged.push('first')
  return { broker, port, healthy, lines }
}

async function attackTarget(target: Target, { seed, connections }: Attack) {
  const random = new SeededRandom(seed)
  const counts = { answered: 0, closed: 0 }
  let isOver = false
  const healthy = target.healthy.run(() => isOver)
  const memory = watchMemory()
  const attacker = async (own: SeededRandom) => {
    for (let count = 0; count < connections / ATTACKERS; count++) {
      const frames = Array.from({ length: own.pick([1, 1, 1, 2, 4]) }, () => mutatedFrame(own))
      counts[await send(target, frames)]++
    }
  }
  try {
    const attackers = Array.from({ length: ATTACKERS }, () => attacker(random.fork()))
    await Promise.race([healthy.then(() => new Promise(() => {})), Promise.all(attackers)])
    for (const { bytes, about } of bombs()) {
      counts[await send(target, [produceFrame(bytes, { about })])]++
    }
    await announceMuch(target)
  } finally {
    isOver = true
  }
  await healthy
  const grownBytes = memory.stop()
  if (grownBytes > MEMORY_BOUND_BYTES) throw new Error(`The process grew by ${grownBytes} bytes`)
  const bug = target.lines.find((line) => line.includes('Bug'))
  if (bug !== undefined) throw new Error(bug)
  return { ...counts, grownBytes, healthyRecords: target.healthy.acknowledged.length }
}

/** Sends frames, a good request behind them, and waits for its answer or the end of the connection. */
async function send(target: Target, frames: readonly MutatedFrame[]) {
  const connection = await openRawConnection(target.port)
  // Ports come back: only what is said from now on is about this connection.
  const said = target.lines.length
  const about = frames.map((frame) => frame.about).join(', then ')
  try {
    await sendInPieces(connection, Buffer.concat([...frames.map(({ bytes }) => bytes), probe]))
    const outcome = frames.every(({ isWhole }) => isWhole)
      ? await answerOrClose(connection, frames, about)
      : await endAndClose(connection, about)
    checkLines(target.lines.slice(said), connection.localPort, { outcome, about })
    return outcome === 'answered' ? 'answered' : 'closed'
  } finally {
    connection.destroy()
  }
}

/** Requests cut anywhere, as a network may: one connection in seven, or all would take long. */
async function sendInPieces(connection: RawConnection, bytes: Uint8Array): Promise<void> {
  const size = bytes.length % 7 === 0 ? 1 + (bytes.length >> 3) : bytes.length
  for (let at = 0; at < bytes.length; at += size) {
    connection.send(bytes.subarray(at, at + size))
    if (size < bytes.length) await new Promise((resolve) => setImmediate(resolve))
  }
}

type Outcome = 'answered' | 'closed' | 'ended'

async function answerOrClose(
  connection: RawConnection,
  frames: readonly MutatedFrame[],
  about: string,
): Promise<Outcome> {
  const mayWait = frames.some(({ key }) => key === FETCH || key === NOISE)
  for (;;) {
    const frame = await connection.frame(mayWait ? FETCH_PATIENCE_MS : PATIENCE_MS)
    if (frame === 'closed') return 'closed'
    if (frame === 'late') {
      if (!mayWait) throw new Error(`No answer: ${about}`)
      return endAndClose(connection, about)
    }
    if (new DataView(frame.buffer, frame.byteOffset).getUint32(0) === PROBE_ID) return 'answered'
  }
}

/** The client ends its side: whatever it waits for, the broker has to let go. */
async function endAndClose(connection: RawConnection, about: string): Promise<Outcome> {
  connection.end()
  const { isClosed } = await connection.rest(PATIENCE_MS)
  if (!isClosed) throw new Error(`Still open after its client ended: ${about}`)
  return 'ended'
}

/** A connection that the broker closed has one line to say why, and no connection has two. */
function checkLines(
  lines: readonly string[],
  port: number,
  { outcome, about }: { outcome: Outcome; about: string },
): void {
  const own = lines.filter((line) => line.includes(`:${port}: `))
  const wanted = outcome === 'closed' ? [1] : outcome === 'answered' ? [0] : [0, 1]
  if (wanted.includes(own.length)) return
  throw new Error(`${own.length} lines for a connection that was ${outcome} (${about}): ${own}`)
}

/** Connections that announce the largest request there may be, and send hardly any of it. */
async function announceMuch({ port }: Target): Promise<void> {
  const head = new Uint8Array(12)
  new DataView(head.buffer).setInt32(0, 104_857_600)
  const connections = await Promise.all(Array.from({ length: 40 }, () => openRawConnection(port)))
  for (const connection of connections) connection.send(head)
  await Promise.all(connections.map((connection) => connection.rest(100)))
  for (const connection of connections) connection.destroy()
}

function watchMemory() {
  const before = process.memoryUsage.rss()
  let highest = before
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss())
  }, 20)
  return {
    stop: () => {
      clearInterval(timer)
      return highest - before
    },
  }
}

/** Every batch of every log has a right CRC and records that can be read; how many batches the target took. */
function walkLogs(data: string): number {
  let accepted = 0
  for (const name of globSync('*/*.log', { cwd: data })) {
    const bytes = new Uint8Array(readFileSync(join(data, name)))
    let position = 0
    for (const batch of readBatches(bytes)) {
      if (!batch.isCrcValid()) throw new Error(`${name} has a wrong CRC at ${position}`)
      const records = Array.from(readRecords(batch))
      if (records.length !== batch.recordCount) throw new Error(`${name} lies at ${position}`)
      position += batch.sizeInBytes
      if (name.startsWith(`${TARGET}-0`)) accepted++
    }
    if (position !== bytes.length) throw new Error(`${name} ends in something else at ${position}`)
  }
  return accepted
}

/** A broker that starts on the directory serves every record that was acknowledged. */
async function checkRestarted(data: string, { acknowledged }: HealthyClient): Promise<void> {
  const broker = await startBroker({ data })
  try {
    const port = Number(broker.kafka?.split(':').at(-1))
    const again = await openHealthyClient(port, HEALTHY)
    again.acknowledged.push(...acknowledged)
    await again.run(() => true)
  } finally {
    await broker.stop()
  }
}
