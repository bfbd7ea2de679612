// A lock by a file that names its holder: what is left where fcntl can't be called.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { systemCode } from '../base/errors.ts'
import type { FileLock } from './files.ts'

/** Pid files that this process holds: its own pid in a file it does not hold is left over from an earlier life. */
const held = new Set<string>()

/**
 * Takes `path.pid`, which holds one line: pid, start time of that process, boot id. Undefined when a living process
 * holds it. After a kill -9 or a power loss the line names a process that is gone, or another one under the same pid,
 * which its start time shows; the file is then taken over. Two pid namespaces (containers) can't see each other.
 */
export function lockByPid(path: string): FileLock | undefined {
  const pidFile = `${path}.pid`
  const own = `${pidFile}.${process.pid}`
  if (held.has(pidFile)) return undefined
  // Written aside and linked: nobody ever sees a file without its line, and link fails when the name exists.
  writeFileSync(own, identityOf(process.pid))
  try {
    // A handful of rounds: others may take and leave the lock meanwhile.
    for (let round = 0; round < 5; round++) {
      if (tryLink(own, pidFile)) return hold(pidFile)
      const holder = read(pidFile)
      if (holder === undefined) continue
      if (isAlive(holder)) return undefined
      removeStale(pidFile, own, holder)
    }
    return undefined
  } finally {
    rmSync(own, { force: true })
  }
}

/** Whether a living process, this one included, holds `path.pid`. */
export function isHeldByPid(path: string): boolean {
  const pidFile = `${path}.pid`
  if (held.has(pidFile)) return true
  const holder = read(pidFile)
  return holder !== undefined && isAlive(holder)
}

function hold(pidFile: string): FileLock {
  held.add(pidFile)
  return {
    isSeenByKafka: false,
    release() {
      if (held.delete(pidFile)) removeQuietly(pidFile)
    },
  }
}

/** On a disk that has failed the file stays, and is taken over like any that names a process that is gone. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Nobody could do anything about it, and the other directories are still to be closed.
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Another process may have taken the stale file over just before: then it moves back what it finds to be fresh. */
function removeStale(pidFile: string, own: string, stale: string): void {
  const aside = `${own}.stale`
  try {
    renameSync(pidFile, aside)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  if (read(aside) !== stale) tryLink(aside, pidFile)
  rmSync(aside, { force: true })
}

function identityOf(pid: number): string {
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return `${pid} ${startOf(pid)} ${boot}\n`
}

/** Field 22 of /proc/PID/stat, counted after the command in parentheses; empty where there is no /proc. */
function startOf(pid: number): string {
  const line = read(`/proc/${pid}/stat`) ?? ''
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/**
 * Fields that either side could not read prove nothing (Deno shows /proc only with all permissions); then a process of
 * that pid counts as the holder, unless it is this one, which would know.
 */
function isAlive(holder: string): boolean {
  const [pidText = '', start = '', boot = ''] = holder.trimEnd().split(' ')
  const pid = Number(pidText)
  if (!Number.isSafeInteger(pid) || pid <= 0 || !exists(pid)) return false
  const [, ownStart = '', ownBoot = ''] = identityOf(pid).trimEnd().split(' ')
  if (start !== '' && ownStart !== '')
    return start === ownStart && (boot === ownBoot || !boot || !ownBoot)
  return pid !== process.pid
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM, and a runtime that may not ask, mean that there may be one.
    return systemCode(error) !== 'ESRCH'
  }
}
