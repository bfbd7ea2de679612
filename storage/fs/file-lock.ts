// The lock of a data directory: a file lock that Kafka sees too, and a pid file for processes that have no FFI.
import type { FileLock } from './files.ts'
import type { Libc } from './libc.ts'
import { isHeldByPid, lockByPid } from './pid-lock.ts'
import { systemError } from './system-error.ts'

/**
 * Locks `path` (made when missing) against every process; undefined when another, or this one, holds it.
 *
 * With the C library it is an open-file-description lock (`F_OFD_SETLK`). Kafka's `FileChannel.tryLock` takes a POSIX
 * record lock, which conflicts with it both ways; unlike a POSIX lock it also stops a second broker in this process and
 * does not end when some other descriptor of the file is closed. The system drops it when the process dies.
 * The pid file (`path.pid`) is taken in either case, so that processes with and without FFI see each other.
 */
export function lockFile(libc: Libc | undefined, path: string): FileLock | undefined {
  if (libc === undefined) return lockByPid(path)
  const fd = libc.open(path, 'create')
  if (fd < 0) throw systemError(libc.errorName(), `open '${path}'`)
  if (libc.lockExclusively(fd) !== 0) {
    const code = libc.errorName()
    libc.close(fd)
    if (code === 'EAGAIN' || code === 'EACCES') return undefined
    // EINVAL, ENOLCK, ENOTSUP: this file system has no such locks.
    if (code === 'EINVAL' || code === 'ENOLCK' || code === 'ENOTSUP') return lockByPid(path)
    throw systemError(code, `lock '${path}'`)
  }
  let pidLock: FileLock | undefined
  try {
    pidLock = lockByPid(path)
  } finally {
    if (pidLock === undefined) libc.close(fd)
  }
  return pidLock && heldLock(libc, fd, pidLock)
}

/** Whether `lockFile` would be refused just now. Writes nothing; where a Kafka's lock can't be seen, it is not. */
export function isFileLocked(libc: Libc | undefined, path: string): boolean {
  if (isHeldByPid(path)) return true
  const fd = libc?.open(path, 'read') ?? -1
  if (libc === undefined || fd < 0) return false
  try {
    return libc.isLocked(fd) === true
  } finally {
    libc.close(fd)
  }
}

function heldLock(libc: Libc, fd: number, pidLock: FileLock): FileLock {
  let isHeld = true
  return {
    isSeenByKafka: true,
    release() {
      if (!isHeld) return
      isHeld = false
      pidLock.release()
      libc.close(fd)
    },
  }
}
