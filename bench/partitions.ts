// Ten thousand partitions in one directory: `npm run bench:partitions [-- COUNT]`. Prints times, the longest stall of the
// loop, memory, open files, and what was asked of the file system for each partition: the last does not depend on the machine.
import { readdirSync } from 'node:fs'
import { systemClock, systemRandom } from '#storage/base/world.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import type { Files, OpenFile } from '#storage/fs/files.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'
import { benchBatch, withFolder } from './workspace.ts'

const TOPIC_ID = 'b3JkZXJzb3JkZXJzb3JkZQ'
const TICK_MS = 2
/** How many partitions a client creates at a time. */
const CREATED_AT_A_TIME = 64
const count = Number(process.argv[2] ?? 10_000)

/** What was asked of the file system. */
interface Calls {
  opens: number
  changes: number
  fileSyncs: number
  directorySyncs: number
  syncsOnLoop: number
}

const noCalls = (): Calls => ({
  opens: 0,
  changes: 0,
  fileSyncs: 0,
  directorySyncs: 0,
  syncsOnLoop: 0,
})

/** Files that count into `calls.now`. */
function counted(files: Files, calls: { now: Calls }): Files {
  const wrap = (file: OpenFile): OpenFile => ({
    path: file.path,
    size: () => file.size(),
    read: (target, position) => file.read(target, position),
    write(bytes, position) {
      calls.now.changes++
      file.write(bytes, position)
    },
    writeBehind: (position, size) => file.writeBehind(position, size),
    truncate(size) {
      calls.now.changes++
      file.truncate(size)
    },
    syncNow() {
      calls.now.fileSyncs++
      calls.now.syncsOnLoop++
      file.syncNow()
    },
    sync() {
      calls.now.fileSyncs++
      return file.sync()
    },
    close: () => file.close(),
  })
  return {
    ...files,
    open(path, mode) {
      calls.now.opens++
      return wrap(files.open(path, mode))
    },
    rename(from, to) {
      calls.now.changes++
      files.rename(from, to)
    },
    remove(path) {
      calls.now.changes++
      files.remove(path)
    },
    syncDirectory(path) {
      calls.now.directorySyncs++
      return files.syncDirectory(path)
    },
    syncDirectoryNow(path) {
      calls.now.directorySyncs++
      calls.now.syncsOnLoop++
      files.syncDirectoryNow(path)
    },
  }
}

const calls = { now: noCalls() }
const files = counted(createNodeFiles(), calls)

/** Runs one phase and prints what it took. */
async function phase<T>(what: string, work: () => Promise<T>): Promise<T> {
  calls.now = noCalls()
  let stall = 0
  let last = systemClock.monotonic()
  const ticker = setInterval(() => {
    const now = systemClock.monotonic()
    stall = Math.max(stall, now - last - TICK_MS)
    last = now
  }, TICK_MS)
  const start = systemClock.monotonic()
  const result = await work()
  const seconds = (systemClock.monotonic() - start) / 1000
  clearInterval(ticker)
  stall = Math.max(stall, systemClock.monotonic() - last - TICK_MS)
  const { opens, changes, fileSyncs, directorySyncs, syncsOnLoop } = calls.now
  const each = (number: number) => (number / count).toFixed(2)
  console.log(
    [
      what.padEnd(34),
      `${seconds.toFixed(2)} s`.padStart(9),
      `stall ${stall.toFixed(0)} ms`.padStart(13),
      `${(process.memoryUsage.rss() / 1_048_576).toFixed(0)} MiB`.padStart(9),
      `${openDescriptors()} fds`.padStart(9),
      `each: ${each(opens)} opens, ${each(changes)} changes, ${each(fileSyncs)} fdatasyncs, ${each(directorySyncs)} directory fsyncs`,
      `${syncsOnLoop} syncs on the loop`,
    ].join('  '),
  )
  return result
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}

function open(path: string): LogManager {
  return openLogManager({
    environment: {
      files,
      clock: systemClock,
      random: systemRandom,
      pool: new FilePool(files, 4096),
      maps: new MapCache(files, { maxMaps: 100, maxBytes: 1 << 30 }),
      buffers: new ReadBufferPool(),
      indexCache: new IndexCache(),
    },
    logDirs: [path],
    nodeId: 1,
  })
}

async function start(path: string): Promise<LogManager> {
  const manager = open(path)
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  await manager.load({
    configOf: () => DEFAULT_LOG_CONFIG,
    expectedTopicId: () => TOPIC_ID,
  })
  return manager
}

async function createAll(manager: LogManager): Promise<void> {
  let next = 0
  const client = async () => {
    while (next < count) {
      const topicPartition = { topic: 'bench', partition: next++ }
      await manager.create({ topicPartition, topicId: TOPIC_ID, config: DEFAULT_LOG_CONFIG })
    }
  }
  await Promise.all(Array.from({ length: CREATED_AT_A_TIME }, client))
}

/** One batch to every `nth` log, on disk or not. */
async function append(manager: LogManager, nth: number, needsDisk: boolean): Promise<void> {
  const batch = benchBatch(100, 1000)
  const waits: Promise<void>[] = []
  let number = 0
  for (const log of manager.logs()) {
    if (number++ % nth !== 0) continue
    const request = { leaderEpoch: 0, origin: 'client', needsDisk } as const
    const { lastOffset } = log.append(batch.slice(), request)
    if (needsDisk) waits.push(log.whenCommitted(lastOffset))
    if (number % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(waits)
}

console.log(`${count} partitions`)
await withFolder(async (folder) => {
  let manager = await start(folder)
  await phase('create', () => createAll(manager))
  await phase('unclean end, all empty', () => manager.closeNow())
  manager = await phase('unclean open, all empty', () => start(folder))
  await phase('clean close, all empty', () => manager.close(1))
  manager = await phase('clean open, all empty', () => start(folder))
  await phase('append to all, acks=1', () => append(manager, 1, false))
  await phase('clean close, all written to', () => manager.close(2))
  manager = await phase('clean open', () => start(folder))
  await phase('clean close, none written to', () => manager.close(3))
  manager = await phase('clean open', () => start(folder))
  await phase('append to every 10th, acks=all', () => append(manager, 10, true))
  await phase('unclean end', () => manager.closeNow())
  manager = await phase('unclean open, 10 % written to', () => start(folder))
  await phase('clean close', () => manager.close(4))
})
