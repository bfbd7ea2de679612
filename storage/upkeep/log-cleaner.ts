// Compacts logs in the background: which one is next, and what becomes of those that can't be compacted.
//
// Life: `start` → one log after the other, the filthiest first; when nothing is due, a pause → `stop`. A log that is about
// to go away is `release`d first. Small logs are read on the loop, in
// slices; large ones in threads of their own. What decides, and what takes its place in a log, stays on the loop.
import { AssertionError, KafkaError, StorageFault } from '../base/errors.ts'
import { TimeSlices } from '../base/time-slices.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { Timer } from '../base/world.ts'
import { failureKind } from '../fs/failures.ts'
import { CleaningAborted, type LogCleaning } from '../log/log-cleaning.ts'
import type { LogEnvironment } from '../log/log-parts.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { type CleanedLog, cleanLog } from './clean-log.ts'
import { assessLog, type CleanableRange } from './cleanable.ts'
import { Throttle } from './throttle.ts'

/** How logs are compacted, in Kafka's names. May change at any time; a cleaning goes on as it was begun. */
export interface CleanerSettings {
  /** `log.cleaner.enable` */
  readonly isEnabled: boolean
  /** `log.cleaner.threads`: how many logs at a time. */
  readonly threads: number
  /** `log.cleaner.dedupe.buffer.size`, for all of them together. Taken only while a log is compacted. */
  readonly dedupeBufferBytes: number
  /** `log.cleaner.io.buffer.load.factor` */
  readonly loadFactor: number
  /** `log.cleaner.io.buffer.size`, for all of them together. */
  readonly ioBufferBytes: number
  /** `log.cleaner.io.max.bytes.per.second` */
  readonly ioBytesPerSecond: number
  /** `log.cleaner.backoff.ms` */
  readonly backoffMs: number
}

/** Kafka's defaults. */
export const DEFAULT_CLEANER_SETTINGS: CleanerSettings = {
  isEnabled: true,
  threads: 1,
  dedupeBufferBytes: 134_217_728,
  loadFactor: 0.9,
  ioBufferBytes: 524_288,
  ioBytesPerSecond: Infinity,
  backoffMs: 15_000,
}

/** Where the cleaner keeps how far each log is clean: `cleaner-offset-checkpoint`. */
export interface CleanerCheckpoint {
  /** Undefined when the log was never compacted. */
  get(log: PartitionLog): number | undefined
  /** On disk when it resolves. */
  set(log: PartitionLog, firstDirtyOffset: number): Promise<void>
  /** Resolves when the recovery point of the log's directory is on disk: what it covers may come to have gaps. */
  saveRecoveryPoint(log: PartitionLog): Promise<void>
}

/** What a cleaner works on. */
export interface CleanerParts {
  readonly environment: LogEnvironment
  /** All logs, compacted or not. */
  readonly logs: () => Iterable<PartitionLog>
  readonly checkpoint: CleanerCheckpoint
  readonly settings: () => CleanerSettings
  /** Told once of each log that can't be compacted, and of what is tried again. */
  readonly onProblem: (error: unknown) => void
}

/** One cleaning that has ended well. */
export interface Cleaned extends TopicPartition, CleanedLog {}

interface Candidate {
  readonly log: PartitionLog
  readonly range: CleanableRange
}

interface Running {
  readonly cleaning: LogCleaning
  done: Promise<unknown>
}

/** How long the cleaner may hold the loop at a time: about as long as a request does, since nobody waits for it. */
const SLICE_MS = 0.25
const LARGEST_MAP_BYTES = 2_147_483_647

/** The cleaner of all logs. */
export class LogCleaner {
  readonly #parts: CleanerParts
  readonly #slices: TimeSlices
  readonly #throttle: Throttle
  readonly #running = new Map<PartitionLog, Running>()
  readonly #uncleanable = new Map<PartitionLog, string>()
  /** Logs whose refusal was told, so that a full disk is told once. */
  readonly #refused = new WeakSet<PartitionLog>()
  #timer: Timer | undefined
  #isStopped = false

  constructor(parts: CleanerParts) {
    const { clock } = parts.environment
    this.#parts = parts
    this.#slices = new TimeSlices(clock, SLICE_MS, { givesWay: true })
    this.#throttle = new Throttle(clock, () => parts.settings().ioBytesPerSecond)
  }

