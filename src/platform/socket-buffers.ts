// The send buffer of accepted sockets, which no runtime lets one set: through the C library, where it can be had.
import { loadNativeModule } from '#storage/base/native-module.ts'

// Linux on x64 and arm64.
const SOL_SOCKET = 1
const SO_SNDBUF = 7

type SetOption = (
  fd: number,
  level: number,
  name: number,
  value: Int32Array,
  size: number,
) => number

let loaded: { readonly setOption: SetOption | undefined } | undefined

/**
 * Sets the send buffer that connections accepted by the listening socket `fd` will have; false where that can't be done. The
 * system's own buffer grows to megabytes: what fills it has left the processor's caches before it is read again, which
 * doubles the CPU time of large answers.
 */
export function setSendBuffer(fd: number | undefined, bytes: number): boolean {
  if (fd === undefined || fd < 0 || bytes < 0) return false
  loaded ??= { setOption: load() }
  const value = new Int32Array([bytes])
  return loaded.setOption?.(fd, SOL_SOCKET, SO_SNDBUF, value, value.byteLength) === 0
}

function load(): SetOption | undefined {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return undefined
  try {
    const library = loadNativeModule<Koffi>('koffi')?.load('libc.so.6')
    return library?.func('int setsockopt(int fd, int level, int name, void *value, uint32_t size)')
  } catch {
    // Another C library, or no permission: the system's own buffers do.
    return undefined
  }
}

interface Koffi {
  load(path: string): { func(prototype: string): SetOption }
}
