// The CPU time that a process has taken, its threads included, from /proc.
import { readFileSync } from 'node:fs'

/** Of every Linux that we know. */
const TICKS_PER_SECOND = 100

/** CPU time in user mode and in the kernel. */
export interface CpuSeconds {
  readonly user: number
  readonly system: number
}

/** What the process has taken since its start; Linux only. */
export function cpuSeconds(pid: number): CpuSeconds {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [fields[11], fields[12]].map((ticks) => Number(ticks) / TICKS_PER_SECOND)
  return { user: user ?? Number.NaN, system: system ?? Number.NaN }
}
