// The whole storage engine against what this machine can do at most, measured in the same run: `npm run bench`.
// Arguments: `--mib N` bytes per case (default 256), `--batch N` bytes per batch (default 16384),
// `--only engine|compaction|recovery` a part of it.
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readRecords } from '#storage/batch/record.ts'
import { FIELD, RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import { setInt64At } from '#storage/bytes/big-endian.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { benchCompaction } from './compaction.ts'
import { benchRecovery, benchStarts } from './recovery.ts'
import { benchBatch, openBenchLog, withFolder } from './workspace.ts'

const MIB = 1_048_576
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    batch: { type: 'string', default: '16384' },
    only: { type: 'string' },
  },
})
/** Whether a part of it is to be run: `engine`, `compaction` or `recovery`. */
const wants = (part: string) => values.only === undefined || values.only === part
const totalBytes = Number(values.mib) * MIB
const batchBytes = Number(values.batch)
const readBytes = MIB
/** Appends and what limits them take turns of this size: other work on the machine meets both alike. */
const TURN_BYTES = 8 * MIB

/** Runs `work` and returns the seconds that it took. */
async function seconds(work: () => Promise<void> | void): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

interface Line {
  readonly what: string
  readonly bytes: number
  readonly records?: number
  readonly seconds: number
  /** The seconds that the machine needs for the same bytes. */
  readonly limit?: number
}

function print({ what, bytes, records, seconds: time, limit }: Line): void {
  const rate = `${(bytes / MIB / time).toFixed(0)} MiB/s`.padStart(12)
  const count = records === undefined ? '' : `${(records / time / 1e6).toFixed(2)} M records/s`
  const share = limit === undefined ? '' : `${((100 * limit) / time).toFixed(0)} % of the limit`
  console.log(`  ${what.padEnd(44)}${rate}${count.padStart(20)}${share.padStart(22)}`)
}

/** write(2) of the same bytes to a plain file, in the same pieces. */
function writePlain(path: string, piece: Uint8Array, count: number): void {
  const file = openSync(path, 'w')
  for (let number = 0; number < count; number++)
    writeSync(file, piece, 0, piece.length, number * piece.length)
  closeSync(file)
}

/** pread(2) of a file into one buffer. */
function readPlain(path: string, size: number): void {
  const file = openSync(path, 'r')
  const buffer = new Uint8Array(readBytes)
  for (let position = 0; position < size; position += readBytes)
    readSync(file, buffer, 0, readBytes, position)
  closeSync(file)
}

/** write(2) of the same bytes behind a check of each piece's CRC-32C: what no append can do without. */
function checkAndWrite(file: number, piece: Uint8Array, from: number, to: number): void {
  const { crc } = new RecordBatch(piece)
  for (let number = from; number < to; number++) {
    if (crc32c(piece, FIELD.attributes) !== crc) throw new Error('The batch has another CRC')
    writeSync(file, piece, 0, piece.length, number * piece.length)
  }
}

/**
 * The CPU time that `work` takes on this thread, in seconds; of the process where the runtime can't tell. Steadier than the
 * clock where others work beside it.
 */
function cpuTime(work: () => void): number {
  const now = () => process.threadCpuUsage?.() ?? process.cpuUsage()
  const before = now()
  work()
  const after = now()
  return (after.user - before.user + after.system - before.system) / 1e6
}

function append(log: PartitionLog, batch: Uint8Array, needsDisk: boolean): number {
  const { lastOffset } = log.append(batch, { leaderEpoch: 0, origin: 'client', needsDisk })
  // The log has put its offset into the batch; a producer's batches begin at 0.
  setInt64At(batch, FIELD.baseOffset, 0)
  return lastOffset
}

/** Reads the whole log, slice by slice, and hands each to `take`. */
function readLog(log: PartitionLog, take: (bytes: Uint8Array) => number): void {
  for (let offset = 0; offset < log.logEndOffset; ) {
    const slice = log.read(offset, { maxBytes: readBytes, isolation: 'log_end', minOneBatch: true })
    const lease = slice.lease()
    offset = take(lease.bytes)
    lease.release()
  }
}

