// A read-only shared map of a file, through the C library.
import type { FileMap } from './files.ts'
import type { Libc, Pointer } from './libc.ts'
import { systemError } from './system-error.ts'

const EMPTY = new Uint8Array(0)

/**
 * Maps the first `size` bytes (> 0). Throws the system's error (ENOENT, ENOMEM, EMFILE, …).
 * The descriptor is closed at once: a map holds its file by itself, through renames and removal.
 */
export function mapFile(libc: Libc, path: string, size: number): FileMap {
  const fd = libc.open(path, 'read')
  if (fd < 0) throw systemError(libc.errorName(), `open '${path}'`)
  const address = libc.mmap(fd, size)
  const failure = address === undefined ? libc.errorName() : ''
  libc.close(fd)
  if (address === undefined) throw systemError(failure, `map ${size} bytes of '${path}'`)
  return new MappedFile(libc, path, address, size)
}

/**
 * One map. Touching bytes after munmap, or bytes that can't be read, ends the process; so `unmap` first detaches the
 * ArrayBuffer, which makes every view of it empty, and callers touch only what `populate` accepted.
 */
class MappedFile implements FileMap {
  bytes: Uint8Array
  readonly #libc: Libc
  readonly #path: string
  readonly #address: Pointer
  readonly #size: number
  #backgroundCalls = 0
  #isUnmapped = false

  constructor(libc: Libc, path: string, address: Pointer, size: number) {
    this.#libc = libc
    this.#path = path
    this.#address = address
    this.#size = size
    this.bytes = new Uint8Array(libc.view(address, size))
  }

  populate(position: number, size: number): boolean {
    const range = this.#pages(position, size)
    if (range === undefined) return false
    // A signal may interrupt the call; what was populated stays, so it gets on with every attempt.
    for (let attempt = 0; attempt < 100; attempt++) {
      if (this.#libc.populate(range.address, range.size) === 0) return true
      const code = this.#libc.errorName()
      if (code === 'EINTR' || code === 'EAGAIN') continue
      // No call, or no memory for the page tables: the caller can still read positionally.
      if (code === 'EINVAL' || code === 'ENOSYS' || code === 'ENOMEM') return false
      // EFAULT stands for the SIGBUS that a touch would have raised: bad media, or a file cut short under the map.
      const shown = code === 'EFAULT' || code === 'EHWPOISON' ? 'EIO' : code
      throw systemError(
        shown,
        `read [${position}, ${position + size}) of the map of '${this.#path}'`,
      )
    }
    return false
  }

  async populateInBackground(position: number, size: number): Promise<boolean> {
    const range = this.#pages(position, size)
    if (range === undefined) return false
    this.#backgroundCalls++
    let result: number
    try {
      result = await this.#libc.populateInBackground(range.address, range.size)
    } finally {
      this.#backgroundCalls--
      if (this.#isUnmapped) this.#release()
    }
    if (this.#isUnmapped) return false
    // That thread's errno is out of reach: ask again on this one.
    return result === 0 || this.populate(position, size)
  }

  isResident(position: number, size: number): boolean {
    const range = this.#pages(position, size)
    if (range === undefined) return false
    const pages = new Uint8Array(range.size / this.#libc.pageSize)
    if (this.#libc.mincore(range.address, range.size, pages) !== 0) return false
    for (const page of pages) if ((page & 1) === 0) return false
    return true
  }

  unmap(): void {
    if (this.#isUnmapped) return
    this.#isUnmapped = true
    // Without transfer() (before Node 22) nothing empties the views, and a stray one would read freed addresses. There
    // the pages stay mapped for the life of the process, which costs address space and no memory.
    const buffer = this.bytes.buffer as ArrayBuffer
    this.bytes = EMPTY
    if (typeof buffer.transfer !== 'function') return
    buffer.transfer(0)
    this.#release()
  }

  /** munmap, once no call in the background needs the addresses. */
  #release(): void {
    if (this.#backgroundCalls === 0) this.#libc.munmap(this.#address, this.#size)
  }

  /** The whole pages around a range; undefined when it is not inside the map or the map is gone. */
  #pages(position: number, size: number): { address: Pointer; size: number } | undefined {
    if (this.#isUnmapped || size <= 0 || position < 0 || position + size > this.#size) {
      return undefined
    }
    const { pageSize } = this.#libc
    const start = Math.floor(position / pageSize) * pageSize
    const end = Math.ceil((position + size) / pageSize) * pageSize
    return { address: this.#address + BigInt(start), size: end - start }
  }
}
