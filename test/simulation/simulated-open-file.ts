// An open file of the simulated disk.
import type { OpenFile } from '#storage/fs/files.ts'
import { systemError } from '#storage/fs/system-error.ts'
import type { SeededRandom } from './seeded-random.ts'
import {
  type DiskOperation,
  type FaultPlan,
  faultError,
  type OrderedFault,
} from './simulated-faults.ts'
import type { SimulatedFile } from './simulated-inode.ts'

/** What an open file needs of its disk. */
export interface DiskOfFile {
  openFiles: number
  readonly random: SeededRandom
  readonly faults: FaultPlan
  meet(operation: DiskOperation, path: string): OrderedFault | undefined
  checkWritable(path: string): void
  roomFor(bytes: number): number
  later<T>(work: () => T): Promise<T>
  touchTime(): number
  updateMaps(file: SimulatedFile, from: number, to: number): void
}

/** Follows its file through renames and removal, as a descriptor does. */
export class SimulatedOpenFile implements OpenFile {
  readonly path: string
  readonly #disk: DiskOfFile
  readonly #file: SimulatedFile
  readonly #isWritable: boolean
  #isClosed = false

  constructor(disk: DiskOfFile, path: string, file: SimulatedFile, isWritable: boolean) {
    this.path = path
    this.#disk = disk
    this.#file = file
    this.#isWritable = isWritable
  }

  size(): number {
    this.#meet('size')
    return this.#file.size
  }

  read(target: Uint8Array, position: number): number {
    this.#meet('read')
    const end = Math.min(position + target.length, this.#file.size)
    if (end <= position) return 0
    if (this.#file.isBad(position, end)) throw systemError('EIO', `read '${this.path}'`)
    target.set(this.#file.bytes.subarray(position, end))
    return end - position
  }

  write(bytes: Uint8Array, position: number): void {
    const fault = this.#meetChange('write')
    if (fault !== undefined) {
      const part = fault.writtenBytes ?? this.#disk.random.below(bytes.length + 1)
      this.#writePart(bytes.subarray(0, part), position)
      throw faultError(fault, 'write', this.path)
    }
    const growth = Math.max(0, position + bytes.length - this.#file.size)
    const missing = growth - this.#disk.roomFor(growth)
    this.#writePart(bytes.subarray(0, Math.max(0, bytes.length - missing)), position)
    if (missing > 0) throw systemError('ENOSPC', `write '${this.path}'`)
    this.#disk.faults.throwIfStopped()
  }

  /** What a crash leaves of unsynced bytes is anything at all, with this or without. */
  writeBehind(): boolean {
    this.#checkOpen()
    return true
  }

  truncate(size: number): void {
    this.#meetChange('truncate')
    const before = this.#file.size
    this.#file.truncate(size, this.#disk.touchTime())
    this.#disk.updateMaps(this.#file, Math.min(before, size), Math.max(before, size))
    this.#disk.faults.throwIfStopped()
  }

  syncNow(): void {
    this.#checkOpen()
    this.#sync(this.#file.order)
  }

  sync(): Promise<void> {
    if (this.#isClosed) return Promise.reject(this.#closedError())
    // What is written between this call and its completion need not be covered, so it is not.
    const { order } = this.#file
    return this.#disk.later(() => this.#sync(order))
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#disk.openFiles--
  }

  #sync(order: number): void {
    const fault = this.#disk.meet('sync', this.path)
    if (fault !== undefined) {
      // Without a descriptor nothing was synced, and nothing lost.
      const isLost = fault.code !== 'EMFILE' && fault.code !== 'ENFILE'
      if (isLost) this.#file.failSync(this.#disk.random)
      throw faultError(fault, 'sync', this.path)
    }
    // The machine stopping here leaves the sync undone; a crash before the next operation finds it done.
    this.#disk.faults.throwIfStopped()
    this.#file.sync(order)
  }

  #writePart(bytes: Uint8Array, position: number): void {
    this.#file.write(bytes, position, this.#disk.touchTime())
    this.#disk.updateMaps(this.#file, position, position + bytes.length)
  }

  #meetChange(operation: DiskOperation): OrderedFault | undefined {
    const fault = this.#meet(operation)
    if (!this.#isWritable) throw systemError('EBADF', `'${this.path}' is open for reading`)
    this.#disk.checkWritable(this.path)
    return fault
  }

  #meet(operation: DiskOperation): OrderedFault | undefined {
    this.#checkOpen()
    return this.#disk.meet(operation, this.path)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#closedError()
  }

  #closedError(): Error {
    return systemError('EBADF', `'${this.path}' is closed`)
  }
}
