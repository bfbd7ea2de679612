// Opens a partition's log: tidies up, recovers after an unclean stop, and leaves everything on disk that it accepted.
import { KafkaError, StorageFault } from '../base/errors.ts'
import { TimeSlices } from '../base/time-slices.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { Uuid } from '../base/uuid.ts'
import type { Clock } from '../base/world.ts'
import { parentOf, replaceFile } from '../fs/atomic-file.ts'
import { storageError } from '../fs/failures.ts'
import type { Files } from '../fs/files.ts'
import { BatchHeaderReader } from '../segment/batch-header.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import { parseSegmentFileName, segmentFileName, segmentPath } from '../segment/segment-files.ts'
import type { SegmentIndexes } from '../segment/segment-indexes.ts'
import {
  type EpochStart,
  LEADER_EPOCH_CHECKPOINT,
  LeaderEpochCache,
  parseLeaderEpochs,
  serializeLeaderEpochs,
} from '../state/leader-epoch-cache.ts'
import { ProducerState } from '../state/producer-state.ts'
import { SUMS_FILE } from '../state/sums.ts'
import { persistIndexes } from './durability.ts'
import { isSame } from './epoch-file.ts'
import { tidyLeftovers } from './leftovers.ts'
import type { LogConfig } from './log-config.ts'
import type { LogEnvironment, LogObserver } from './log-parts.ts'
import type { LogCut, LogRecovery } from './log-recovery.ts'
import { findMissing } from './missing-segments.ts'
import { PartitionLog } from './partition-log.ts'
import { setAside, type VerifiedSegments, verifySegments } from './recover-segments.ts'
import { replayEpochs, replayProducers } from './replay.ts'
import { endOffsetOf, nextOffsetOf } from './segment-end.ts'
import { type DamagedRange, floorSegment } from './segment-search.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import { SumFile } from './sum-file.ts'

/** What a log is opened with. */
export interface OpenLogOptions {
  readonly environment: LogEnvironment
  readonly observer: LogObserver
  /** Shared by all logs that are opened at the same time; its own when it is the only one. */
  readonly slices?: TimeSlices
  readonly directory: string
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly config: LogConfig
  readonly hadCleanShutdown: boolean
  /** From the checkpoints; 0 when they have no entry. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** Up to where the log was compacted, also when it is not any more; undefined when it never was. */
  readonly cleanOffset?: number | undefined
  /** Told the bytes of each batch that was verified. */
  readonly onScanned?: (bytes: number) => void
}

/** An open log, and what opening it took. */
export interface OpenedLog {
  readonly log: PartitionLog
  readonly recovery: LogRecovery
}

/**
 * Opens the log in `directory`, which is made when it is missing. After a clean shutdown nothing is scanned but what
 * lies behind the last index entry. Otherwise every batch from the recovery point's segment on is verified, and all of
 * it is on disk when this resolves (RULES 3). Rejects with `StorageFault` or KAFKA_STORAGE_ERROR.
 *
 * A log of which nothing lies beyond the recovery point costs nothing but reads, after a crash as well: when its last
 * segment is empty, or what the last clean stop left, byte for byte (`SumFile.isAtCleanEnd`), there is nothing to verify
 * and nothing to sync. Only the names of its files may be unsynced; they are synced before the first durable append, or
 * by the next clean stop.
 */
export async function openPartitionLog(options: OpenLogOptions): Promise<OpenedLog> {
  try {
    const { names, repairs } = await prepareDirectory(options)
    return await new LogOpening(options, names, repairs).run()
  } catch (error) {
    throw storageError(error, `Opening ${partitionName(options.topicPartition)}`)
  }
}

/** Makes the directory when it is missing, else tidies it up. Returns the names in it, and what was tidied up. */
async function prepareDirectory(
  options: OpenLogOptions,
): Promise<{ names: ReadonlySet<string>; repairs: string[] }> {
  const { directory, environment } = options
  const { files } = environment
  if (!files.status(directory)) {
    files.makeDirectory(directory)
    await files.syncDirectory(parentOf(directory))
    return { names: new Set(), repairs: [] }
  }
  const list = () => files.list(directory).map(({ name }) => name)
  const names = list()
  const endOf = (path: string) => nextOffsetOf(files, directory, path)
  const repairs = tidyLeftovers(files, directory, names, endOf)
  return { names: new Set(repairs ? list() : names), repairs: repairs ?? [] }
}

