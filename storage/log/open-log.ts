// Opens a partition's log: tidies up, recovers after an unclean stop, and leaves everything on disk that it accepted.
import { KafkaError, StorageFault } from '../base/errors.ts'
import { nextTurn } from '../base/event-loop.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { Uuid } from '../base/uuid.ts'
import type { Clock } from '../base/world.ts'
import { parentOf } from '../fs/atomic-file.ts'
import { storageError } from '../fs/failures.ts'
import type { Files } from '../fs/files.ts'
import { BatchHeaderReader } from '../segment/batch-header.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import { parseSegmentFileName, segmentPath } from '../segment/segment-files.ts'
import type { SegmentIndexes } from '../segment/segment-indexes.ts'
import {
  type EpochStart,
  LEADER_EPOCH_CHECKPOINT,
  LeaderEpochCache,
  parseLeaderEpochs,
} from '../state/leader-epoch-cache.ts'
import { ProducerState } from '../state/producer-state.ts'
import { persistIndexes } from './durability.ts'
import { tidyLeftovers } from './leftovers.ts'
import type { LogConfig } from './log-config.ts'
import type { LogEnvironment, LogObserver } from './log-parts.ts'
import type { LogRecovery } from './log-recovery.ts'
import { PartitionLog } from './partition-log.ts'
import { type VerifiedSegments, verifySegments } from './recover-segments.ts'
import { replayEpochs, replayProducers } from './replay.ts'
import { type DamagedRange, floorSegment } from './segment-search.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import { SumFile } from './sum-file.ts'

/** What a log is opened with. */
export interface OpenLogOptions {
  readonly environment: LogEnvironment
  readonly observer: LogObserver
  readonly directory: string
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly config: LogConfig
  readonly hadCleanShutdown: boolean
  /** From the checkpoints; 0 when they have no entry. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly highWatermark: number
}

/** An open log, and what opening it took. */
export interface OpenedLog {
  readonly log: PartitionLog
  readonly recovery: LogRecovery
}

/** How long work on the loop may go on before others get their turn. */
const SLICE_MS = 4

/**
 * Opens the log in `directory`, which is made when it is missing. After a clean shutdown nothing is scanned but what
 * lies behind the last index entry. Otherwise every batch from the recovery point's segment on is verified, and all of
 * it is on disk when this resolves (RULES 3). Rejects with `StorageFault` or KAFKA_STORAGE_ERROR.
 */
export async function openPartitionLog(options: OpenLogOptions): Promise<OpenedLog> {
  try {
    return await new LogOpening(options).run()
  } catch (error) {
    throw storageError(error, `Opening ${partitionName(options.topicPartition)}`)
  }
}

class LogOpening {
  readonly #options: OpenLogOptions
  readonly #files: Files
  readonly #clock: Clock
  readonly #environment: SegmentEnvironment
  readonly #snapshots: SnapshotFiles
  readonly #sums: SumFile
  /** What is damaged below the recovery point. */
  readonly #damages: DamagedRange[] = []
  #sliceEnd = 0

  constructor(options: OpenLogOptions) {
    const { files, pool, indexCache, clock } = options.environment
    this.#options = options
    this.#files = files
    this.#clock = clock
    this.#environment = { files, pool, indexCache, directory: options.directory }
    this.#snapshots = new SnapshotFiles(files, options.directory)
    this.#sums = new SumFile(files, options.directory)
  }

