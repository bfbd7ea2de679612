// What Linux tells of a process under /proc.
import { readFileSync } from 'node:fs'

/** The kernel counts CPU time in hundredths of a second, on every machine that Linux runs on today. */
const ticksPerSecond = 100

/** CPU time. */
export interface CpuTimes {
  readonly userSeconds: number
  readonly systemSeconds: number
}

/** CPU time in the text of /proc/PID/stat; threads that have ended are counted too. */
export function cpuTimesIn(stat: string): CpuTimes {
  // The name of the program is in brackets and may hold anything, brackets included.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  if (Number.isNaN(user + system)) throw new Error(`No CPU time in ${stat}`)
  return { userSeconds: user / ticksPerSecond, systemSeconds: system / ticksPerSecond }
}

/** User and system CPU seconds in the text of /proc/PID/stat. */
export function cpuSecondsIn(stat: string): number {
  const { userSeconds, systemSeconds } = cpuTimesIn(stat)
  return userSeconds + systemSeconds
}

/** Resident memory. */
export interface Memory {
  /** Heap and stacks: what the process alone causes. */
  readonly anonMib: number
  /** With the pages of files that it has mapped, which the kernel may drop. */
  readonly rssMib: number
}

/** Resident memory in the text of /proc/PID/status. */
export function memoryIn(status: string): Memory {
  const kib = (name: string) => {
    const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    if (value === undefined) throw new Error(`No ${name} in /proc/PID/status`)
    return Number(value) / 1024
  }
  return { anonMib: kib('RssAnon'), rssMib: kib('VmRSS') }
}

const statOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8')

/** CPU time that a running process has used. */
export const cpuTimes = (pid: number): CpuTimes => cpuTimesIn(statOf(pid))

/** CPU seconds that a running process has used. */
export const cpuSeconds = (pid: number): number => cpuSecondsIn(statOf(pid))

/** Memory of a running process. */
export const memoryOf = (pid: number): Memory =>
  memoryIn(readFileSync(`/proc/${pid}/status`, 'utf8'))

/** The most memory that a process was seen to have while `work` went on. */
export async function peakMemory<T>(pid: number, work: () => Promise<T>): Promise<[T, Memory]> {
  let peak = memoryOf(pid)
  const look = () => {
    const { anonMib, rssMib } = memoryOf(pid)
    peak = { anonMib: Math.max(peak.anonMib, anonMib), rssMib: Math.max(peak.rssMib, rssMib) }
  }
  const timer = setInterval(() => {
    try {
      look()
    } catch {
      // It has ended: whoever works with it will say so.
      clearInterval(timer)
    }
  }, 200)
  try {
    const result = await work()
    look()
    return [result, peak]
  } finally {
    clearInterval(timer)
  }
}

/** A line of /proc/meminfo, `MemFree` or another, in MiB. */
export function systemMib(name: string): number {
  const known = new RegExp(`^${name}: +(\\d+)`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))
  return Number(known?.[1]) / 1024
}