  /** Logs that can't be compacted, and why. They stay so until the next start. */
  get uncleanable(): { readonly partition: TopicPartition; readonly reason: string }[] {
    return Array.from(this.#uncleanable, ([{ topicPartition: partition }, reason]) => {
      return { partition, reason }
    })
  }

  /** Begins to compact what is due, now and after each pause. */
  start(): void {
    this.#schedule()
  }

  /** Ends it, whatever is under way; resolves when nothing is any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    for (const { cleaning } of this.#running.values()) cleaning.giveUp()
    await Promise.all(Array.from(this.#running.values(), ({ done }) => done))
  }

  /** Gives a log up that goes away; resolves when nothing of it is under way. */
  async release(log: PartitionLog): Promise<void> {
    const running = this.#running.get(log)
    running?.cleaning.giveUp()
    await running?.done
    this.#uncleanable.delete(log)
  }

  /**
   * Compacts every compacted log now, due or not; what may not be compacted yet stays. Resolves with what was done when
   * all of it is. What fails is reported, not thrown.
   */
  async cleanNow(): Promise<Cleaned[]> {
    const cleaned: Cleaned[] = []
    for (const log of Array.from(this.#parts.logs())) {
      await this.#running.get(log)?.done
      const candidate = await this.#assess(log)
      const hasAny = (candidate?.range.firstUncleanableOffset ?? 0) > log.logStartOffset
      if (!candidate || !hasAny) continue
      const done = await this.#clean(candidate)
      if (done) cleaned.push(done)
    }
    return cleaned
  }

  #schedule(): void {
    if (this.#isStopped) return
    const { environment, settings } = this.#parts
    this.#timer = environment.clock.after(settings().backoffMs, () => void this.#work())
  }

  /** Begins as many cleanings as may run. Each begins the next one when it has ended well; then comes a pause. */
  async #work(): Promise<void> {
    const { isEnabled, threads } = this.#parts.settings()
    try {
      while (!this.#isStopped && isEnabled && this.#running.size < threads) {
        const candidate = await this.#filthiest()
        if (!candidate || this.#isStopped || this.#running.has(candidate.log)) break
        // After a failure the pause that is coming is due.
        void this.#clean(candidate).then((cleaned) => cleaned && this.#work())
      }
    } catch (error) {
      this.#parts.onProblem(error)
    }
    this.#timer?.cancel()
    this.#schedule()
  }

  async #filthiest(): Promise<Candidate | undefined> {
    let filthiest: Candidate | undefined
    for (const log of Array.from(this.#parts.logs())) {
      await this.#slices.breathe()
      const candidate = await this.#assess(log)
      if (!candidate?.range.isDue) continue
      if (candidate.range.dirtyRatio > (filthiest?.range.dirtyRatio ?? -1)) filthiest = candidate
    }
    return filthiest
  }

  /** Undefined when the log is not to be compacted. */
  async #assess(log: PartitionLog): Promise<Candidate | undefined> {
    if (!log.config.cleanupPolicy.compact || log.fault || this.#isStopped) return undefined
    if (this.#running.has(log) || this.#uncleanable.has(log)) return undefined
    const { checkpoint, environment } = this.#parts
    const now = environment.clock.now()
    try {
      const start = log.passOldSegments(now)
      const hasAny = (log.segments[1]?.baseOffset ?? Infinity) <= start
      // Whoever has moved the start; on a full disk they go all the same.
      if (hasAny) await log.whenStartSaved().catch(() => undefined)
      log.deleteOldSegments(now, start)
      const range = assessLog(log, checkpoint.get(log), now)
      if (range.isReset) await checkpoint.set(log, range.firstDirtyOffset)
      return { log, range }
    } catch (error) {
      this.#fail(log, error)
      return undefined
    }
  }

  /** Cleans a log; undefined when that failed, which is reported. */
  async #clean(candidate: Candidate): Promise<Cleaned | undefined> {
    const { log } = candidate
    let cleaning: LogCleaning | undefined
    try {
      cleaning = log.beginCleaning()
      if (!cleaning) return undefined
      const { checkpoint, environment } = this.#parts
      // While it was compared with others it may have changed.
      const range = assessLog(log, checkpoint.get(log), environment.clock.now())
      const work = this.#cleanLog({ log, range }, cleaning)
      const running = { cleaning, done: work.catch(() => undefined) }
      this.#running.set(log, running)
      return await work
    } catch (error) {
      this.#fail(log, cleaning?.report(error) ?? error)
      return undefined
    } finally {
      cleaning?.end()
      this.#running.delete(log)
    }
  }

  async #cleanLog({ log, range }: Candidate, cleaning: LogCleaning): Promise<Cleaned> {
    const { checkpoint, environment, settings } = this.#parts
    const { threads, dedupeBufferBytes, loadFactor, ioBufferBytes } = settings()
    const share = Math.max(1, threads)
    await checkpoint.saveRecoveryPoint(log)
    // Gaps are no damage, also if a crash comes before the end and the log is not compacted any more.
    if (checkpoint.get(log) === undefined) await checkpoint.set(log, range.firstDirtyOffset)
    cleaning.check()
    const cleaned = await cleanLog(log, cleaning, range, {
      maps: environment.maps,
      random: environment.random,
      slices: this.#slices,
      throttle: this.#throttle,
      ...(environment.startThread && { startThread: environment.startThread }),
      threads: share,
      now: environment.clock.now(),
      mapBytes: Math.min(LARGEST_MAP_BYTES, Math.floor(dedupeBufferBytes / share)),
      loadFactor,
      bufferBytes: Math.max(1, Math.floor(ioBufferBytes / share / 2)),
    })
    cleaning.check()
    await checkpoint.set(log, cleaned.firstDirtyOffset)
    this.#refused.delete(log)
    return { ...log.topicPartition, ...cleaned }
  }

  /** A fault has taken the directory offline, and was told there. A full disk may get room. Anything else stays as it is. */
  #fail(log: PartitionLog, error: unknown): void {
    if (error instanceof AssertionError) throw error
    if (error instanceof CleaningAborted || error instanceof StorageFault) return
    // Closed or deleted meanwhile.
    if (!Array.from(this.#parts.logs()).includes(log)) return
    const name = partitionName(log.topicPartition)
    const isOfSystem = error instanceof KafkaError && error.code === 'KAFKA_STORAGE_ERROR'
    if (failureKind(error) === 'refusal' && (isOfSystem || !(error instanceof KafkaError))) {
      if (!this.#refused.has(log)) this.#parts.onProblem(error)
      this.#refused.add(log)
      return
    }
    const reason = error instanceof Error ? error.message : String(error)
    this.#uncleanable.set(log, reason)
    const detail = `${name} is not compacted any more: ${reason}`
    this.#parts.onProblem(new KafkaError('CORRUPT_MESSAGE', detail, { cause: error }))
  }
}
