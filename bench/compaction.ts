// How fast a log is compacted, and how long the loop is held meanwhile: a part of `npm run bench`.
import { join } from 'node:path'
import { startThread } from '#storage/base/background-thread.ts'
import { TimeSlices } from '#storage/base/time-slices.ts'
import { systemClock, systemRandom } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import type { Compression } from '#storage/batch/record-batch.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { cleanLog } from '#storage/upkeep/clean-log.ts'
import { assessLog } from '#storage/upkeep/cleanable.ts'
import { Throttle } from '#storage/upkeep/throttle.ts'
import { openBenchLog } from './workspace.ts'

const MIB = 1_048_576

/** A log to be compacted: of how many bytes, in which batches, and how many records there are of a key. */
export interface CompactionCase {
  readonly bytes: number
  readonly batchBytes: number
  readonly recordBytes: number
  readonly recordsPerKey: number
  readonly compression: Compression
}

/** What a compaction took. */
export interface CompactionFigures {
  /** Of the log, once; it is read twice. */
  readonly bytes: number
  readonly records: number
  readonly seconds: number
  readonly keptBytes: number
  readonly mapBytes: number
  /** How long the loop was held: the longest time, and the time that 99 of 100 turns took at most. */
  readonly longestTurnMs: number
  readonly p99TurnMs: number
}

/** Fills a log and compacts it once. */
export async function benchCompaction(
  folder: string,
  { bytes, batchBytes, recordBytes, recordsPerKey, compression }: CompactionCase,
): Promise<CompactionFigures> {
  const log = await openBenchLog(join(folder, `compact-${systemRandom.float()}`), 64 * MIB)
  log.updateConfig({ ...log.config, cleanupPolicy: { delete: false, compact: true } })
  const perBatch = Math.max(1, Math.floor(batchBytes / (recordBytes + 24)))
  const keys = Math.ceil(bytes / (recordBytes + 24) / recordsPerKey)
  // Of 64 letters: what compresses at all compresses by a quarter.
  const letters = systemRandom.bytes(MIB).map((byte) => 32 + (byte & 63))
  const encoder = new TextEncoder()
  const isOnce = recordsPerKey === 1
  let records = 0
  while (log.sizeInBytes < bytes) {
    const batch = Array.from({ length: perBatch }, () => {
      const number = isOnce ? records : Math.floor(systemRandom.float() * keys)
      records++
      const from = Math.floor(systemRandom.float() * (MIB - recordBytes))
      const value = letters.subarray(from, from + recordBytes)
      return { key: encoder.encode(`key-${number}`), value, timestamp: systemClock.now() }
    })
    const bytesOf = buildBatch(batch, { compression })
    log.append(bytesOf, { leaderEpoch: 0, origin: 'client', needsDisk: false })
    await log.room()
  }
  await log.flush()
  const active = log.segments.at(-1)?.baseOffset ?? 0
  while (log.recoveryPoint < active) await new Promise((resolve) => setTimeout(resolve, 10))
  const size = log.sizeInBytes - (log.segments.at(-1)?.size ?? 0)
  const turns = watchTurns()
  const start = performance.now()
  const cleaning = log.beginCleaning()
  if (!cleaning) throw new Error('The log is being compacted')
  const { bytesWritten, mapBytes } = await cleanLog(
    log,
    cleaning,
    assessLog(log, undefined, systemClock.now()),
    {
      maps: new MapCache(createNodeFiles(), { maxMaps: 100, maxBytes: 1 << 30 }),
      random: systemRandom,
      startThread,
      slices: new TimeSlices(systemClock, 0.25),
      throttle: new Throttle(systemClock, () => Number.POSITIVE_INFINITY),
      now: systemClock.now(),
      mapBytes: 128 * MIB,
      loadFactor: 0.9,
      bufferBytes: 262_144,
    },
  )
  cleaning.end()
  const seconds = (performance.now() - start) / 1000
  const { longestTurnMs, p99TurnMs } = turns.stop()
  await log.close()
  const kept = { keptBytes: bytesWritten, mapBytes, longestTurnMs, p99TurnMs }
  return { bytes: size, records: active, seconds, ...kept }
}

/** Measures how long each turn of the loop takes. */
function watchTurns() {
  const turns: number[] = []
  let last = performance.now()
  let isStopped = false
  const turn = () => {
    const now = performance.now()
    turns.push(now - last)
    last = now
    if (!isStopped) setImmediate(turn)
  }
  setImmediate(turn)
  return {
    stop() {
      isStopped = true
      turns.sort((left, right) => left - right)
      const p99TurnMs = turns[Math.floor(turns.length * 0.99)] ?? 0
      return { longestTurnMs: turns.at(-1) ?? 0, p99TurnMs }
    },
  }
}
