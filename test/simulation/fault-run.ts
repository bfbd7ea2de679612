// Everything that a log manager does to a directory, once, with one file operation failing on the way.
import { KafkaError, StorageFault, systemCode } from '#storage/base/errors.ts'
import type { TopicPartition } from '#storage/base/topic-partition.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import { environmentOn, readAll } from '../storage/log/log-fixture.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { settle, VirtualClock } from './virtual-clock.ts'

const encoder = new TextEncoder()
/** The directory that fails; the other one, with the metadata log, never does. */
export const FAILING = '/b'
const LOG_DIRS = ['/a', FAILING]
const ORDERS: TopicPartition = { topic: 'orders', partition: 0 }
const KEYS: TopicPartition = { topic: 'keys', partition: 0 }
const NEW: TopicPartition = { topic: 'new', partition: 0 }
const SAFE: TopicPartition = { topic: 'safe', partition: 0 }
const IDS: Record<string, string> = {
  orders: 'AAAAAAAAAAAAAAAAAAAAAQ',
  keys: 'AAAAAAAAAAAAAAAAAAAAAw',
  new: 'AAAAAAAAAAAAAAAAAAAABA',
  safe: 'AAAAAAAAAAAAAAAAAAAABQ',
}

function configOf(topic: string): LogConfig {
  const isCompacted = topic === 'keys'
  return {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes: 300,
    indexIntervalBytes: 100,
    fileDeleteDelayMs: 1_000,
    retentionMs: Infinity,
    cleanupPolicy: { delete: !isCompacted, compact: isCompacted },
  }
}

/** A manager, and what it was told. */
export interface FaultRun {
  readonly manager: LogManager
  readonly clock: VirtualClock
  /** Values by offset that were acknowledged as durable, of `orders`. */
  readonly acknowledged: Map<number, string>
  /** The newest value by key, of `keys`. */
  readonly keys: Map<string, string>
  /** Why the directory went offline: a sync that fails is always a fault. */
  readonly faults: string[]
  /** What went wrong that must not. */
  readonly wrong: string[]
  /** Ends below which `orders` was deleted, and whether topics were made and deleted. */
  deletedBelow: number
  isNewCreated: boolean
  isNewDeleted: boolean
  isClosed: boolean
}

/** Opens both directories. Rejects with what refuses the start. */
export async function startRun(disk: SimulatedDisk): Promise<FaultRun> {
  const clock = new VirtualClock()
  const wrong: string[] = []
  const faults: string[] = []
  const manager = openLogManager({
    onOffline: ({ fault }) => faults.push(fault.message),
    environment: environmentOn(disk, clock),
    logDirs: LOG_DIRS,
    nodeId: 1,
    scrubBytesPerSecond: () => Number.POSITIVE_INFINITY,
    onProblem: (error) => systemCode(error) || note(wrong, 'in the background', error),
  })
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  // What is refused is tried again after a while.
  const load = manager.load({ configOf, expectedTopicId: ({ topic }) => IDS[topic] })
  await drive(clock, load)
  return {
    manager,
    clock,
    acknowledged: new Map(),
    keys: new Map(),
    faults,
    wrong,
    deletedBelow: 0,
    isNewCreated: false,
    isNewDeleted: false,
    isClosed: false,
  }
}

/** A disk on which `orders`, `keys` and `safe` are there, and a broker has stopped. */
export async function preparedDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const { manager } = await startRun(disk)
  const [first, second] = manager.directoryIds
  for (const at of [ORDERS, KEYS]) await create(manager, at, second)
  await create(manager, SAFE, first)
  await manager.close(1)
  return disk
}

/** Does everything once. What is refused is refused; what must not happen is noted in `wrong`. */
export async function doEverything(run: FaultRun): Promise<void> {
  const { manager, clock } = run
  const second = manager.directories[1]?.isOffline ? undefined : manager.directoryIds[1]
  await appendMany(run, 0)
  await attempt(run, 'writing checkpoints', async () => {
    await manager.checkpoint('recoveryPoints')
    await manager.checkpoint('highWatermarks')
  })
  await attempt(run, 'creating a topic', async () => {
    if (second === undefined) return
    await create(manager, NEW, second)
    run.isNewCreated = true
    manager.log(NEW)?.append(batchOf('x', 'in a new topic'), CLIENT)
  })
  await attempt(run, 'compacting', async () => void (await manager.cleaner.cleanNow()))
  await attempt(run, 'deleting records', async () => {
    const log = manager.log(ORDERS)
    const before = log?.segments[2]?.baseOffset ?? 0
    if (before > (log?.highWatermark ?? 0)) return
    log?.deleteRecordsBefore(before)
    run.deletedBelow = before
    await manager.retain()
  })
  clock.advance(2_000)
  await settle()
  await attempt(run, 'scrubbing', () => manager.scrubber.scrubNow())
  await attempt(run, 'cutting', async () => {
    const log = manager.log(KEYS)
    // Its last record goes, acknowledged or not: a follower is told to.
    run.keys.clear()
    if (log && log.logEndOffset > 0) log.truncateTo(log.logEndOffset - 1)
    await log?.flush()
  })
  await attempt(run, 'deleting a topic', async () => {
    if (!run.isNewCreated) return
    // When it fails, nobody knows what will be found.
    run.isNewCreated = false
    await manager.delete(NEW)
    run.isNewDeleted = true
  })
  clock.advance(2_000)
  await settle()
  await appendMany(run, 100)
}

