// The few calls of the C library that node:fs lacks: mmap, madvise, mincore, munmap, sync_file_range, fcntl. Linux only, through koffi.
//
// Everything works without them. Then there are no maps (reads are positional) and locks stop only other Millrace
// processes. That is so on macOS (no MADV_POPULATE_READ, so no map could be read safely), on Windows, on Deno without
// --allow-ffi, where koffi's binary is missing, and, for maps alone, on Linux before 5.14.
import { loadNativeModule } from '../base/native-module.ts'

/** What C calls `void *`. */
export type Pointer = bigint

/** The calls. Those that fail return -1; ask `errorName()` in the next statement, before anything else runs. */
export interface Libc {
  readonly pageSize: number
  /** Whether this kernel knows MADV_POPULATE_READ (Linux 5.14). */
  readonly canPopulate: boolean
  /** `create` makes a missing file with mode 0644. The descriptor is not inherited by child processes. */
  open(path: string, mode: 'read' | 'create'): number
  close(fd: number): number
  /** A shared, read-only map from the file's start; undefined when it fails. */
  mmap(fd: number, size: number): Pointer | undefined
  munmap(address: Pointer, size: number): number
  /** An ArrayBuffer over mapped memory. Nothing frees it. */
  view(address: Pointer, size: number): ArrayBuffer
  /** madvise(MADV_POPULATE_READ); `address` is page-aligned. */
  populate(address: Pointer, size: number): number
  /** The same on a thread of a pool. errno belongs to that thread: on -1 call `populate` to learn why. */
  populateInBackground(address: Pointer, size: number): Promise<number>
  /**
   * sync_file_range(SYNC_FILE_RANGE_WRITE) on a thread of a pool: begins to write what is dirty of a range. Without its other
   * flags it takes no error from the file that a later fdatasync has to tell. Undefined where the library lacks it.
   */
  readonly writeInBackground:
    | ((fd: number, position: number, size: number) => Promise<number>)
    | undefined
  /** Fills one byte per page; bit 0 says resident. */
  mincore(address: Pointer, size: number, pages: Uint8Array): number
  /** fcntl(F_OFD_SETLK, F_WRLCK) on the whole file. The lock ends when `fd` is closed. */
  lockExclusively(fd: number): number
  /** fcntl(F_OFD_GETLK): whether somebody else holds a lock of any kind on the file; undefined when it fails. */
  isLocked(fd: number): boolean | undefined
  /** The name of this thread's errno, as `EIO`. */
  errorName(): string
}

const O_RDWR = 0o2
const O_CREAT = 0o100
const O_CLOEXEC = 0o2000000
const PROT_READ = 1
const MAP_SHARED = 1
const MADV_POPULATE_READ = 22
const SYNC_FILE_RANGE =
  'int sync_file_range(int fd, int64_t position, int64_t size, unsigned int flags)'
const SYNC_FILE_RANGE_WRITE = 2
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37
const F_WRLCK = 1
const F_UNLCK = 2
const SC_PAGESIZE = 30
// struct flock on 64-bit Linux: int16 l_type, int16 l_whence, 4 bytes of padding, int64 l_start, int64 l_len,
// int32 l_pid, 4 bytes of padding. Whence 0, start 0 and length 0 mean the whole file; l_pid must be 0 for OFD locks.
const FLOCK_BYTES = 32

let loaded: { readonly libc: Libc | undefined } | undefined

/** The C library, loaded at the first call; undefined where there is none to be had. */
export function loadLibc(): Libc | undefined {
  loaded ??= { libc: tryToLoad() }
  return loaded.libc
}

function tryToLoad(): Libc | undefined {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return undefined
  // No binary for this platform, or no permission, is not a failure: the callers have another way.
  const koffi = loadNativeModule<Koffi>('koffi')
  const library = koffi && loadLibrary(koffi)
  return koffi && library && bind(koffi, library)
}

function loadLibrary(koffi: Koffi): KoffiLibrary | undefined {
  const musl = `libc.musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`
  for (const name of ['libc.so.6', musl]) {
    try {
      return koffi.load(name)
    } catch {
      // The other kind of system, then.
    }
  }
  return undefined
}