  async run(): Promise<OpenedLog> {
    const { directory, config, hadCleanShutdown, recoveryPoint } = this.#options
    await this.#makeDirectory()
    tidyLeftovers(this.#files, directory, (path) => this.#nextOffsetOf(path))
    const segments = this.#findSegments()
    const { epochs, isSaved } = this.#loadEpochs()
    const wanted = this.#segmentsToVerify(segments)
    const verified = await this.#paced(
      verifySegments(
        {
          environment: this.#environment,
          segments,
          epochs,
          recoveryPoint: segments.length === 0 ? 0 : recoveryPoint,
          indexIntervalBytes: config.indexIntervalBytes,
          mayHaveGaps: config.cleanupPolicy.compact,
          now: this.#clock.now(),
        },
        wanted,
      ),
    )
    this.#damages.push(...verified.damages)
    const last = segments.at(-1)
    const isEndVerified = last !== undefined && verified.rebuilt.has(last)
    const logEndOffset = isEndVerified ? verified.logEndOffset : this.#cleanEnd(segments)
    const bounds = this.#placeStart(segments, logEndOffset)
    if (!isSaved) {
      epochs.clear()
      await this.#paced(replayEpochs(segments, epochs, this.#damages))
    }
    epochs.truncateFromEnd(bounds.logEndOffset)
    epochs.truncateFromStart(bounds.logStartOffset)
    const indexes = this.#installIndexes(segments, verified)
    const producers = await this.#rebuildProducers(segments, bounds.logEndOffset, verified)
    await this.#persist(segments, verified)
    this.#activateLast(segments, bounds.logEndOffset, verified.endsDamaged, indexes)
    await this.#files.syncDirectory(directory)
    const log = new PartitionLog({
      ...this.#options,
      ...bounds,
      segments,
      segmentEnvironment: this.#environment,
      producers,
      epochs,
      areEpochsSaved: isSaved,
      sums: this.#sums,
      damages: this.#damages,
    })
    for (const segment of segments) segment.isNameDurable = true
    return {
      log,
      recovery: {
        ...bounds,
        hadCleanShutdown,
        recoveryPoint,
        scannedBytes: verified.scannedBytes,
        rebuiltSegments: Array.from(verified.rebuilt.keys(), ({ baseOffset }) => baseOffset),
        cuts: verified.cuts,
        damages: this.#damages,
        lostBelowHighWatermark: Math.max(0, this.#options.highWatermark - bounds.logEndOffset),
      },
    }
  }

  async #makeDirectory(): Promise<void> {
    const { directory } = this.#options
    if (this.#files.status(directory)) return
    this.#files.makeDirectory(directory)
    await this.#files.syncDirectory(parentOf(directory))
  }

  #findSegments(): Segment[] {
    const { directory } = this.#options
    const segments: Segment[] = []
    const indexFiles: { path: string; offset: number }[] = []
    for (const { name } of this.#files.list(directory)) {
      const file = parseSegmentFileName(name)
      if (file?.suffix !== '' || file.kind === 'snapshot') continue
      const path = `${directory}/${name}`
      if (file.kind !== 'log') {
        indexFiles.push({ path, offset: file.offset })
        continue
      }
      const status = this.#files.status(path)
      const { size = 0, modifiedMs: createdMs = this.#clock.now() } = status ?? {}
      segments.push(Segment.open(this.#environment, { baseOffset: file.offset, size, createdMs }))
    }
    const known = new Set(segments.map(({ baseOffset }) => baseOffset))
    for (const { path, offset } of indexFiles) if (!known.has(offset)) this.#files.remove(path)
    return segments.sort((left, right) => left.baseOffset - right.baseOffset)
  }

  /** From the checkpoint. They are not saved when that is missing, malformed or damaged. */
  #loadEpochs() {
    const { directory, hadCleanShutdown } = this.#options
    const bytes = this.#files.readFile(`${directory}/${LEADER_EPOCH_CHECKPOINT}`)
    // While a log runs its epochs change, their sum does not.
    const isIntact = !hadCleanShutdown || this.#sums.fitsEpochs
    const entries = bytes && isIntact ? parseEpochs(bytes) : undefined
    return { epochs: new LeaderEpochCache(entries), isSaved: entries !== undefined }
  }

  /** After an unclean stop all from the recovery point on; else those whose indexes are missing or damaged. */
  #segmentsToVerify(segments: readonly Segment[]): Set<Segment> {
    const { hadCleanShutdown, recoveryPoint } = this.#options
    const first = hadCleanShutdown ? segments.length : floorSegment(segments, recoveryPoint)
    const last = segments.at(-1)
    const wanted = segments.filter((segment, number) => {
      return number >= Math.max(0, first) || !this.#hasGoodIndexes(segment, segment === last)
    })
    if (hadCleanShutdown && last && !this.#endsWell(last)) wanted.push(last)
    return new Set(wanted)
  }

  #hasGoodIndexes({ baseOffset }: Segment, isThorough: boolean): boolean {
    const path = segmentPath(this.#options.directory, baseOffset, 'index')
    return this.#files.status(path) !== undefined && this.#sums.fits(baseOffset, { isThorough })
  }

  /** Whether the batch headers behind the last index entry lead exactly to the end of the file. */
  #endsWell(segment: Segment): boolean {
    try {
      endOffsetOf(segment)
      return true
    } catch (error) {
      if (error instanceof KafkaError) return false
      throw error
    }
  }

  #cleanEnd(segments: readonly Segment[]): number {
    const last = segments.at(-1)
    return last ? endOffsetOf(last) : this.#options.logStartOffset
  }

  /** Where the log starts. When all of it lies below the checkpoint's log start, records were deleted: it starts empty. */
  #placeStart(segments: Segment[], logEndOffset: number) {
    const { logStartOffset } = this.#options
    const start = Math.max(logStartOffset, segments[0]?.baseOffset ?? 0)
    if (logEndOffset >= start) return { logStartOffset: start, logEndOffset }
    for (const segment of segments.splice(0)) {
      for (const path of segment.markDeleted()) this.#files.remove(path)
    }
    return { logStartOffset: start, logEndOffset: start }
  }