/** The offset behind the last whole batch. */
function nextOffset(bytes: Uint8Array): number {
  let next = 0
  for (const batch of readBatches(bytes)) next = batch.nextOffset
  return next
}

async function benchAppends(folder: string, recordBytes: number, batch: Uint8Array) {
  const count = Math.ceil(totalBytes / batch.length)
  const bytes = count * batch.length
  const records = count * new RecordBatch(batch).recordCount
  const plain = join(folder, 'plain')
  const writing = await seconds(() => writePlain(plain, batch, count))
  print({ what: 'write(2) of the same bytes', bytes, seconds: writing })
  const log = await openBenchLog(join(folder, `log-${recordBytes}`), 64 * MIB)
  const file = openSync(join(folder, 'checked'), 'w')
  const turns: { limit: number; cached: number }[] = []
  const turn = Math.max(1, Math.floor(TURN_BYTES / batch.length))
  for (let from = 0; from < count; from += turn) {
    const to = Math.min(count, from + turn)
    const limit = cpuTime(() => checkAndWrite(file, batch, from, to))
    const cached = cpuTime(() => {
      for (let number = from; number < to; number++) append(log, batch, false)
    })
    turns.push({ limit, cached })
  }
  closeSync(file)
  const sum = (of: (turn: { limit: number; cached: number }) => number) =>
    turns.reduce((total, one) => total + of(one), 0)
  const [limit, cached] = [sum((one) => one.limit), sum((one) => one.cached)]
  print({ what: 'limit, of CPU time: CRC-32C and write(2)', bytes, seconds: limit })
  print({ what: 'append into the page cache, of CPU time', bytes, records, seconds: cached })
  // Not the median of the turns: the system counts in steps of 4 ms, half of what a turn takes.
  const share = ((100 * limit) / cached).toFixed(0)
  console.log(`    ${share} % of the limit, over ${turns.length} turns`)
  await log.flush()
  return { log, plain, bytes, records }
}

/** Appends that wait for the disk, `inFlight` at a time, against write and fdatasync of the same groups. */
async function benchDurable(
  folder: string,
  recordBytes: number,
  batch: Uint8Array,
  inFlight: number,
) {
  const groups = Math.max(
    4,
    Math.min(1000, Math.floor(totalBytes / 16 / (batch.length * inFlight))),
  )
  const bytes = groups * inFlight * batch.length
  const records = groups * inFlight * new RecordBatch(batch).recordCount
  const file = openSync(join(folder, 'synced'), 'w')
  const group = new Uint8Array(batch.length * inFlight)
  const limit = await seconds(() => {
    for (let number = 0; number < groups; number++) {
      writeSync(file, group, 0, group.length, number * group.length)
      fdatasyncSync(file)
    }
  })
  closeSync(file)
  const batches = inFlight === 1 ? 'batch' : `${inFlight} batches`
  print({ what: `limit: write and fdatasync by ${batches}`, bytes, seconds: limit })
  const log = await openBenchLog(join(folder, `durable-${recordBytes}-${inFlight}`), 1024 * MIB)
  const time = await seconds(async () => {
    const clients = Array.from({ length: inFlight }, async () => {
      for (let number = 0; number < groups; number++)
        await log.whenCommitted(append(log, batch, true))
    })
    await Promise.all(clients)
  })
  print({ what: `append, on disk, ${inFlight} in flight`, bytes, records, seconds: time, limit })
  const waitMs = ((1000 * time) / groups).toFixed(2)
  console.log(
    `    each append waits ${waitMs} ms; the plain file ${((1000 * limit) / groups).toFixed(2)} ms`,
  )
  await log.close()
}

