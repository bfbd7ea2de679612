// The table of cases of the comparison with Kafka: who does what to whom, and which figure each is held to.
import type { BenchCase } from './case.ts'
import {
  durableCases,
  javaMatrix,
  javaProduceCases,
  nativeProduceCases,
  startCases,
} from './produce-cases.ts'
import { consumeCases, latencyCases, mixedCases } from './read-cases.ts'

/** All cases, in the order of a run. */
export const cases: readonly BenchCase[] = [
  ...startCases,
  ...javaProduceCases,
  ...nativeProduceCases,
  ...durableCases,
  ...consumeCases,
  ...latencyCases,
  ...mixedCases,
  ...javaMatrix,
]

/** The cases of a set, or those that are named; names that there are not are refused. */
export function chosenCases(set: string, only: readonly string[]): readonly BenchCase[] {
  const unknown = only.filter((name) => !cases.some((one) => one.name === name))
  if (unknown.length > 0)
    throw new Error(
      `No case ${unknown.join(', ')}: there are ${cases.map(({ name }) => name).join(', ')}`,
    )
  if (only.length > 0) return cases.filter(({ name }) => only.includes(name))
  if (set === 'all') return cases
  if (set !== 'core' && set !== 'rest')
    throw new Error(`There is no set ${set}: core, rest (all others) or all`)
  return cases.filter(({ isCore }) => isCore === (set === 'core'))
}
