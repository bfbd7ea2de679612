// What a case is made of, and the targets that are set again and again.
import { type Load, type SideSpec, sides } from './load.ts'
import type { Target } from './result.ts'

/** One case. */
export interface BenchCase {
  readonly name: string
  readonly title: string
  readonly group: string
  /** Whether it belongs to the set that covers every target in the shortest time. */
  readonly isCore: boolean
  readonly sides: readonly SideSpec[]
  readonly load: Load
  readonly partitions: number
  /** Records that are there before the first round, in partition 0 of a topic of their own; `isCold` drops them from the page cache. */
  readonly old?: { readonly records: number; readonly bytes: number; readonly isCold?: true }
  readonly targets: readonly Target[]
}

/** Kafka, and Millrace that promises as much. */
export const two = [sides.kafka, sides.millrace]
/** Both with what is acknowledged on disk. */
export const durable = [sides.kafkaFlush, sides.millraceFsync]

type Rest = Partial<Pick<BenchCase, 'isCore' | 'sides' | 'partitions' | 'old' | 'targets'>>

/** A case; of the core, with one partition and both sides, unless `rest` says otherwise. */
export function define(
  group: string,
  name: string,
  title: string,
  load: Load,
  rest: Rest = {},
): BenchCase {
  return { group, name, title, load, isCore: true, sides: two, partitions: 1, targets: [], ...rest }
}

/** Holds a side's metric to a multiple of another's; Millrace's to Kafka's unless `rest` says otherwise. */
export function ratio(
  metric: string,
  comparison: '<=' | '>=',
  limit: number,
  rest: Partial<Target> = {},
): Target {
  return { metric, of: 'millrace', over: 'kafka', comparison, limit, ...rest }
}
/** Holds the broker's CPU time for a record to at most so much of Kafka's. */
export const cpu = (limit: number, rest?: Partial<Target>) =>
  ratio('cpuPerMillion', '<=', limit, rest)
/** Holds the records a second to at least so much of Kafka's. */
export const rate = (limit: number, rest?: Partial<Target>) =>
  ratio('recordsPerSecond', '>=', limit, rest)
/** Holds a figure itself to a limit. */
export const own = (metric: string, limit: number, of = 'millrace'): Target => ({
  metric,
  of,
  comparison: '<=',
  limit,
})

/** So long a raw load lasts at most, for a disk or a machine that is slower than the table expects. */
const MOST_SECONDS = 12

/** A load of the raw client; see its flags with -help. */
export function raw(
  mode: 'produce' | 'fetch' | 'latency' | 'mixed',
  records: number,
  flags: Readonly<Record<string, number>>,
): Load {
  const most = mode === 'latency' ? {} : { seconds: MOST_SECONDS }
  return { tool: 'raw', mode, records, flags: { ...most, ...flags } }
}
