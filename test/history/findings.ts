// The kinds of anomalies, and what was found of each.

/** Everything that a checked history can have; README.md says what each means. */
export const anomalyKinds = [
  'lost-write',
  'unseen',
  'duplicate',
  'inconsistent-offsets',
  'invented-value',
  'refused-value',
  'reordered-write',
  'poll-skip',
  'nonmonotonic-poll',
  'unowned-poll',
  'group-skip',
  'lost-commit',
  'invented-commit',
  'committed-back',
  'zombie-commit',
  'two-owners',
] as const
/** One of them. */
export type AnomalyKind = (typeof anomalyKinds)[number]

/** Anomalies as they are found: all are counted, the first few of a kind are told. */
export class Findings {
  readonly counts = new Map<AnomalyKind, number>()
  /** A sentence each, opened by the kind: at most ten of a kind. */
  readonly anomalies: string[] = []

  add(kind: AnomalyKind, sentence: string): void {
    const count = (this.counts.get(kind) ?? 0) + 1
    this.counts.set(kind, count)
    if (count <= 10) this.anomalies.push(`${kind}: ${sentence}`)
  }

  /** The kinds that were found. */
  get kinds(): AnomalyKind[] {
    return anomalyKinds.filter((kind) => this.counts.has(kind))
  }
}
