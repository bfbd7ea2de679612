// Finds out that a log lacks a segment in its middle.
import type { Segment } from '../segment/segment.ts'
import { type DamagedRange, floorSegment } from './segment-search.ts'

/**
 * The gaps where segments were of which the sums speak, and whose files somebody took away: what is left would read as if
 * their offsets had never been. Only for logs that are not compacted; those have gaps of their own. `endOf` reads the
 * offset behind a segment's last batch, and is asked only where something is missing: the sums may also speak of segments
 * that a cut or retention took.
 */
export function findMissing(
  segments: readonly Segment[],
  summed: ReadonlySet<number>,
  endOf: (segment: Segment) => number | undefined,
): DamagedRange[] {
  const present = new Set(segments.map(({ baseOffset }) => baseOffset))
  const found = new Map<number, DamagedRange>()
  for (const base of summed) {
    const floor = floorSegment(segments, base)
    const before = segments[floor]
    const next = segments[floor + 1]
    if (present.has(base) || !before || !next || found.has(before.baseOffset)) continue
    const from = endOf(before)
    if (from === undefined || from > base) continue
    const { baseOffset: segmentBaseOffset, size: position } = before
    found.set(segmentBaseOffset, { from, to: next.baseOffset, segmentBaseOffset, position })
  }
  return Array.from(found.values())
}
