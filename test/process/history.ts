// What clients did and what was found afterwards, and whether the two agree: the checker of the crash tests.
import type { ReadRecord } from './broker-process.ts'

/** One attempt to produce a value. Values are unique; a writer sends its values one after the other. */
export interface Attempt {
  readonly writer: string
  readonly value: string
  /** Where the broker said that it put the value; undefined when no answer came: then it may be there or not. */
  acknowledged?: { readonly partition: number; readonly offset: number }
}

/**
 * Compares the attempts with everything that was read, and returns a sentence for each contradiction: a lost write, a
 * value at another offset than acknowledged, a value twice, one that nobody sent, offsets with gaps, or a writer's values
 * out of order within a partition.
 */
export function contradictions(
  attempts: readonly Attempt[],
  partitions: ReadonlyMap<number, readonly Pick<ReadRecord, 'offset' | 'value'>[]>,
): string[] {
  const found: string[] = []
  const places = new Map<unknown, string>()
  const sent = new Map(attempts.map((attempt, order) => [attempt.value, { attempt, order }]))
  const short = (value: unknown) => String(value).slice(0, 60)
  for (const [partition, records] of partitions) {
    const latest = new Map<string, number>()
    for (const [index, { offset, value }] of records.entries()) {
      const place = `${partition}@${offset}`
      const before = records[index - 1]?.offset ?? -1
      if (offset !== before + 1) found.push(`Offset ${place} follows ${before}`)
      const origin = typeof value === 'string' ? sent.get(value) : undefined
      if (origin === undefined) found.push(`${place} holds ${short(value)}, which nobody sent`)
      if (places.has(value)) found.push(`${short(value)} is at ${places.get(value)} and ${place}`)
      places.set(value, place)
      if (origin === undefined) continue
      const { writer } = origin.attempt
      if (origin.order < (latest.get(writer) ?? -1))
        found.push(`${short(value)} at ${place} stands behind a later value of ${writer}`)
      latest.set(writer, origin.order)
    }
  }
  for (const { value, acknowledged } of attempts) {
    if (acknowledged === undefined) continue
    const place = `${acknowledged.partition}@${acknowledged.offset}`
    const actual = places.get(value)
    if (actual === undefined) found.push(`${short(value)}, acknowledged at ${place}, is lost`)
    else if (actual !== place)
      found.push(`${short(value)}, acknowledged at ${place}, is at ${actual}`)
  }
  return found
}
