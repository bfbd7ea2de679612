// Reads sealed segments once, in the background, and compares every batch with its checksum (RULES 13).
//
// Life: `start` → a round now and then, one segment after the other, slow → `stop`. What is damaged is told, and not served
// from then on. What is sound is noted in `millrace.sums`, so that no start reads it again.
import { KafkaError, systemCode } from '../base/errors.ts'
import { TimeSlices } from '../base/time-slices.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { Timer } from '../base/world.ts'
import type { LogEnvironment } from '../log/log-parts.ts'
import { ScrubAborted } from '../log/log-scrub.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { DamagedRange } from '../log/segment-search.ts'
import type { Segment } from '../segment/segment.ts'
import { scrubSegment } from './scrub-segment.ts'

/** What a scrubber works on. */
export interface ScrubberParts {
  readonly environment: LogEnvironment
  readonly logs: () => Iterable<PartitionLog>
  /** `millrace.scrub.max.bytes.per.second`, asked each time; 0 for no scrub. */
  readonly bytesPerSecond: () => number
  /** Told of what is damaged, once, and of what fails. */
  readonly onProblem: (error: unknown) => void
}

/** What was found in a log since the start. */
export interface ScrubFinding extends TopicPartition {
  readonly directory: string
  readonly damages: readonly DamagedRange[]
  /** Base offsets of segments whose time index was made anew. */
  readonly rebuiltIndexes: readonly number[]
}

/** For metrics. */
export interface ScrubStats {
  readonly segments: number
  readonly bytes: number
  readonly damages: number
}

/** Between two rounds, and before the first. */
const PAUSE_MS = 60_000
/** As the cleaner: nobody waits for it. */
const SLICE_MS = 0.25

/** The scrubber of all logs. */
export class LogScrubber {
  readonly #parts: ScrubberParts
  readonly #slices: TimeSlices
  readonly #findings = new Map<PartitionLog, { damages: DamagedRange[]; rebuilt: number[] }>()
  readonly #stats = { segments: 0, bytes: 0, damages: 0 }
  #timer: Timer | undefined
  #running: Promise<void> | undefined
  /** On the monotonic clock: when all that was read so far is paid for. */
  #paidAt = 0
  #wake: (() => void) | undefined
  #isStopped = false

  constructor(parts: ScrubberParts) {
    this.#parts = parts
    this.#slices = new TimeSlices(parts.environment.clock, SLICE_MS)
  }

  /** What was found in logs that are still there. */
  get findings(): ScrubFinding[] {
    const here = new Set(this.#parts.logs())
    return Array.from(this.#findings)
      .filter(([log]) => here.has(log))
      .map(([{ topicPartition, directory }, { damages, rebuilt: rebuiltIndexes }]) => {
        return { ...topicPartition, directory, damages, rebuiltIndexes }
      })
  }

  get stats(): ScrubStats {
    return { ...this.#stats }
  }

  /** Begins the rounds. */
  start(): void {
    if (this.#isStopped) return
    const { clock } = this.#parts.environment
    this.#timer = clock.after(PAUSE_MS, () => {
      void this.scrubNow().then(() => this.start())
    })
  }

  /** Ends it; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#wake?.()
    await this.#running
  }

  /** One round, or the rest of the one under way: all that was sealed and not read since. What fails is reported. */
  scrubNow(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #round(): Promise<void> {
    for (const log of Array.from(this.#parts.logs())) {
      await this.#slices.breathe()
      if (this.#isStopped || this.#parts.bytesPerSecond() === 0) return
      try {
        await this.#scrub(log)
      } catch (error) {
        // A log that was deleted meanwhile has no files.
        const problem = systemCode(error) === 'ENOENT' ? undefined : log.scrub.report(error)
        if (problem !== undefined) this.#parts.onProblem(problem)
      }
    }
  }

  async #scrub(log: PartitionLog): Promise<void> {
    try {
      for (const segment of log.scrub.pending()) await this.#scrubOne(log, segment)
    } finally {
      await log.scrub.save()
    }
  }

  async #scrubOne(log: PartitionLog, segment: Segment): Promise<void> {
    const { generation } = segment
    const { files, maps, buffers } = this.#parts.environment
    const check = () => {
      if (this.#isStopped) throw new ScrubAborted('The scrubber was stopped')
      log.scrub.check(segment, generation)
    }
    await this.#slices.breathe()
    check()
    if (log.scrub.isKnownSound(segment)) return
    const damages = await scrubSegment(segment, log.scrub.endOf(segment), {
      files,
      maps,
      buffers,
      slices: this.#slices,
      pace: (bytes) => this.#pace(bytes),
      check,
    })
    check()
    const isRepaired = await log.scrub.repairIndexes(segment)
    this.#stats.segments++
    this.#note(log, segment, log.scrub.settle(segment, damages), isRepaired)
  }

  #note(
    log: PartitionLog,
    { baseOffset, path }: Segment,
    damages: readonly DamagedRange[],
    isRepaired: boolean,
  ): void {
    if (damages.length === 0 && !isRepaired) return
    const finding = this.#findings.get(log) ?? { damages: [], rebuilt: [] }
    this.#findings.set(log, finding)
    finding.damages.push(...damages)
    if (isRepaired) finding.rebuilt.push(baseOffset)
    this.#stats.damages += damages.length
    const name = partitionName(log.topicPartition)
    for (const { from, to, position } of damages) {
      const detail = `${name}: offsets ${from} to ${to - 1} fail their checksum at position ${position} of ${path} and are not served`
      this.#parts.onProblem(new KafkaError('CORRUPT_MESSAGE', detail))
    }
  }

  /** Waits until what was read before is paid for. */
  async #pace(bytes: number): Promise<void> {
    const { clock } = this.#parts.environment
    const now = clock.monotonic()
    const rate = this.#parts.bytesPerSecond()
    if (rate === 0) throw new ScrubAborted('The scrubber was switched off')
    const waitMs = this.#paidAt - now
    this.#paidAt = Math.max(this.#paidAt, now) + (1000 * bytes) / rate
    this.#stats.bytes += bytes
    if (waitMs <= 0) return
    await new Promise<void>((resolve) => {
      const timer = clock.after(waitMs, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#wake = undefined
  }
}
