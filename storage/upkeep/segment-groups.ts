// Which segments become one.

/** What decides about one segment. */
export interface GroupedSegment {
  readonly baseOffset: number
  readonly size: number
  /** Of its offset index and its time index. */
  readonly indexBytes: number
  readonly timeIndexBytes: number
}

/** What one segment may hold. */
export interface GroupLimits {
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  /** Where the last segment ends. */
  readonly endOffset: number
}

const LARGEST_RELATIVE_OFFSET = 2_147_483_647

/**
 * Runs of neighbours that fit one segment as they are, before anything of them is removed (Kafka's
 * `Cleaner.groupSegmentsBySize`): compacted logs would come to consist of ever smaller segments.
 */
export function groupSegments<T extends GroupedSegment>(
  segments: readonly T[],
  { segmentBytes, segmentIndexBytes, endOffset }: GroupLimits,
): T[][] {
  const groups: T[][] = []
  let sum = { size: 0, indexBytes: 0, timeIndexBytes: 0, baseOffset: 0 }
  for (const [index, segment] of segments.entries()) {
    const { size, indexBytes, timeIndexBytes, baseOffset } = segment
    // Its last offset is not known without a look into it; the next one's base is a bound.
    const lastOffset = (segments[index + 1]?.baseOffset ?? endOffset) - 1
    const fits =
      sum.size + size <= segmentBytes &&
      sum.indexBytes + indexBytes <= segmentIndexBytes &&
      sum.timeIndexBytes + timeIndexBytes <= segmentIndexBytes &&
      (size === 0 || lastOffset - sum.baseOffset <= LARGEST_RELATIVE_OFFSET)
    const group = groups.at(-1)
    if (group && fits) {
      group.push(segment)
      sum = {
        size: sum.size + size,
        indexBytes: sum.indexBytes + indexBytes,
        timeIndexBytes: sum.timeIndexBytes + timeIndexBytes,
        baseOffset: sum.baseOffset,
      }
    } else {
      groups.push([segment])
      sum = { size, indexBytes, timeIndexBytes, baseOffset }
    }
  }
  return groups
}