  /** Gives the verified segments their new indexes: sealed ones through the cache's files, once they are written. */
  #installIndexes(segments: readonly Segment[], verified: VerifiedSegments) {
    const last = segments.at(-1)
    for (const [segment, indexes] of verified.rebuilt) {
      if (segments.includes(segment)) segment.activate(indexes)
    }
    return last && verified.rebuilt.get(last)
  }

  async #rebuildProducers(
    segments: readonly Segment[],
    logEndOffset: number,
    verified: VerifiedSegments,
  ): Promise<ProducerState> {
    const isClean = this.#options.hadCleanShutdown && verified.rebuilt.size === 0
    const snapshots = this.#snapshots
    snapshots.removeWhere((offset) => offset > logEndOffset)
    const expirationMs = this.#options.config.producerIdExpirationMs
    const producers = new ProducerState({ expirationMs })
    const rebuilt = new Set(verified.rebuilt.keys())
    const atMost = Math.min(...Array.from(rebuilt, ({ baseOffset }) => baseOffset))
    const now = this.#clock.now()
    const damages = this.#damages
    const target = { segments, logEndOffset, producers, snapshots, now, damages }
    // From the one before the newest: then each producer's last batches are known, not just the last (RULES 3).
    await this.#paced(replayProducers(target, { skip: isClean ? 0 : 1, atMost, rebuilt }))
    if (!isClean) snapshots.write(logEndOffset, producers.snapshot())
    const bases = new Set(segments.map(({ baseOffset }) => baseOffset))
    snapshots.removeWhere((offset) => !bases.has(offset) && offset !== logEndOffset)
    return producers
  }

  async #persist(segments: readonly Segment[], { rebuilt }: VerifiedSegments): Promise<void> {
    for (const segment of rebuilt.keys()) {
      const number = segments.indexOf(segment)
      if (number < 0) continue
      const next = segments[number + 1]?.baseOffset ?? Number.MAX_SAFE_INTEGER
      await persistIndexes(this.#files, segment, this.#snapshots.path(next))
      if (number === segments.length - 1) continue
      segment.release()
      this.#sums.add(segment.baseOffset)
    }
    const sealed = new Set(segments.slice(0, -1).map(({ baseOffset }) => baseOffset))
    // What an active segment's indexes are is settled when it is sealed.
    if (rebuilt.size > 0) await this.#sums.save((baseOffset) => sealed.has(baseOffset))
  }

  #activateLast(
    segments: Segment[],
    logEndOffset: number,
    endsDamaged: boolean,
    indexes: SegmentIndexes | undefined,
  ): void {
    const last = segments.at(-1)
    if (last && !(endsDamaged && last.baseOffset < logEndOffset)) {
      last.activate(indexes)
      return
    }
    last?.release()
    segments.push(Segment.create(this.#environment, logEndOffset, this.#clock.now()))
  }

  #nextOffsetOf(path: string): number {
    const { directory } = this.#options
    const name = parseSegmentFileName(path.slice(directory.length + 1))
    const size = this.#files.status(path)?.size ?? 0
    const file = this.#files.open(path, 'read')
    try {
      return walkToEnd(new BatchHeaderReader(file, size), 0, size) ?? name?.offset ?? 0
    } finally {
      file.close()
    }
  }

  /** Runs work that yields, and lets others have their turn in between. */
  async #paced<T>(work: Generator<void, T>): Promise<T> {
    for (;;) {
      const step = work.next()
      if (step.done) return step.value
      const now = this.#clock.monotonic()
      if (now < this.#sliceEnd) continue
      if (this.#sliceEnd > 0) await nextTurn()
      this.#sliceEnd = this.#clock.monotonic() + SLICE_MS
    }
  }
}

function parseEpochs(bytes: Uint8Array): EpochStart[] | undefined {
  try {
    return parseLeaderEpochs(bytes)
  } catch (error) {
    if (error instanceof StorageFault) return undefined
    throw error
  }
}

/** The offset behind a segment's last batch. Throws CORRUPT_MESSAGE when its headers do not lead to its end. */
function endOffsetOf(segment: Segment): number {
  const { position } = segment.indexes.offsets.lastEntry
  return segment.withFile((file) => {
    const reader = new BatchHeaderReader(file, segment.size)
    const start = position > 0 && reader.peek(position) ? position : 0
    return walkToEnd(reader, start, segment.size) ?? segment.baseOffset
  })
}

/** The offset behind the last batch; undefined when there is none. */
function walkToEnd(reader: BatchHeaderReader, start: number, size: number): number | undefined {
  let end: number | undefined
  for (let position = start; position < size; ) {
    const header = reader.at(position)
    if (!header) break
    end = header.lastOffset + 1
    position += header.sizeInBytes
  }
  return end
}
