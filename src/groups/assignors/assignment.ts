// Which partitions somebody has, and how two such sets compare.
import type { Uuid } from '#storage/base/uuid.ts'

/**
 * Partitions by topic id. In this form always: no topic has an empty list, partitions ascend without repeats, and nothing
 * is changed once it is made. The order of the topics means nothing.
 */
export type Assignment = ReadonlyMap<Uuid, readonly number[]>

/** No partition of any topic. */
export const EMPTY_ASSIGNMENT: Assignment = new Map()

/** The assignment that these pairs say in whatever order and however often. */
export function toAssignment(
  pairs: Iterable<readonly [topicId: Uuid, partitions: Iterable<number>]>,
): Assignment {
  const byTopic = new Map<Uuid, Set<number>>()
  for (const [topicId, partitions] of pairs) {
    const known = byTopic.get(topicId) ?? new Set()
    for (const partition of partitions) known.add(partition)
    if (known.size > 0) byTopic.set(topicId, known)
  }
  if (byTopic.size === 0) return EMPTY_ASSIGNMENT
  const sorted = (partitions: Iterable<number>) =>
    [...partitions].sort((left, right) => left - right)
  return new Map(Array.from(byTopic, ([topicId, partitions]) => [topicId, sorted(partitions)]))
}

/** Whether both hold the same partitions. */
export function sameAssignment(left: Assignment, right: Assignment): boolean {
  if (left === right) return true
  if (left.size !== right.size) return false
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId)
    if (others === partitions) continue
    if (others?.length !== partitions.length) return false
    for (let at = 0; at < partitions.length; at++) if (partitions[at] !== others[at]) return false
  }
  return true
}

/** What is in `left` and not in `right`. */
export function minus(left: Assignment, right: Assignment): Assignment {
  return filter(left, right, false)
}

/** What is in both. */
export function intersect(left: Assignment, right: Assignment): Assignment {
  return filter(left, right, true)
}

/** What is in either. */
export function union(left: Assignment, right: Assignment): Assignment {
  if (right.size === 0) return left
  return left.size === 0 ? right : toAssignment([...left, ...right])
}

/** Whether it holds no partition. */
export function isEmpty(assignment: Assignment): boolean {
  return assignment.size === 0
}

/** How many partitions it holds. */
export function countPartitions(assignment: Assignment): number {
  let count = 0
  for (const partitions of assignment.values()) count += partitions.length
  return count
}

/** The partitions of `left` that `right` has, or has not; `left` itself when that is all of them. */
function filter(left: Assignment, right: Assignment, isWanted: boolean): Assignment {
  const result = new Map<Uuid, readonly number[]>()
  let isWhole = true
  for (const [topicId, partitions] of left) {
    const chosen = filterSorted(partitions, right.get(topicId) ?? [], isWanted)
    if (chosen.length > 0) result.set(topicId, chosen)
    if (chosen.length < partitions.length) isWhole = false
  }
  if (isWhole) return left
  return result.size === 0 ? EMPTY_ASSIGNMENT : result
}

function filterSorted(
  partitions: readonly number[],
  others: readonly number[],
  isWanted: boolean,
): readonly number[] {
  const chosen: number[] = []
  let at = 0
  for (const partition of partitions) {
    while (at < others.length && (others[at] ?? 0) < partition) at++
    if ((others[at] === partition) === isWanted) chosen.push(partition)
  }
  return chosen.length === partitions.length ? partitions : chosen
}
