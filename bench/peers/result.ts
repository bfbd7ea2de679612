// What a bench beside others keeps of a run: the form of bench/results/*.json, from which docs/benchmarks.md is made.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Values of one run of one side, by name. The unit comes last in a name: `p99Us`, `rssMib`, `cpuPerMillion` (CPU seconds). */
export type Metrics = Readonly<Record<string, number>>

/** What a side of a case did, round by round. */
export interface SideResult {
  readonly name: string
  readonly title: string
  /** In the order of the rounds; undefined is a round that failed. */
  readonly rounds: readonly (Metrics | null)[]
  /** Why rounds failed, a sentence each. */
  readonly failures: readonly string[]
}

/** A figure that a case is held to. */
export interface Target {
  readonly metric: string
  readonly of: string
  /** The side that `of` is divided by, round by round; without it the figure itself counts. */
  readonly over?: string
  readonly comparison: '<=' | '>='
  readonly limit: number
  /** What is promised by it, or why it is as it is. */
  readonly note?: string
}

/** One case of a run. */
export interface CaseResult {
  readonly name: string
  readonly title: string
  /** The heading that it stands under. */
  readonly group: string
  readonly sides: readonly SideResult[]
  readonly targets: readonly Target[]
}

/** A limit of the machine itself, measured in the same run, once for each round. */
export interface Limit {
  readonly name: string
  readonly unit: string
  readonly values: readonly number[]
}

/** Where it ran. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGib: number
  readonly system: string
  readonly fileSystem: string
  readonly versions: Readonly<Record<string, string>>
  /** The load average of a minute when the run began: what else the machine was doing. */
  readonly loadBefore: number
}

/** A whole run. */
export interface BenchResult {
  readonly schema: 1
  readonly bench: string
  readonly title: string
  /** How it was called. */
  readonly command: string
  readonly startedAt: string
  readonly minutes: number
  readonly rounds: number
  /** How large the loads were, where 1 is as the table of cases has them; less is a trial and proves nothing. */
  readonly scale: number
  readonly machine: Machine
  readonly limits: readonly Limit[]
  readonly cases: readonly CaseResult[]
}

/** Reads a file that `saveResult` wrote. */
export function loadResult(path: string): BenchResult {
  const result: BenchResult = JSON.parse(readFileSync(path, 'utf8'))
  if (result.schema !== 1) throw new Error(`${path} has the schema ${result.schema}, not 1`)
  return result
}

/** Writes a run, numbers with five digits, small objects on one line. */
export function saveResult(path: string, result: BenchResult): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${resultText(result)}\n`)
}

/** A run as text. */
export function resultText(result: BenchResult): string {
  const short = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value
  const text = JSON.stringify(result, short, 2)
  return text.replace(/([[{])\n\s+([^[\]{}]+?)\n\s+([\]}])/g, (_all, open, inside, close) => {
    const space = open === '{' ? ' ' : ''
    return `${open}${space}${inside.replace(/\n\s+/g, ' ')}${space}${close}`
  })
}
