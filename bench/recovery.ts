// How fast logs are recovered and opened: a part of `npm run bench`.
import { join } from 'node:path'
import { systemClock, systemRandom } from '#storage/base/world.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'
import { benchBatch } from './workspace.ts'

const TOPIC_ID = 'b3JkZXJzb3JkZXJzb3JkZQ'
const MIB = 1_048_576
/** How many partitions a client creates at a time. */
const CREATED_AT_A_TIME = 64

/** What starts took, in seconds. */
export interface StartFigures {
  readonly partitions: number
  readonly clean: number
  /** After a crash with every tenth written to since the last clean stop. */
  readonly unclean: number
}

/** Starts on so many partitions, each with a batch, after a clean stop and after a crash. */
export async function benchStarts(folder: string, partitions: number): Promise<StartFigures> {
  const path = join(folder, `starts-${partitions}`)
  const first = await start(path)
  const numbers = Array.from({ length: partitions }, (_, partition) => partition).values()
  const client = async () => {
    for (const partition of numbers) await create(first.manager, partition)
  }
  await Promise.all(Array.from({ length: CREATED_AT_A_TIME }, client))
  await append(first.manager, 1)
  await first.manager.close(1)
  const second = await start(path)
  await append(second.manager, 10)
  await second.manager.closeNow()
  const third = await start(path)
  await third.manager.close(2)
  return { partitions, clean: second.seconds, unclean: third.seconds }
}

/** Recovers logs of so many bytes in all, none of which is known to be on disk. */
export async function benchRecovery(
  folder: string,
  { bytes, logs, batch }: { bytes: number; logs: number; batch: Uint8Array },
): Promise<{ readonly seconds: number; readonly bytes: number }> {
  const path = join(folder, `recovery-${logs}`)
  const { manager } = await start(path)
  for (let partition = 0; partition < logs; partition++) await create(manager, partition)
  for (const log of manager.logs()) {
    while (log.sizeInBytes < bytes / logs) {
      log.append(batch.slice(), { leaderEpoch: 0, origin: 'client', needsDisk: false })
      await log.room()
    }
  }
  await manager.closeNow()
  // As a Kafka that was killed leaves it: no recovery point was written yet.
  createNodeFiles().remove(join(path, 'recovery-point-offset-checkpoint'))
  const again = await start(path)
  const scanned = again.report.recovered.reduce((sum, log) => sum + log.recovery.scannedBytes, 0)
  await again.manager.close(2)
  return { seconds: again.seconds, bytes: scanned }
}

async function start(path: string) {
  const files = createNodeFiles()
  const before = performance.now()
  const manager = openLogManager({
    environment: {
      files,
      clock: systemClock,
      random: systemRandom,
      pool: new FilePool(files, 4096),
      maps: new MapCache(files, { maxMaps: 1024, maxBytes: 64 * 1024 * MIB }),
      buffers: new ReadBufferPool(),
      indexCache: new IndexCache(),
    },
    logDirs: [path],
    nodeId: 1,
  })
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  const report = await manager.load({
    configOf: () => CONFIG,
    expectedTopicId: () => TOPIC_ID,
  })
  return { manager, report, seconds: (performance.now() - before) / 1000 }
}

const CONFIG = { ...DEFAULT_LOG_CONFIG, segmentBytes: 64 * MIB }

async function create(manager: LogManager, partition: number): Promise<void> {
  const topicPartition = { topic: 'bench', partition }
  await manager.create({ topicPartition, topicId: TOPIC_ID, config: CONFIG })
}

/** One batch to every `nth` log. */
async function append(manager: LogManager, nth: number): Promise<void> {
  const batch = benchBatch(100, 1000)
  let number = 0
  for (const log of manager.logs()) {
    if (number++ % nth !== 0) continue
    log.append(batch.slice(), { leaderEpoch: 0, origin: 'client', needsDisk: false })
    if (number % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}
