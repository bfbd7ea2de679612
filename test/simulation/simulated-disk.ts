// A file system in memory that fails on order: the simulated twin of `storage/fs/node-files.ts` (RULES 22).
//
// Content, size, directory entries and renames become durable separately, as POSIX allows and no more. `afterCrash(seed)`
// is the disk that a power loss leaves; `afterKill()` the one that a kill -9 leaves. Both are new disks: the old one, and
// whatever code still holds it, changes nothing on them. Everything follows from seeds.
import type {
  DirectoryEntry,
  FileLock,
  FileMap,
  FileStatus,
  Files,
  OpenFile,
  OpenMode,
} from '#storage/fs/files.ts'
import { systemError } from '#storage/fs/system-error.ts'
import { SeededRandom } from './seeded-random.ts'
import { type Inode, Namespace, SimulatedDirectory } from './simulated-directory.ts'
import { type DiskOperation, FaultPlan, faultError, type OrderedFault } from './simulated-faults.ts'
import { SimulatedFile } from './simulated-inode.ts'
import { SimulatedMap } from './simulated-map.ts'
import { SimulatedOpenFile } from './simulated-open-file.ts'

/** How a simulated disk behaves. */
export interface DiskOptions {
  /** For torn writes and failed syncs. Default 1. */
  readonly seed?: number
  /** Default: no limit, though `space` then speaks of 1 GiB. */
  readonly capacityBytes?: number
  /** EMFILE above it. Default: no limit. */
  readonly maxOpenFiles?: number
  /** For modification times. Default: a count of changes. */
  readonly now?: () => number
  /** False: `map` gives undefined, as without FFI. */
  readonly hasMaps?: boolean
  /** False: locks are not seen by Kafka, as without FFI. */
  readonly hasKafkaLocks?: boolean
  /**
   * When work off the loop (`sync`, `syncDirectory`, `populateInBackground`) is done. Default: at once, resolved in a
   * microtask. Hand in `(work) => clock.after(ms, work)` for a slow disk, or collect the works to run them in any order.
   */
  readonly schedule?: (work: () => void) => void
}

/** Paths are absolute or relative to the same root. Parents must exist, as on a real disk; `/` and `.` do. */
export class SimulatedDisk implements Files {
  readonly faults = new FaultPlan()
  readonly random: SeededRandom
  isReadOnly = false
  openFiles = 0
  readonly #options: DiskOptions
  readonly #names: Namespace
  readonly #locked = new Set<string>()
  readonly #maps = new Set<SimulatedMap>()
  #ticks = 1_704_067_200_000

  constructor(options: DiskOptions = {}, names = new Namespace()) {
    this.#options = options
    this.#names = names
    this.random = new SeededRandom(options.seed ?? 1)
  }

  /** The disk found after a power loss. The same seed loses the same things; this disk stays as it is. */
  afterCrash(seed: number): SimulatedDisk {
    return this.#successor(seed, this.#names.afterCrash(new SeededRandom(seed)))
  }

  /** The disk found by the next process after a kill -9: the page cache is intact, locks and open files are gone. */
  afterKill(seed = this.random.seed): SimulatedDisk {
    return this.#successor(seed, this.#names.clone())
  }

  /** Orders a fault. */
  fail(fault: OrderedFault): void {
    this.faults.order(fault)
  }

