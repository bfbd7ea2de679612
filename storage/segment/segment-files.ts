// Names of the files that belong to one segment, and of what is kept aside beside them.

/** The kinds of file that a segment may have; the name is its base offset (or, for a snapshot, an offset) in 20 digits. */
export type SegmentFileKind = 'log' | 'index' | 'timeindex' | 'txnindex' | 'snapshot'

/** A file name of a partition directory, taken apart. */
export interface SegmentFileName {
  readonly offset: number
  readonly kind: SegmentFileKind
  /**
   * Kafka's work suffixes: `deleted` awaits removal, `cleaned` and `swap` are a compaction's stages. What awaits removal
   * beside a file of the same name has a number in front: `.1.deleted`.
   */
  readonly suffix: '' | 'deleted' | 'cleaned' | 'swap'
}

const PATTERN =
  /^(\d{20})\.(log|index|timeindex|txnindex|snapshot)(?:(?:\.\d+)?\.(deleted)|\.(cleaned|swap))?$/

/** `00000000000000000042.log` */
export function segmentFileName(offset: number, kind: SegmentFileKind): string {
  return `${String(offset).padStart(20, '0')}.${kind}`
}

/** The path of a segment's file. */
export function segmentPath(directory: string, offset: number, kind: SegmentFileKind): string {
  return `${directory}/${segmentFileName(offset, kind)}`
}

/** The path of bytes that recovery cut away (RULES 14): a plain file, which Kafka ignores. */
export function cutPath(directory: string, offset: number, nowMs: number): string {
  return `${segmentPath(directory, offset, 'log')}.cut-${nowMs}`
}

/** Takes a name apart; undefined when it is none of a segment's files. */
export function parseSegmentFileName(name: string): SegmentFileName | undefined {
  const match = PATTERN.exec(name)
  if (!match) return undefined
  const offset = Number(match[1])
  if (!Number.isSafeInteger(offset)) return undefined
  const kind = match[2] as SegmentFileKind
  return { offset, kind, suffix: (match[3] ?? match[4] ?? '') as SegmentFileName['suffix'] }
}
