// A map of a file of the simulated disk.
import type { FileMap } from '#storage/fs/files.ts'
import { systemError } from '#storage/fs/system-error.ts'
import type { DiskOperation, OrderedFault } from './simulated-faults.ts'
import type { SimulatedFile } from './simulated-inode.ts'

/** What bytes look like that must not be touched: not populated, or cut off. A real map would end the process. */
export const POISON = 0xbd
const PAGE_BYTES = 4096

/** What a map needs of its disk. */
interface DiskOfMap {
  meet(operation: DiskOperation, path: string): OrderedFault | undefined
  later<T>(work: () => T): Promise<T>
}

/** Live like a shared map: later writes to populated pages are seen. Everything else is poison. */
export class SimulatedMap implements FileMap {
  readonly file: SimulatedFile
  bytes: Uint8Array
  readonly #disk: DiskOfMap
  readonly #path: string
  readonly #size: number
  readonly #onUnmap: () => void
  readonly #populated = new Set<number>()

  constructor(
    disk: DiskOfMap,
    path: string,
    file: SimulatedFile,
    size: number,
    onUnmap: () => void,
  ) {
    this.#disk = disk
    this.#path = path
    this.file = file
    this.#size = size
    this.#onUnmap = onUnmap
    this.bytes = new Uint8Array(size).fill(POISON)
  }

  populate(position: number, size: number): boolean {
    this.#disk.meet('populate', this.#path)
    if (size <= 0 || position < 0 || position + size > this.bytes.length) return false
    const end = position + size
    if (this.file.isBad(position, end) || pageOf(end - 1) > pageOf(this.file.size - 1)) {
      throw systemError('EIO', `populate [${position}, ${end}) of '${this.#path}'`)
    }
    this.file.isResident = true
    for (let page = pageOf(position); page <= pageOf(end - 1); page++) this.#populated.add(page)
    this.update(position, end)
    return true
  }

  populateInBackground(position: number, size: number): Promise<boolean> {
    return this.#disk.later(() => this.populate(position, size))
  }

  isResident(position: number, size: number): boolean {
    return size > 0 && position >= 0 && position + size <= this.bytes.length && this.file.isResident
  }

  unmap(): void {
    if (this.bytes.length === 0) return
    const buffer = this.bytes.buffer as ArrayBuffer
    this.bytes = new Uint8Array(0)
    buffer.transfer(0)
    this.#onUnmap()
  }

  /** Shows the file's bytes in populated pages that overlap `[from, to)`, and poison in pages beyond its end. */
  update(from: number, to: number): void {
    const last = Math.min(pageOf(to - 1), pageOf(this.#size - 1))
    for (let page = pageOf(from); page <= last; page++) {
      if (!this.#populated.has(page)) continue
      const start = page * PAGE_BYTES
      const end = Math.min(start + PAGE_BYTES, this.bytes.length)
      const shown = this.file.bytes.subarray(start, end)
      // Like the kernel: zeros to the end of the file's last page, nothing behind it.
      this.bytes.fill(start < this.file.size ? 0 : POISON, start, end)
      this.bytes.set(shown, start)
    }
  }
}

function pageOf(position: number): number {
  return Math.floor(position / PAGE_BYTES)
}