  /** How many bytes the files hold. */
  get usedBytes(): number {
    let used = 0
    for (const file of this.#allFiles()) used += file.size
    return used
  }

  /** Whether anything would be lost, or could be, if the power went now. */
  get hasUnsyncedChanges(): boolean {
    return this.#names.pendingChanges > 0 || [...this.#allFiles()].some((file) => file.isDirty)
  }

  /** Flips one bit of a file, in memory and on the medium. */
  flipBit(path: string, position: number, bit = 0): void {
    const file = this.#file(path)
    file.flipBit(position, bit)
    for (const map of this.#mapsOf(file)) map.update(position, position + 1)
  }

  /** Makes reads of a byte range of a file fail with EIO. */
  breakRange(path: string, from: number, to: number): void {
    this.#file(path).badRanges.push({ from, to })
  }

  /** Drops a file from the page cache: maps of it are not resident until populated. */
  evict(path: string): void {
    this.#file(path).isResident = false
  }

  /** What the medium holds of a file, synced names aside. */
  mediumBytes(path: string): Uint8Array {
    return this.#file(path).mediumBytes
  }

  open(path: string, mode: OpenMode): OpenFile {
    this.#meet('open', path)
    if (this.openFiles >= (this.#options.maxOpenFiles ?? Number.POSITIVE_INFINITY)) {
      throw systemError('EMFILE', `open '${path}'`)
    }
    const file = this.#openInode(path, mode)
    this.faults.throwIfStopped()
    this.openFiles++
    return new SimulatedOpenFile(this, path, file, mode !== 'read')
  }

  readFile(path: string): Uint8Array | undefined {
    this.#meet('readFile', path)
    const inode = this.#find(path)
    if (inode === undefined) return undefined
    if (!(inode instanceof SimulatedFile)) throw systemError('EISDIR', `read '${path}'`)
    if (inode.isBad(0, inode.size)) throw systemError('EIO', `read '${path}'`)
    return inode.bytes.slice()
  }

  status(path: string): FileStatus | undefined {
    this.#meet('status', path)
    const inode = this.#find(path)
    if (inode === undefined) return undefined
    if (inode instanceof SimulatedFile) {
      return { size: inode.size, modifiedMs: inode.modifiedMs, isDirectory: false }
    }
    return { size: 0, modifiedMs: 0, isDirectory: true }
  }

  list(directory: string): DirectoryEntry[] {
    this.#meet('list', directory)
    const entries = [...this.#directory(directory).live]
    return entries.map(([name, inode]) => ({
      name,
      isDirectory: inode instanceof SimulatedDirectory,
    }))
  }

  makeDirectory(path: string): void {
    this.#meetChange('makeDirectory', path)
    let directory = this.#names.root
    for (const name of split(path)) {
      let next = directory.live.get(name)
      if (next === undefined) {
        next = new SimulatedDirectory()
        this.#names.change([{ directory, name, inode: next }])
      }
      if (!(next instanceof SimulatedDirectory)) throw systemError('EEXIST', `mkdir '${path}'`)
      directory = next
    }
    this.faults.throwIfStopped()
  }

  rename(from: string, to: string): void {
    this.#meetChange('rename', from)
    const source = this.#parent(from)
    const target = this.#parent(to)
    const inode = source.directory.live.get(source.name)
    if (inode === undefined) throw systemError('ENOENT', `rename '${from}' -> '${to}'`)
    checkReplaceable(inode, target.directory.live.get(target.name), to)
    if (inode !== target.directory.live.get(target.name)) {
      this.#names.change([
        { ...source, inode: undefined },
        { ...target, inode },
      ])
    }
    this.faults.throwIfStopped()
  }

  remove(path: string): void {
    this.#meetChange('remove', path)
    const inode = this.#find(path)
    if (inode instanceof SimulatedDirectory) throw systemError('EISDIR', `unlink '${path}'`)
    if (inode !== undefined) this.#names.change([{ ...this.#parent(path), inode: undefined }])
    this.faults.throwIfStopped()
  }

  removeDirectory(path: string): void {
    const inode = this.#find(path)
    if (inode instanceof SimulatedDirectory) {
      for (const name of [...inode.live.keys()]) this.removeDirectory(`${path}/${name}`)
    }
    this.#meetChange('remove', path)
    if (inode !== undefined) this.#names.change([{ ...this.#parent(path), inode: undefined }])
    this.faults.throwIfStopped()
  }

  setModified(path: string, modifiedMs: number): void {
    this.#meetChange('setModified', path)
    const inode = this.#find(path)
    if (inode === undefined) throw systemError('ENOENT', `utime '${path}'`)
    if (inode instanceof SimulatedFile) inode.modifiedMs = modifiedMs
    this.faults.throwIfStopped()
  }

  syncDirectory(path: string): Promise<void> {
    return this.later(() => this.syncDirectoryNow(path))
  }

  syncDirectoryNow(path: string): void {
    this.#meet('syncDirectory', path)
    const directory = this.#directory(path)
    this.faults.throwIfStopped()
    this.#names.sync(directory)
  }

  map(path: string, size: number): FileMap | undefined {
    this.#meet('map', path)
    const file = this.#file(path)
    if (this.#options.hasMaps === false) return undefined
    const map = new SimulatedMap(this, path, file, size, () => this.#maps.delete(map))
    this.#maps.add(map)
    return map
  }

  lock(path: string): FileLock | undefined {
    this.#meet('lock', path)
    const key = split(path).join('/')
    if (this.#locked.has(key)) return undefined
    this.#openInode(path, 'write')
    this.#locked.add(key)
    return {
      isSeenByKafka: this.#options.hasKafkaLocks ?? true,
      release: () => void this.#locked.delete(key),
    }
  }

  isLocked(path: string): boolean {
    return this.#locked.has(split(path).join('/'))
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    this.#meet('space', path)
    return { totalBytes: this.#capacity, usableBytes: Math.max(0, this.#capacity - this.usedBytes) }
  }

  /** For the parts of the disk: counts an operation and throws the fault that it meets. */
  meet(operation: DiskOperation, path: string): OrderedFault | undefined {
    const fault = this.faults.meet(operation, path)
    if (fault === undefined) return undefined
    // A write and a sync have effects of their own before they fail.
    if (operation === 'write' || operation === 'sync') return fault
    throw faultError(fault, operation, path)
  }

  /** For the parts of the disk: refuses changes of a read-only disk. */
  checkWritable(path: string): void {
    if (this.isReadOnly) throw systemError('EROFS', path)
  }

  /** For the parts of the disk: how many more bytes it holds. */
  roomFor(bytes: number): number {
    if (this.#options.capacityBytes === undefined) return bytes
    return Math.min(bytes, Math.max(0, this.#capacity - this.usedBytes))
  }

  /** For the parts of the disk: does work off the loop, as the options say. */
  later<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      }
      if (this.#options.schedule === undefined) run()
      else this.#options.schedule(run)
    })
  }

  /** For the parts of the disk: the time of a change. */
  touchTime(): number {
    return this.#options.now?.() ?? this.#ticks++
  }

  /** For the parts of the disk: shows a change of content to the maps of that file. */
  updateMaps(file: SimulatedFile, from: number, to: number): void {
    for (const map of this.#mapsOf(file)) map.update(from, to)
  }

  get #capacity(): number {
    return this.#options.capacityBytes ?? 2 ** 30
  }

  #successor(seed: number, names: Namespace): SimulatedDisk {
    const disk = new SimulatedDisk({ ...this.#options, seed }, names)
    disk.#ticks = this.#ticks
    return disk
  }

  #meet(operation: DiskOperation, path: string): void {
    this.meet(operation, path)
  }

  #meetChange(operation: DiskOperation, path: string): void {
    this.#meet(operation, path)
    this.checkWritable(path)
  }

  #openInode(path: string, mode: OpenMode): SimulatedFile {
    const inode = this.#find(path)
    if (inode instanceof SimulatedDirectory) throw systemError('EISDIR', `open '${path}'`)
    if (inode !== undefined) {
      if (mode === 'create') throw systemError('EEXIST', `open '${path}'`)
      if (mode === 'write') this.checkWritable(path)
      return inode
    }
    if (mode === 'read') throw systemError('ENOENT', `open '${path}'`)
    this.checkWritable(path)
    const file = new SimulatedFile(this.touchTime())
    this.#names.change([{ ...this.#parent(path), inode: file }])
    return file
  }

  #find(path: string): Inode | undefined {
    let inode: Inode | undefined = this.#names.root
    for (const name of split(path)) {
      if (!(inode instanceof SimulatedDirectory)) return undefined
      inode = inode.live.get(name)
    }
    return inode
  }

  #file(path: string): SimulatedFile {
    const inode = this.#find(path)
    if (inode instanceof SimulatedFile) return inode
    throw systemError(inode === undefined ? 'ENOENT' : 'EISDIR', `'${path}'`)
  }

  #directory(path: string): SimulatedDirectory {
    const inode = this.#find(path)
    if (inode instanceof SimulatedDirectory) return inode
    throw systemError(inode === undefined ? 'ENOENT' : 'ENOTDIR', `'${path}'`)
  }

  #parent(path: string): { directory: SimulatedDirectory; name: string } {
    const names = split(path)
    const name = names.pop()
    if (name === undefined) throw systemError('EINVAL', `'${path}' is the root`)
    return { directory: this.#directory(names.join('/')), name }
  }

  *#allFiles(directory = this.#names.root): Generator<SimulatedFile> {
    for (const inode of directory.live.values()) {
      if (inode instanceof SimulatedFile) yield inode
      else yield* this.#allFiles(inode)
    }
  }

  #mapsOf(file: SimulatedFile): SimulatedMap[] {
    return [...this.#maps].filter((map) => map.file === file)
  }
}

function split(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

function checkReplaceable(inode: Inode, existing: Inode | undefined, to: string): void {
  if (existing === undefined || existing === inode) return
  if (existing instanceof SimulatedFile) {
    if (inode instanceof SimulatedDirectory) throw systemError('ENOTDIR', `rename to '${to}'`)
    return
  }
  if (inode instanceof SimulatedFile) throw systemError('EISDIR', `rename to '${to}'`)
  if (existing.live.size > 0) throw systemError('ENOTEMPTY', `rename to '${to}'`)
}
