// One file or directory of the simulated disk, with what is on the medium kept apart from what is in memory.
import type { SeededRandom } from './seeded-random.ts'

/** The unit in which a disk writes atomically. */
export const SECTOR_BYTES = 512

/** One content a sector had since it was last on disk. */
interface SectorVersion {
  readonly order: number
  readonly bytes: Uint8Array
}

/** A size that the file had since it was last on disk. */
interface SizeVersion {
  readonly order: number
  readonly size: number
}

let inodeCount = 0

/** A growing array of bytes; what lies beyond its length is zero. */
class Content {
  size = 0
  #bytes = new Uint8Array(0)

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size)
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (end > this.size) this.resize(end)
    this.#bytes.set(bytes, position)
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.size))
      this.#bytes = larger
    } else if (size < this.size) {
      this.#bytes.fill(0, size, this.size)
    }
    this.size = size
  }

  /** One whole sector, zero-filled beyond the end. */
  sector(index: number): Uint8Array {
    const sector = new Uint8Array(SECTOR_BYTES)
    const start = index * SECTOR_BYTES
    sector.set(this.#bytes.subarray(start, Math.min(start + SECTOR_BYTES, this.#bytes.length)))
    return sector
  }
}

/** What the disk itself holds: sectors, also beyond the recorded size, which may reach it later than they do. */
class Medium {
  size = 0
  readonly #sectors = new Map<number, Uint8Array>()

  writeSector(index: number, bytes: Uint8Array): void {
    this.#sectors.set(index, bytes)
  }

  /** A shrunk file shows zeros, not its old bytes, when it grows again. */
  resize(size: number): void {
    if (size < this.size) {
      for (const index of this.#sectors.keys()) {
        if (index * SECTOR_BYTES >= size) this.#sectors.delete(index)
      }
      const last = Math.floor(size / SECTOR_BYTES)
      const sector = this.#sectors.get(last)?.slice()
      if (sector) this.#sectors.set(last, sector.fill(0, size % SECTOR_BYTES))
    }
    this.size = size
  }

  /** What lies beyond the end: a file system that is mounted again shows zeros there when the file grows. */
  dropBeyondEnd(): void {
    const size = this.size
    this.size = Number.MAX_SAFE_INTEGER
    this.resize(size)
  }

  clone(): Medium {
    const copy = new Medium()
    copy.size = this.size
    for (const [index, bytes] of this.#sectors) copy.#sectors.set(index, bytes)
    return copy
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.size)
    for (const [index, sector] of this.#sectors) {
      const start = index * SECTOR_BYTES
      if (start < this.size) bytes.set(sector.subarray(0, this.size - start), start)
    }
    return bytes
  }

  flipBit(position: number, bit: number): void {
    const index = Math.floor(position / SECTOR_BYTES)
    const sector = this.#sectors.get(index)?.slice()
    if (sector) this.#sectors.set(index, flip(sector, position % SECTOR_BYTES, bit))
  }
}

function flip(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
  return bytes
}

/**
 * A file's content, twice: `live` is what reads see (the page cache), `medium` is what a power loss leaves. In between
 * lie the versions each dirty sector had since: a crash may keep any one of them, or none.
 */
export class SimulatedFile {
  readonly id = ++inodeCount
  /** Survives everything. */
  modifiedMs: number
  /** Byte ranges whose reads fail with EIO. */
  badRanges: { from: number; to: number }[] = []
  /** False after `evict`: maps must wait for the disk. */
  isResident = true
  readonly #live = new Content()
  readonly #medium: Medium
  readonly #dirty = new Map<number, SectorVersion[]>()
  #sizes: SizeVersion[] = []
  #order = 0

  constructor(modifiedMs: number, medium = new Medium()) {
    this.modifiedMs = modifiedMs
    this.#medium = medium
  }

  get size(): number {
    return this.#live.size
  }

  /** A view; never kept. */
  get bytes(): Uint8Array {
    return this.#live.bytes
  }

  /** What the medium holds: for tests that look at it. */
  get mediumBytes(): Uint8Array {
    return this.#medium.bytes()
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#sizes.length > 0
  }

  /** The number of the last change, to hand to `sync` later. */
  get order(): number {
    return this.#order
  }

