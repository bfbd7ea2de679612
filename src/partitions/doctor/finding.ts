// What the doctor says about a data directory.

/** One observation. */
export interface Finding {
  /** A path, or the name of a partition or topic. */
  readonly subject: string
  /** A blocker keeps a broker from starting, or from serving something; a warning asks for a look; a note tells. */
  readonly severity: 'blocker' | 'warning' | 'note'
  /** Whose start it concerns. */
  readonly concerns: 'millrace' | 'kafka' | 'both'
  /** A sentence without a full stop. */
  readonly message: string
  /** What to do about it, in the same form. */
  readonly fix?: string
}

/** Collects findings. */
export type Report = (finding: Finding) => void
