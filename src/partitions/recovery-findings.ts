// What a start found, in words and numbers for those who ask.
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import type { LoadingProgress } from '#storage/loading-progress.ts'
import type { LogRecovery } from '#storage/log/log-recovery.ts'
import type { RecoveredLog, RecoveryReport as StorageReport } from '#storage/recovery-report.ts'
import type { LogCleaner } from '#storage/upkeep/log-cleaner.ts'
import type { LogScrubber } from '#storage/upkeep/log-scrubber.ts'

/** Findings of the last start, one entry per log that was not simply opened, and of what runs in the background since. */
export interface RecoveryReport {
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
  readonly logCount: number
  /** Null when there was nothing before: all directories are new. */
  readonly hadCleanShutdown: boolean | null
  readonly findings: readonly RecoveryFinding[]
  /** What concerns whole directories, as sentences. */
  readonly notes: readonly string[]
}

/** What opening one log took, or what was found of it since. */
export interface RecoveryFinding {
  /** The start, the scrub of sealed segments, or the cleaner, which has given the log up. */
  readonly foundBy: 'start' | 'scrub' | 'cleaner'
  readonly logDirectory: string
  readonly topic: string
  readonly partition: number
  /** Segments whose every batch was verified, and whose indexes were made anew. */
  readonly scannedSegments: number
  readonly scannedBytes: number
  readonly rebuiltIndexes: number
  /** Bytes cut from the log, and the plain files in the partition directory that hold them. */
  readonly cutBytes: number
  readonly keptAside: readonly string[]
  /** Half-open ranges: intact batches behind a cut, and what fails its checksum below the recovery point. */
  readonly offsetsAtRisk: readonly { readonly from: number; readonly to: number }[]
  readonly messages: readonly string[]
}

/** The storage engine's report in the form that doors and logs show. */
export function recoveryReport(
  report: StorageReport,
  start: {
    readonly startedAt: number
    readonly hadCleanShutdown: boolean
    /** The directory of an open log. */
    pathOf(log: RecoveredLog): string
  },
): RecoveryReport {
  const { directories, recovered, unreadable, logCount, durationMs } = report
  const unread = unreadable.map(({ topic, partition, path, problem }) => ({
    ...nothingFound({ topic, partition }, path, 'start'),
    messages: [`It can't be read and is not served: ${problem}`],
  }))
  const notes = directories.flatMap(({ path, notes: own, strays, strange, isLockSeenByKafka }) => [
    ...(isLockSeenByKafka ? [] : [`${path}: a Kafka running on it could not be noticed`]),
    ...own.map((note) => `${path}: ${note}`),
    ...strays.map((name) => `${path}: ${name} belongs to no topic and was set aside`),
    ...strange.map((name) => `${path}: ${name} is no partition; Kafka would not start on it`),
  ])
  return {
    startedAt: start.startedAt,
    durationMs: Math.round(durationMs * 10) / 10,
    logCount,
    hadCleanShutdown: directories.every(({ isNew }) => isNew) ? null : start.hadCleanShutdown,
    findings: [...recovered.map((log) => findingOf(log, start.pathOf(log))), ...unread],
    notes,
  }
}

/** What the background work of a log manager has found so far. */
export function backgroundFindings({
  scrubber,
  cleaner,
  pathOf,
}: {
  readonly scrubber: Pick<LogScrubber, 'findings'>
  readonly cleaner: Pick<LogCleaner, 'uncleanable'>
  pathOf(log: TopicPartition): string
}): RecoveryFinding[] {
  const scrubbed = scrubber.findings.map(({ directory, damages, rebuiltIndexes, ...at }) => ({
    ...nothingFound(at, directory, 'scrub'),
    rebuiltIndexes: rebuiltIndexes.length,
    offsetsAtRisk: damages.map(({ from, to }) => ({ from, to })),
    messages: damages.map(damageMessage),
  }))
  const givenUp = cleaner.uncleanable.map(({ partition: at, reason }) => ({
    ...nothingFound(at, pathOf(at), 'cleaner'),
    messages: [`It is not compacted until the next start: ${reason}`],
  }))
  return [...scrubbed, ...givenUp]
}