  write(bytes: Uint8Array, position: number, modifiedMs: number): void {
    if (bytes.length === 0) return
    this.#live.write(bytes, position)
    this.#touch(position, position + bytes.length, modifiedMs)
  }

  truncate(size: number, modifiedMs: number): void {
    const before = this.#live.size
    this.#live.resize(size)
    this.#touch(Math.min(before, size), before, modifiedMs)
  }

  /** Makes durable what was written up to the change numbered `order`; what came later stays dirty. */
  sync(order = this.#order): void {
    const grown = this.#sizes.findLast((version) => version.order <= order)
    if (grown !== undefined) this.#medium.resize(grown.size)
    this.#sizes = this.#sizes.filter((version) => version.order > order)
    for (const [index, versions] of this.#dirty) {
      const newest = versions.findLast((version) => version.order <= order)
      if (newest === undefined) continue
      this.#medium.writeSector(index, newest.bytes)
      const later = versions.filter((version) => version.order > order)
      if (later.length > 0) this.#dirty.set(index, later)
      else this.#dirty.delete(index)
    }
  }

  /** A failed fdatasync: some sectors arrive, and every page counts as clean from now on, so a later sync skips it. */
  failSync(random: SeededRandom): void {
    this.#keepSome(random, this.#medium)
    this.#dirty.clear()
    this.#sizes = []
  }

  /** The file as it is found after a power loss: an independent copy, clean. */
  afterCrash(random: SeededRandom): SimulatedFile {
    const medium = this.#medium.clone()
    this.#keepSome(random, medium)
    medium.dropBeyondEnd()
    const found = new SimulatedFile(this.modifiedMs, medium)
    found.#live.write(medium.bytes(), 0)
    found.badRanges = [...this.badRanges]
    return found
  }

  /** The same file, dirty sectors included: the process died, the machine lives. */
  clone(): SimulatedFile {
    const copy = new SimulatedFile(this.modifiedMs, this.#medium.clone())
    copy.#live.write(this.#live.bytes, 0)
    for (const [index, versions] of this.#dirty) copy.#dirty.set(index, [...versions])
    copy.#sizes = [...this.#sizes]
    copy.#order = this.#order
    copy.badRanges = [...this.badRanges]
    copy.isResident = this.isResident
    return copy
  }

  /** Flips one bit, on the medium and in every version of that sector that may yet reach it. */
  flipBit(position: number, bit: number): void {
    flip(this.#live.bytes, position, bit)
    this.#medium.flipBit(position, bit)
    const index = Math.floor(position / SECTOR_BYTES)
    for (const { bytes } of this.#dirty.get(index) ?? []) flip(bytes, position % SECTOR_BYTES, bit)
  }

  isBad(from: number, to: number): boolean {
    return this.badRanges.some((bad) => from < bad.to && bad.from < to)
  }

  /** Sectors: each none, or any version. Size: none, any it had, or (blocks written, size late) any in between. */
  #keepSome(random: SeededRandom, medium: Medium): void {
    // One draw decides how much is lost, so that "nothing", "everything" and "half" all are common.
    const chance = random.pick([0, 0.1, 0.5, 0.9, 1])
    if (this.#sizes.length > 0 && random.chance(chance)) {
      medium.resize(this.#keptSize(random, medium.size))
    }
    for (const [index, versions] of this.#dirty) {
      if (!random.chance(chance)) continue
      const version = random.chance(0.7) ? versions.at(-1) : random.pick(versions)
      if (version !== undefined) medium.writeSector(index, version.bytes)
    }
  }

  #keptSize(random: SeededRandom, before: number): number {
    const draw = random.float()
    if (draw < 0.6) return this.size
    if (draw < 0.8) return random.pick(this.#sizes).size
    return before + random.below(Math.max(0, this.size - before) + 1)
  }

  #touch(from: number, to: number, modifiedMs: number): void {
    const order = ++this.#order
    const before = this.#sizes.at(-1)?.size ?? this.#medium.size
    this.modifiedMs = modifiedMs
    if (before !== this.#live.size) this.#sizes.push({ order, size: this.#live.size })
    const last = Math.ceil(to / SECTOR_BYTES)
    for (let index = Math.floor(from / SECTOR_BYTES); index < last; index++) {
      const versions = this.#dirty.get(index) ?? []
      versions.push({ order, bytes: this.#live.sector(index) })
      this.#dirty.set(index, versions)
    }
  }
}