/** Closes it. */
export async function closeRun(run: FaultRun): Promise<void> {
  await attempt(run, 'closing', () => run.manager.close(2))
  run.isClosed = true
}

/** A record in the directory that never fails; an error is always wrong. */
export async function useSafe(run: FaultRun, value: string): Promise<void> {
  const log = run.manager.log(SAFE)
  const { lastOffset } = log?.append(batchOf('s', value), CLIENT) ?? { lastOffset: 0 }
  await drive(run.clock, log?.whenCommitted(lastOffset) ?? Promise.resolve())
  const found = log ? readAll(log) : []
  if (found.at(-1) !== `${lastOffset}:${value}`) run.wrong.push(`safe shows ${found.at(-1)}`)
}

/** Whether an append is taken and acknowledged now. The reason when it is not. */
export async function appendNow(run: FaultRun, value: string): Promise<string | undefined> {
  for (let tries = 0; ; tries++) {
    try {
      await drive(run.clock, appendOne(run, ORDERS, 'o', value))
      return undefined
    } catch (error) {
      note(run.wrong, 'appending', error)
      if (tries === 3) return String(error)
    }
    // What was refused is tried again after a while.
    run.clock.advance(200)
    await settle()
  }
}

/** Compares what is there after a restart with what was acknowledged. */
export function check(run: FaultRun, manager: LogManager): string[] {
  const wrong: string[] = []
  const orders = logOf(manager, ORDERS, wrong)
  const found = new Map(
    orders ? readAll(orders).map((text) => text.split(':') as [string, string]) : [],
  )
  if ((orders?.logStartOffset ?? 0) > run.deletedBelow)
    wrong.push(`log start ${orders?.logStartOffset}`)
  for (const [offset, value] of run.acknowledged) {
    if (offset < run.deletedBelow) continue
    if (found.get(String(offset)) !== value)
      wrong.push(`${offset} holds ${found.get(String(offset))}, not ${value}`)
  }
  const keys = run.keys.size > 0 ? logOf(manager, KEYS, wrong) : undefined
  const values = keys ? readAll(keys).map((text) => text.slice(text.indexOf(':') + 1)) : []
  for (const [key, value] of run.keys) {
    if (!values.includes(value)) wrong.push(`keys lacks ${key} = ${value}`)
  }
  if (run.isNewDeleted && (manager.log(NEW)?.logEndOffset ?? 0) > 0) wrong.push('new is there')
  if (run.isNewCreated && !run.isNewDeleted) logOf(manager, NEW, wrong)
  return wrong
}

const CLIENT = { leaderEpoch: 0, origin: 'client', needsDisk: true } as const

async function appendMany(run: FaultRun, from: number): Promise<void> {
  for (let number = from; number < from + 14; number++) {
    await attempt(run, 'appending', () => appendOne(run, ORDERS, 'o', `value ${number}`))
    await attempt(run, 'appending', () => appendOne(run, KEYS, `k${number % 3}`, `key ${number}`))
  }
}

async function appendOne(run: FaultRun, at: TopicPartition, key: string, value: string) {
  const log = run.manager.log(at)
  if (!log) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'It is gone')
  const { lastOffset } = log.append(batchOf(key, value), CLIENT)
  await log.whenCommitted(lastOffset)
  if (at === ORDERS) run.acknowledged.set(lastOffset, value)
  else run.keys.set(key, value)
}

function batchOf(key: string, value: string): Uint8Array {
  return buildBatch([{ key: encoder.encode(key), value: encoder.encode(value), timestamp: 1_000 }])
}

async function create(manager: LogManager, topicPartition: TopicPartition, directoryId?: string) {
  const { topic } = topicPartition
  const topicId = IDS[topic] ?? ''
  return await manager.create({ topicPartition, topicId, config: configOf(topic), directoryId })
}

async function attempt(run: FaultRun, what: string, action: () => Promise<void>): Promise<void> {
  try {
    await drive(run.clock, action())
  } catch (error) {
    note(run.wrong, what, error)
  }
}

/** Waits for work that waits for the clock: what is refused is tried again after a while. */
export async function drive<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  work.then(done, done)
  for (let turns = 0; !isDone && turns < 1_000; turns++) {
    await settle()
    if (!isDone && turns % 4 === 3) clock.step()
  }
  if (!isDone) throw new Error('It never ends')
  return await work
}

/** Refusals and faults may come; anything else is a bug. */
function note(wrong: string[], what: string, error: unknown): void {
  if (error instanceof KafkaError || error instanceof StorageFault) return
  wrong.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`)
}

function logOf(manager: LogManager, at: TopicPartition, wrong: string[]): PartitionLog | undefined {
  try {
    const log = manager.log(at)
    if (!log) wrong.push(`${at.topic} is gone`)
    return log
  } catch (error) {
    wrong.push(`${at.topic}: ${String(error)}`)
    return undefined
  }
}
