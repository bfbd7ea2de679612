// Cuts a log: what must be on disk before, what goes in which order, and what is known of the log behind it.
import { orFault } from '../fs/failures.ts'
import { ProducerState } from '../state/producer-state.ts'
import type { CleanEnd } from './clean-end.ts'
import type { LogConfig } from './log-config.ts'
import type { LogParts } from './log-parts.ts'
import type { LogSegments } from './log-segments.ts'
import { replayProducersNow } from './replay.ts'

/** The log that is cut, as it is. */
export interface CutLog {
  readonly config: LogConfig
  readonly highWatermark: number
  readonly recoveryPoint: number
}

/** What became of a cut. */
export interface Truncated {
  /** Where the log ends now. */
  readonly end: number
  /** All of it was removed, and the log starts at `end`. */
  readonly isEmptied: boolean
  /** What kept it from being carried out as a whole: then less was cut off, and the log is whole all the same. */
  readonly refusal: unknown
}

/**
 * Cuts segments, and with them epochs, producers and snapshots. Whatever may be refused is done before anything goes, as
 * far as that can be; then the last segments go first. Each throws when nothing was cut off.
 *
 * First of all the recovery point is set back, on disk: a crash that comes behind it finds a shorter log, and must not
 * take that for damage. What was cut off may come back with that crash, as after any cut.
 */
export class LogTruncation {
  readonly #parts: LogParts
  readonly #segments: LogSegments
  readonly #cleanEnd: CleanEnd

  constructor(parts: LogParts, segments: LogSegments, cleanEnd: CleanEnd) {
    this.#parts = parts
    this.#segments = segments
    this.#cleanEnd = cleanEnd
  }

  /** Cuts off what lies at and beyond `offset`, which is in the log. */
  cutTo(offset: number, log: CutLog): Truncated {
    const { baseOffset } = this.#segments.floor(offset)
    this.#fence(baseOffset, Math.min(log.recoveryPoint, baseOffset))
    const producers = this.#producersAt(offset, log)
    const { end, refusal } = this.#segments.cutTo(offset, {
      isBelowWatermark: offset < log.highWatermark,
      removeAfterMs: log.config.fileDeleteDelayMs,
    })
    if (end === undefined) throw refusal
    if (end === offset) this.#endAt(end, producers)
    else this.#endShort(end, log)
    return { end, isEmptied: false, refusal }
  }

  /** Removes everything; the log goes on at `offset`. */
  restartAt(offset: number, log: CutLog): Truncated {
    const { snapshots, epochs, producers } = this.#parts
    this.#fence(0, 0)
    // One at the new beginning would be taken for what is known there.
    snapshots.removeWhere((snapshot) => snapshot >= offset)
    const { end, refusal } = this.#segments.restartAt(offset, log.config.fileDeleteDelayMs)
    if (end === undefined) throw refusal
    if (refusal !== undefined) {
      this.#endShort(end, log)
      return { end, isEmptied: false, refusal }
    }
    snapshots.removeWhere(() => true)
    epochs.clear()
    producers.clear(offset)
    return { end, isEmptied: true, refusal }
  }

  #fence(baseOffset: number, recoveryPoint: number): void {
    const { observer, topicPartition } = this.#parts
    observer.beforeCut?.(topicPartition, recoveryPoint)
    this.#cleanEnd.aboutToCut(baseOffset)
  }

  /** It was refused halfway: nobody has looked yet at what is known there. */
  #endShort(end: number, log: CutLog): void {
    const producers = orFault('Truncating', () => this.#producersAt(end, log))
    this.#endAt(end, producers)
  }

  #endAt(end: number, producers: ProducerState): void {
    this.#parts.epochs.truncateFromEnd(end)
    this.#parts.producers.become(producers)
    this.#parts.snapshots.removeWhere((snapshot) => snapshot > end)
  }

  /** What is known of producers when the log ends at `offset`. */
  #producersAt(offset: number, { config }: CutLog): ProducerState {
    const { environment, snapshots, damages } = this.#parts
    const producers = new ProducerState({ expirationMs: config.producerIdExpirationMs })
    replayProducersNow({
      segments: this.#segments.list.filter(({ baseOffset }) => baseOffset < offset),
      logEndOffset: offset,
      producers,
      snapshots,
      now: environment.clock.now(),
      damages: [...damages],
    })
    return producers
  }
}