function bind(koffi: Koffi, library: KoffiLibrary): Libc {
  const open = library.func('int open(const char *path, int flags, ...)')
  const close = library.func('int close(int fd)')
  const mmap = library.func(
    'void *mmap(void *at, size_t size, int prot, int flags, int fd, int64_t from)',
  )
  const munmap = library.func('int munmap(void *address, size_t size)')
  const madvise = library.func('int madvise(void *address, size_t size, int advice)')
  const mincore = library.func('int mincore(void *address, size_t size, _Out_ uint8_t *pages)')
  const syncRange = optional(library, SYNC_FILE_RANGE)
  const fcntl = library.func('int fcntl(int fd, int command, ...)')
  const sysconf = library.func('long sysconf(int name)')
  const names = errorNames(koffi)
  const pageSize = Number(sysconf(SC_PAGESIZE))

  const libc: Omit<Libc, 'canPopulate'> = {
    pageSize,
    open: (path, mode) =>
      open(
        path,
        mode === 'read' ? O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC,
        'int',
        0o644,
      ) as number,
    close: (fd) => close(fd) as number,
    mmap(fd, size) {
      const address = BigInt.asUintN(64, mmap(null, size, PROT_READ, MAP_SHARED, fd, 0) as bigint)
      return address === 0xffff_ffff_ffff_ffffn ? undefined : address
    },
    munmap: (address, size) => munmap(address, size) as number,
    view: (address, size) => koffi.view(address, size),
    populate: (address, size) => madvise(address, size, MADV_POPULATE_READ) as number,
    populateInBackground: (address, size) =>
      inBackground(madvise, address, size, MADV_POPULATE_READ),
    writeInBackground:
      syncRange &&
      ((fd, position, size) => inBackground(syncRange, fd, position, size, SYNC_FILE_RANGE_WRITE)),
    mincore: (address, size, pages) => mincore(address, size, pages) as number,
    lockExclusively(fd) {
      const flock = new Uint8Array(FLOCK_BYTES)
      new DataView(flock.buffer).setInt16(0, F_WRLCK, true)
      return fcntl(fd, F_OFD_SETLK, 'void *', flock) as number
    },
    isLocked(fd) {
      const flock = new Uint8Array(FLOCK_BYTES)
      const view = new DataView(flock.buffer)
      view.setInt16(0, F_WRLCK, true)
      if (fcntl(fd, F_OFD_GETLK, '_Inout_ uint8_t *', flock) !== 0) return undefined
      return view.getInt16(0, true) !== F_UNLCK
    },
    errorName() {
      const number = koffi.errno()
      return names.get(number) ?? `errno ${number}`
    },
  }
  return { ...libc, canPopulate: knowsPopulate(libc) }
}

function optional(library: KoffiLibrary, prototype: string): KoffiFunction | undefined {
  try {
    return library.func(prototype)
  } catch {
    return undefined
  }
}

function inBackground(call: KoffiFunction, ...values: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(...values, (error: unknown, result: number) =>
      error ? reject(error) : resolve(result),
    )
  })
}

/** Names by number. Some numbers have two names; those of node:fs are wanted. */
function errorNames(koffi: Koffi): Map<number, string> {
  const aliases = ['EWOULDBLOCK', 'EOPNOTSUPP', 'EDEADLOCK']
  const named = Object.entries(koffi.os.errno).filter(([name]) => !aliases.includes(name))
  return new Map(named.map(([name, number]) => [number, name]))
}

/** Tries the call once on a page that certainly exists, so that a later EINVAL is never taken for a missing call. */
function knowsPopulate(libc: Omit<Libc, 'canPopulate'>): boolean {
  const fd = libc.open('/proc/self/exe', 'read')
  if (fd < 0) return false
  const address = libc.mmap(fd, libc.pageSize)
  libc.close(fd)
  if (address === undefined) return false
  const result = libc.populate(address, libc.pageSize)
  libc.munmap(address, libc.pageSize)
  return result === 0
}

// The part of koffi used here, typed by hand: its own types would be loaded even where its binary is not.
interface KoffiFunction {
  (...values: unknown[]): unknown
  async(...values: unknown[]): void
}
interface KoffiLibrary {
  func(prototype: string): KoffiFunction
}
interface Koffi {
  load(path: string): KoffiLibrary
  view(address: Pointer, size: number): ArrayBuffer
  errno(): number
  readonly os: { readonly errno: Readonly<Record<string, number>> }
}