class LogOpening {
  readonly #options: OpenLogOptions
  readonly #files: Files
  readonly #clock: Clock
  readonly #slices: TimeSlices
  readonly #environment: SegmentEnvironment
  readonly #names: ReadonlySet<string>
  readonly #sums: SumFile
  /** What is damaged below the recovery point. */
  readonly #damages: DamagedRange[] = []
  /** What was put right, as sentences. */
  readonly #repairs: string[]
  /** The files are as a clean stop leaves them. */
  #isSettled = true

  constructor(options: OpenLogOptions, names: ReadonlySet<string>, repairs: string[]) {
    const { files, pool, indexCache, buffers, clock } = options.environment
    const { directory } = options
    this.#options = options
    this.#files = files
    this.#clock = clock
    this.#slices = options.slices ?? new TimeSlices(clock)
    this.#sums = new SumFile(files, directory, { isNew: !names.has(SUMS_FILE) })
    this.#environment = { files, pool, indexCache, buffers, directory, sums: this.#sums }
    this.#names = names
    this.#repairs = repairs
    if (this.#sums.isDamaged) {
      repairs.push(`${SUMS_FILE} was damaged: files without a checksum of their own were believed`)
    }
  }

  async run(): Promise<OpenedLog> {
    const { directory, config, hadCleanShutdown, recoveryPoint } = this.#options
    const segments = this.#findSegments()
    const found = this.#loadEpochs()
    const { epochs } = found
    const wanted = this.#segmentsToVerify(segments)
    const verified = await this.#paced(
      verifySegments(
        {
          environment: this.#environment,
          segments,
          epochs,
          recoveryPoint: segments.length === 0 ? 0 : recoveryPoint,
          indexIntervalBytes: config.indexIntervalBytes,
          mayHaveGaps: this.#mayHaveGaps,
          now: this.#clock.now(),
          onScanned: this.#options.onScanned,
        },
        wanted,
      ),
    )
    this.#damages.push(...verified.damages)
    const last = segments.at(-1)
    const isEndVerified = last !== undefined && verified.rebuilt.has(last)
    const logEndOffset = isEndVerified ? verified.logEndOffset : this.#cleanEnd(segments)
    const { cuts, ...bounds } = await this.#placeStart(segments, logEndOffset, verified.cuts)
    const isSound = found.isSound && !lacksFirstEpoch(segments, epochs, bounds.logStartOffset)
    if (!isSound) {
      epochs.clear()
      await this.#paced(replayEpochs(segments, epochs, this.#damages))
    }
    epochs.truncateFromEnd(bounds.logEndOffset)
    epochs.truncateFromStart(bounds.logStartOffset)
    const areFound = !isSound || verified.rebuilt.size > 0
    const savedEpochs = areFound ? await this.#saveEpochs(epochs, found.saved) : found.saved
    const indexes = this.#installIndexes(segments, verified)
    if (!this.#mayHaveGaps) this.#findMissing(segments)
    const names = cuts.length > 0 ? this.#listNames() : this.#names
    const snapshots = new SnapshotFiles(this.#files, directory, names)
    const producers = await this.#rebuildProducers(segments, snapshots, bounds, verified)
    await this.#persist(segments, snapshots, verified)
    this.#activateLast(segments, bounds.logEndOffset, verified.endsDamaged, indexes)
    const areNamesDurable = await this.#syncNames(segments, verified)
    const isSettled = this.#isSettled && found.isSettled && verified.rebuilt.size === 0
    const log = new PartitionLog({
      ...this.#options,
      ...bounds,
      segments,
      segmentEnvironment: this.#environment,
      producers,
      epochs,
      savedEpochs,
      snapshots,
      sums: this.#sums,
      damages: this.#damages,
      isSettled,
      areNamesDurable,
    })
    return {
      log,
      recovery: {
        ...bounds,
        hadCleanShutdown,
        recoveryPoint,
        scannedBytes: verified.scannedBytes,
        rebuiltSegments: Array.from(verified.rebuilt.keys(), ({ baseOffset }) => baseOffset),
        cuts,
        damages: this.#damages,
        repairs: this.#repairs,
        lostBelowHighWatermark: Math.max(0, this.#options.highWatermark - bounds.logEndOffset),
      },
    }
  }

  #listNames(): ReadonlySet<string> {
    return new Set(this.#files.list(this.#options.directory).map(({ name }) => name))
  }

  #findSegments(): Segment[] {
    const { directory } = this.#options
    const segments: Segment[] = []
    const indexFiles: { path: string; offset: number }[] = []
    for (const name of this.#names) {
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

  /** From the checkpoint. They are not sound when that is missing, malformed or damaged: the batches have them too. */
  #loadEpochs() {
    const { directory, hadCleanShutdown } = this.#options
    const bytes = this.#names.has(LEADER_EPOCH_CHECKPOINT)
      ? this.#files.readFile(`${directory}/${LEADER_EPOCH_CHECKPOINT}`)
      : undefined
    const isSummed = this.#sums.fitsEpochs
    // Nothing passes the recovery point before its epochs are in the file.
    const isThereToBe = bytes !== undefined || !isSummed || this.#options.recoveryPoint > 0
    // While a log runs its epochs change, their sum does not.
    const entries = bytes && (isSummed || !hadCleanShutdown) ? parseEpochs(bytes) : undefined
    const isSound = entries !== undefined
    if (!isSound && isThereToBe) {
      const what = bytes ? 'damaged' : 'missing'
      this.#repairs.push(`${LEADER_EPOCH_CHECKPOINT} was ${what}: it was made again from the log`)
    }
    const saved = isSound ? bytes : bytes ? undefined : serializeLeaderEpochs([])
    const isSettled = isSummed && (isSound || !bytes)
    return { epochs: new LeaderEpochCache(entries), isSound, saved, isSettled }
  }

  /** Epochs that were found in batches are on disk before the recovery point passes them: nobody looks there again. */
  async #saveEpochs(epochs: LeaderEpochCache, saved: Uint8Array | undefined): Promise<Uint8Array> {
    const bytes = serializeLeaderEpochs(epochs.entries)
    if (saved && isSame(saved, bytes)) return saved
    this.#isSettled = false
    await replaceFile(this.#files, `${this.#options.directory}/${LEADER_EPOCH_CHECKPOINT}`, bytes)
    return bytes
  }

  /** After an unclean stop all from the recovery point on; else those whose indexes are missing or damaged. */
  #segmentsToVerify(segments: readonly Segment[]): Set<Segment> {
    const { hadCleanShutdown, recoveryPoint } = this.#options
    const last = segments.at(-1)
    let floor = Math.max(0, floorSegment(segments, recoveryPoint))
    const before = segments[floor - 1]
    // Taken at the end of a segment that was active then, the recovery point says nothing of its indexes: they were in
    // memory, and the roll that followed may not have brought them to the disk.
    const isAtBase = segments[floor]?.baseOffset === recoveryPoint
    if (before && isAtBase && !this.#sums.isFinished(before.baseOffset)) floor--
    const isEndKnown = hadCleanShutdown || (floor === segments.length - 1 && this.#isKnown(last))
    const first = isEndKnown ? segments.length : floor
    const { logStartOffset } = this.#options
    const wanted = segments.filter((segment, number) => {
      // Nobody reads what the log start has passed: a crash may have brought it back.
      if ((segments[number + 1]?.baseOffset ?? Infinity) <= logStartOffset) return false
      if (number >= first) return true
      if (this.#hasGoodIndexes(segment, segment === last)) return false
      const { baseOffset } = segment
      this.#repairs.push(`The indexes of segment ${baseOffset} were missing or damaged: made again`)
      return true
    })
    if (hadCleanShutdown && last && this.#endOf(last) === undefined) wanted.push(last)
    return new Set(wanted)
  }

  /** Whether a crash can't have left anything in the last segment beyond the recovery point. */
  #isKnown(last: Segment | undefined): boolean {
    if (!last) return true
    const { recoveryPoint } = this.#options
    const { baseOffset } = last
    if (last.size === 0) return recoveryPoint <= baseOffset && this.#hasEmptyIndexes(baseOffset)
    const isAtEnd = last.withFile((file) => this.#sums.isAtCleanEnd(baseOffset, file))
    return isAtEnd && this.#endOf(last) === recoveryPoint
  }

  #hasEmptyIndexes(baseOffset: number): boolean {
    const isEmpty = (kind: 'index' | 'timeindex') => {
      const isThere = this.#names.has(segmentFileName(baseOffset, kind))
      return isThere && this.#files.status(this.#path(baseOffset, kind))?.size === 0
    }
    const hasTransactions = this.#names.has(segmentFileName(baseOffset, 'txnindex'))
    return isEmpty('index') && isEmpty('timeindex') && !hasTransactions
  }

  #path(baseOffset: number, kind: 'index' | 'timeindex'): string {
    return segmentPath(this.#options.directory, baseOffset, kind)
  }

  #hasGoodIndexes({ baseOffset }: Segment, isThorough: boolean): boolean {
    const isThere = this.#names.has(segmentFileName(baseOffset, 'index'))
    return isThere && this.#sums.fits(baseOffset, { isThorough })
  }

  /** The end offset; undefined when the batch headers behind the last index entry do not lead to the end of the file. */
  #endOf(segment: Segment): number | undefined {
    try {
      return endOffsetOf(segment)
    } catch (error) {
      if (error instanceof KafkaError) return undefined
      throw error
    }
  }

  #cleanEnd(segments: readonly Segment[]): number {
    const last = segments.at(-1)
    if (last) return endOffsetOf(last)
    // Retention had removed all, and the new segment's name was lost: what lay below the recovery point had existed.
    return Math.max(this.#options.logStartOffset, this.#options.recoveryPoint)
  }

  /**
   * Where the log starts. When all of it lies below the checkpoint's log start, it starts empty: records were deleted and
   * those behind them lost. Or else the checkpoint is wrong; nobody can tell, so the segments are kept aside.
   */
  async #placeStart(segments: Segment[], logEndOffset: number, cuts: readonly LogCut[]) {
    const { logStartOffset } = this.#options
    const start = Math.max(logStartOffset, segments[0]?.baseOffset ?? logEndOffset)
    if (logEndOffset >= start) return { logStartOffset: start, logEndOffset, cuts }
    const target = { environment: this.#environment, now: this.#clock.now() }
    const aside: LogCut[] = []
    for (const segment of segments.splice(0)) {
      aside.push(await this.#paced(setAside(target, segment, segment.baseOffset)))
    }
    this.#repairs.push(
      `The log start offset ${start} of the checkpoint is beyond the log's end ${logEndOffset}: the log is empty now`,
    )
    this.#isSettled = false
    return { logStartOffset: start, logEndOffset: start, cuts: [...cuts, ...aside] }
  }

  /** Compaction leaves gaps, and they stay when the topic is not compacted any more. */
  get #mayHaveGaps(): boolean {
    return this.#options.config.cleanupPolicy.compact || this.#options.cleanOffset !== undefined
  }

  #findMissing(segments: readonly Segment[]): void {
    const summed = this.#sums.baseOffsets
    const missing = findMissing(segments, summed, (segment) => this.#endOf(segment))
    // What lies below the log start was about to go.
    this.#damages.push(...missing.filter(({ to }) => to > this.#options.logStartOffset))
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
    snapshots: SnapshotFiles,
    { logEndOffset }: { logEndOffset: number },
    verified: VerifiedSegments,
  ): Promise<ProducerState> {
    const isUnchanged = verified.rebuilt.size === 0
    snapshots.removeWhere((offset) => offset > logEndOffset)
    const expirationMs = this.#options.config.producerIdExpirationMs
    const producers = new ProducerState({ expirationMs })
    const rebuilt = new Set(verified.rebuilt.keys())
    const atMost = Math.min(...Array.from(rebuilt, ({ baseOffset }) => baseOffset))
    const now = this.#clock.now()
    const damages = this.#damages
    const target = { segments, logEndOffset, producers, snapshots, now, damages }
    // From the one before the newest: then each producer's last batches are known, not just the last (RULES 3).
    await this.#paced(replayProducers(target, { skip: isUnchanged ? 0 : 1, atMost, rebuilt }))
    const hasRecords = logEndOffset > (segments[0]?.baseOffset ?? logEndOffset)
    const isMissing = this.#options.hadCleanShutdown && !snapshots.has(logEndOffset)
    if (snapshots.damaged.length > 0 || (hasRecords && isUnchanged && isMissing)) {
      const which =
        snapshots.damaged.length > 0
          ? 'A producer snapshot was damaged'
          : 'No producer snapshot was left'
      this.#repairs.push(`${which}: what it held was read from the log`)
    }
    if (hasRecords && !(isUnchanged && snapshots.has(logEndOffset))) {
      snapshots.write(logEndOffset, producers.snapshot())
      this.#isSettled = false
    }
    const bases = new Set(segments.map(({ baseOffset }) => baseOffset))
    snapshots.removeWhere((offset) => !bases.has(offset) && offset !== logEndOffset)
    return producers
  }

  /** The indexes of sealed segments; those of the last one stay in memory until it is sealed. */
  async #persist(
    segments: readonly Segment[],
    snapshots: SnapshotFiles,
    { rebuilt }: VerifiedSegments,
  ): Promise<void> {
    let isSealed = false
    for (const segment of rebuilt.keys()) {
      const next = segments[segments.indexOf(segment) + 1]
      if (!segments.includes(segment) || !next) continue
      await persistIndexes(this.#files, segment, snapshots.path(next.baseOffset))
      segment.release()
      this.#sums.add(segment.baseOffset)
      isSealed = true
    }
    if (!isSealed) return
    const sealed = new Set(segments.slice(0, -1).map(({ baseOffset }) => baseOffset))
    await this.#sums.save((baseOffset) => sealed.has(baseOffset))
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
    const created = Segment.create(this.#environment, logEndOffset, this.#clock.now())
    segments.push(created)
    // So that an empty log is complete from the beginning: no start and no stop has anything to write for it.
    created.writeIndexes()
    if (last) this.#isSettled = false
  }

  /**
   * Syncs the directory if anything in it was made or kept by a recovery. After a clean stop it was synced before the
   * marker was written. After a crash of a log that holds nothing new, it waits for the first durable append.
   */
  async #syncNames(segments: readonly Segment[], verified: VerifiedSegments): Promise<boolean> {
    const isNew = segments.some(({ isNameDurable }) => !isNameDurable)
    const isChanged = isNew || verified.rebuilt.size > 0 || !this.#isSettled
    if (isChanged) await this.#files.syncDirectory(this.#options.directory)
    const areDurable = isChanged || this.#options.hadCleanShutdown
    for (const segment of segments) segment.isNameDurable = areDurable
    return areDurable
  }

  /** Runs work that yields, and lets others have their turn in between. */
  async #paced<T>(work: Generator<Promise<void> | undefined | void, T>): Promise<T> {
    for (let step = work.next(); ; ) {
      if (step.done) return step.value
      try {
        if (step.value) await step.value
        await this.#slices.breathe()
      } catch (error) {
        // So that it closes its files.
        step = work.throw(error)
        continue
      }
      step = work.next()
    }
  }
}

/**
 * True when the first batch is of an epoch that is not known: records were deleted, and a crash took back the log start
 * but not the epochs.
 */
function lacksFirstEpoch(
  segments: readonly Segment[],
  { earliest }: LeaderEpochCache,
  logStartOffset: number,
): boolean {
  const first = segments.find(({ size }) => size > 0)
  if (!first || !earliest || earliest.startOffset <= logStartOffset) return false
  const header = first.withFile((file) => new BatchHeaderReader(file, first.size).peek(0))
  return header !== undefined && header.magic === 2 && header.baseOffset < earliest.startOffset
}

function parseEpochs(bytes: Uint8Array): EpochStart[] | undefined {
  try {
    return parseLeaderEpochs(bytes)
  } catch (error) {
    if (error instanceof StorageFault) return undefined
    throw error
  }
}
