// What a step of a classic group wants to be written.
import type { KafkaError } from '#storage/base/errors.ts'
import type { GroupPlan } from '../group-parts.ts'
import type { GroupRecord } from '../group-record.ts'

/** A plan without an answer: what members wait for is kept with the members. */
export interface Effect {
  readonly records: readonly GroupRecord[]
  /** As in `Plan`. */
  readonly settled?: (error: KafkaError | undefined) => void
}

/** Nothing is to be written. */
export const NOTHING: Effect = { records: [] }

/** The plan that writes this and answers so. */
export function planOf<Answer>(
  effect: Effect,
  answer: Answer | Promise<Answer>,
): GroupPlan<Answer> {
  return { ...effect, answer }
}
