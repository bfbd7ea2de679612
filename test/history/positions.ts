// The committed position of one group in one partition, as a register that is written and read while others do the same.
import { Floor } from './evidence.ts'

/** An attempt to commit. */
export interface Commit {
  readonly offset: number
  readonly invokedAt: number
  /** When it was acknowledged; undefined while, or for ever when, nobody knows whether it is kept. */
  ackedAt: number | undefined
}

/** When a read of the register took place: not before `since`, not after `until`. */
export interface Moment {
  readonly since: number
  readonly until: number
}

/** How long after it was asked for, a commit whose outcome nobody knows may still take effect. */
const unknownForMs = 30_000
/** How far back in time a read may reach. */
const horizonMs = 60_000

/** Which positions may be found committed. */
export class CommittedPosition {
  /** In the order in which they were asked for; those that nobody can find any more are dropped now and then. */
  #commits: Commit[] = []
  #pruneAt = 256
  readonly #tried = new Map<number, number>()
  readonly #kept = new Floor()
  #firstKeptAt = Number.POSITIVE_INFINITY

  /** A commit is asked for. */
  invoke(offset: number, at: number): Commit {
    const commit: Commit = { offset, invokedAt: at, ackedAt: undefined }
    this.#commits.push(commit)
    this.#tried.set(offset, (this.#tried.get(offset) ?? 0) + 1)
    return commit
  }

  /** It was acknowledged. */
  acknowledge(commit: Commit, at: number): void {
    commit.ackedAt = at
    this.#kept.raise(commit.offset, at)
    this.#firstKeptAt = Math.min(this.#firstKeptAt, at)
    if (this.#commits.length > this.#pruneAt) this.#prune(at)
  }

  /** It was refused: nobody may find it. */
  refuse(commit: Commit): void {
    this.#commits = this.#commits.filter((other) => other !== commit)
    this.#tried.set(commit.offset, (this.#tried.get(commit.offset) ?? 0) - 1)
  }

  /** The highest position that was surely committed before a moment; −1 for none. */
  highestBefore(at: number): number {
    return this.#kept.before(at)
  }

  /** True when somebody tried to commit this, at any time until now, and was not refused. */
  wasTried(offset: number): boolean {
    return (this.#tried.get(offset) ?? 0) > 0
  }

  /** What a read may find: every commit that was asked for and not surely overwritten; `none` when nothing may be there. */
  candidates({ since, until }: Moment): { offsets: number[]; none: boolean } {
    let latest = Number.NEGATIVE_INFINITY
    for (const { ackedAt, invokedAt } of this.#commits)
      if (ackedAt !== undefined && ackedAt < since) latest = Math.max(latest, invokedAt)
    const offsets = this.#commits
      .filter((commit) => commit.invokedAt <= until && (commit.ackedAt ?? until) >= latest)
      .map(({ offset }) => offset)
    return { offsets, none: this.#firstKeptAt >= since }
  }

  #prune(now: number): void {
    const old = now - horizonMs
    let latest = Number.NEGATIVE_INFINITY
    for (const { ackedAt, invokedAt } of this.#commits)
      if (ackedAt !== undefined && ackedAt < old) latest = Math.max(latest, invokedAt)
    this.#commits = this.#commits.filter(
      ({ ackedAt, invokedAt }) => (ackedAt ?? invokedAt + unknownForMs) >= latest,
    )
    this.#pruneAt = Math.max(256, this.#commits.length * 2)
  }
}