function findingOf(log: RecoveredLog, logDirectory: string): RecoveryFinding {
  const { recovery } = log
  const { cuts, damages, rebuiltSegments, scannedBytes } = recovery
  const risks = [...cuts.map(({ offsetsAtRisk }) => offsetsAtRisk), ...damages]
  return {
    ...nothingFound(log, logDirectory, 'start'),
    scannedSegments: rebuiltSegments.length,
    scannedBytes,
    rebuiltIndexes: rebuiltSegments.length,
    cutBytes: cuts.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0),
    keptAside: cuts.flatMap(({ keptIn }) => keptIn ?? []),
    offsetsAtRisk: risks.flatMap((risk) => (risk ? [{ from: risk.from, to: risk.to }] : [])),
    messages: messagesOf(recovery),
  }
}

function nothingFound(
  { topic, partition }: TopicPartition,
  logDirectory: string,
  foundBy: RecoveryFinding['foundBy'],
): RecoveryFinding {
  return {
    foundBy,
    logDirectory,
    topic,
    partition,
    scannedSegments: 0,
    scannedBytes: 0,
    rebuiltIndexes: 0,
    cutBytes: 0,
    keptAside: [],
    offsetsAtRisk: [],
    messages: [],
  }
}

function messagesOf({ cuts, damages, repairs, lostBelowHighWatermark }: LogRecovery): string[] {
  const messages = cuts.map(({ offset, sizeInBytes, keptIn, offsetsAtRisk }) => {
    const kept = keptIn === undefined ? 'they were all zero' : `they are kept in ${keptIn}`
    const risk = offsetsAtRisk
      ? `; ${offsetsAtRisk.batches} intact batches among them, offsets ${offsetsAtRisk.from} to ${offsetsAtRisk.to - 1}`
      : ''
    return `Cut ${sizeInBytes} bytes at offset ${offset}: ${kept}${risk}`
  })
  messages.push(...damages.map(damageMessage), ...repairs)
  if (lostBelowHighWatermark > 0) {
    messages.push(`${lostBelowHighWatermark} offsets that consumers may have read are gone`)
  }
  return messages
}

function damageMessage({ from, to }: { readonly from: number; readonly to: number }): string {
  const isOne = to - from === 1
  const offsets = isOne ? `Offset ${from} is` : `Offsets ${from} to ${to - 1} are`
  return `${offsets} missing or damaged, and not served`
}

/** Findings that a start tells one by one when there is nothing to say of them but that they were scanned. */
const MAX_ROUTINE_LINES = 10

/** What a start tells its terminal: all that is odd, and of many routine scans their sum. */
export function recoveryLines({ notes, findings }: RecoveryReport): string[] {
  const odd = findings.filter(({ messages }) => messages.length > 0)
  const routine = findings.filter(({ messages }) => messages.length === 0)
  const scans = routine.length > MAX_ROUTINE_LINES ? [sumLine(routine)] : routine.map(findingLine)
  return [...notes, ...odd.map(findingLine), ...scans]
}

/** How far a start is that takes long. */
export function progressLine({
  logs,
  loadedLogs,
  scannedBytes,
  elapsedMs,
}: LoadingProgress): string {
  const verified = `${(scannedBytes / 1_048_576).toFixed(0)} MiB verified`
  const seconds = `${Math.round(elapsedMs / 1000)} s`
  return `Opening partitions: ${loadedLogs} of ${logs} done, ${verified}, ${seconds} so far`
}

function sumLine(findings: readonly RecoveryFinding[]): string {
  const segments = findings.reduce((sum, finding) => sum + finding.scannedSegments, 0)
  const bytes = findings.reduce((sum, finding) => sum + finding.scannedBytes, 0)
  return `${findings.length} partitions: scanned ${segments} segments, ${bytes} bytes; nothing had to be repaired`
}

function findingLine(finding: RecoveryFinding): string {
  const { scannedBytes, scannedSegments, messages } = finding
  const segments = scannedSegments === 1 ? '1 segment' : `${scannedSegments} segments`
  const scanned = scannedSegments > 0 ? [`scanned ${segments}, ${scannedBytes} bytes`] : []
  return `${partitionName(finding)}: ${[...scanned, ...messages].join('; ')}`
}