async function benchReads({
  log,
  plain,
  bytes,
  records,
}: {
  log: PartitionLog
  plain: string
  bytes: number
  records: number
}) {
  const source = new Uint8Array(readBytes)
  const target = new Uint8Array(readBytes)
  const copied = await seconds(() => {
    for (let done = 0; done < bytes; done += readBytes) target.set(source)
  })
  print({ what: 'limit: memcpy of the same bytes', bytes, seconds: copied })
  const limit = await seconds(() => readPlain(plain, bytes))
  print({ what: 'limit: pread(2) of a file of that size', bytes, seconds: limit })
  readLog(log, nextOffset)
  const views = await seconds(() => readLog(log, nextOffset))
  print({ what: 'read, batch headers only', bytes, records, seconds: views, limit })
  const copies = await seconds(() =>
    readLog(log, (view) => {
      target.set(view)
      return nextOffset(view)
    }),
  )
  print({ what: 'read, every byte copied', bytes, records, seconds: copies, limit })
  let sum = 0
  const decoded = await seconds(() =>
    readLog(log, (view) => {
      let next = 0
      for (const batch of readBatches(view)) {
        for (const record of readRecords(batch)) sum += record.value?.length ?? 0
        next = batch.nextOffset
      }
      return next
    }),
  )
  print({
    what: `read, ${(sum / MIB).toFixed(0)} MiB of values decoded`,
    bytes,
    records,
    seconds: decoded,
    limit,
  })
}

async function benchCompactions(folder: string) {
  console.log('\nCompaction of a whole log, read twice: once for its keys, once for its records')
  for (const [compression, recordBytes, recordsPerKey] of [
    ['none', 100, 10],
    ['none', 1024, 10],
    ['none', 1024, 1],
    ['lz4', 100, 10],
    ['zstd', 100, 10],
  ] as const) {
    const given = { bytes: totalBytes, batchBytes, recordBytes, recordsPerKey, compression }
    const compacted = await benchCompaction(folder, given)
    const { longestTurnMs, p99TurnMs, keptBytes, mapBytes, ...figures } = compacted
    print({ what: `${recordBytes} bytes, ${recordsPerKey} a key, ${compression}`, ...figures })
    const [kept, map] = [keptBytes, mapBytes].map((bytes) => (bytes / MIB).toFixed(1))
    const turns = `99 of 100 turns of the loop took ${p99TurnMs.toFixed(1)} ms or less, the longest ${longestTurnMs.toFixed(1)}`
    console.log(`    kept ${kept} MiB, a map of ${map} MiB; ${turns}`)
  }
}

async function benchRecoveries(folder: string) {
  console.log(
    '\nRecovery after a crash with nothing known to be on disk: verified, written again, synced',
  )
  for (const [recordBytes, logs] of [
    [100, 1],
    [1024, 1],
    [1024, 16],
  ] as const) {
    const batch = benchBatch(recordBytes, batchBytes)
    const figures = await benchRecovery(join(folder, `of-${recordBytes}`), {
      bytes: totalBytes,
      logs,
      batch,
    })
    print({ what: `${recordBytes} bytes, ${logs === 1 ? '1 log' : `${logs} logs`}`, ...figures })
  }
  console.log('\nStart, of partitions with a batch each')
  for (const partitions of [100, 1_000, 10_000]) {
    const { clean, unclean } = await benchStarts(folder, partitions)
    const [after, crashed] = [clean, unclean].map((time) => `${time.toFixed(2)} s`)
    console.log(
      `  ${String(partitions).padStart(6)} partitions: ${after} after a clean stop, ${crashed} after a crash with every tenth written to`,
    )
  }
}

console.log(`${totalBytes / MIB} MiB per case, batches of ${batchBytes} bytes, ${runtimeName()}`)
await withFolder(async (folder) => {
  for (const recordBytes of wants('engine') ? [100, 1024] : []) {
    console.log(`\nRecords of ${recordBytes} bytes`)
    const batch = benchBatch(recordBytes, batchBytes)
    const written = await benchAppends(folder, recordBytes, batch)
    await benchDurable(folder, recordBytes, batch, 1)
    await benchDurable(folder, recordBytes, batch, 64)
    await benchReads(written)
    await written.log.close()
  }
  if (wants('compaction')) await benchCompactions(folder)
  if (wants('recovery')) await benchRecoveries(folder)
})

function runtimeName(): string {
  const { bun, node } = process.versions as Record<string, string | undefined>
  return bun === undefined ? `node ${node}` : `bun ${bun}`
}
