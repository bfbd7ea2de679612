// Medians, ratios and verdicts, computed from what a run kept.
import type { CaseResult, SideResult, Target } from './result.ts'

/** A median with what lies around it. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
  readonly count: number
}

/** The median of numbers, with the lowest and highest; undefined of none. An even count takes the mean of the middle two. */
export function spread(numbers: readonly number[]): Spread | undefined {
  const sorted = numbers.filter((number) => Number.isFinite(number)).toSorted((a, b) => a - b)
  const [lowest, highest] = [sorted[0], sorted.at(-1)]
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  if (lowest === undefined || highest === undefined || low === undefined || high === undefined)
    return undefined
  return { median: (low + high) / 2, lowest, highest, count: sorted.length }
}

/** A metric of a side over its rounds. */
export function metricOf(side: SideResult, metric: string): Spread | undefined {
  return spread(valuesOf(side, metric).filter((value) => value !== undefined))
}

/** One side over another, round by round, so that what slowed a whole round down counts on both sides. */
export function ratioOf(of: SideResult, over: SideResult, metric: string): Spread | undefined {
  const below = valuesOf(over, metric)
  const ratios = valuesOf(of, metric).flatMap((value, round) => {
    const divisor = below[round]
    return value === undefined || divisor === undefined || divisor === 0 ? [] : [value / divisor]
  })
  return spread(ratios)
}

function valuesOf(side: SideResult, metric: string): (number | undefined)[] {
  return side.rounds.map((round) => round?.[metric])
}

/** What became of a target. */
export interface Judgement {
  readonly target: Target
  /** What is compared with the target; undefined when nothing was measured. */
  readonly found: Spread | undefined
  readonly verdict: 'hit' | 'missed' | 'not measured'
}

/** Judges a case by the medians of its targets' figures. */
export function judge(result: CaseResult): Judgement[] {
  const side = (name: string | undefined) => result.sides.find((one) => one.name === name)
  return result.targets.map((target) => {
    const [of, over] = [side(target.of), side(target.over)]
    const found =
      of === undefined || (target.over !== undefined && over === undefined)
        ? undefined
        : over === undefined
          ? metricOf(of, target.metric)
          : ratioOf(of, over, target.metric)
    return { target, found, verdict: verdictOf(target, found) }
  })
}

function verdictOf(target: Target, found: Spread | undefined): Judgement['verdict'] {
  if (found === undefined) return 'not measured'
  const isHit =
    target.comparison === '<=' ? found.median <= target.limit : found.median >= target.limit
  return isHit ? 'hit' : 'missed'
}
