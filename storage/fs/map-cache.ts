// A bounded number of maps of segments, and the rules by which their bytes may be touched (RULES 7-10).
import { systemCode } from '../base/errors.ts'
import { type ByteLease, leaseOf } from './byte-lease.ts'
import type { FileMap, Files } from './files.ts'
import { PageSet } from './page-set.ts'

/** A file of which readers want bytes that no longer change. */
export interface SealedFile {
  readonly path: string
  /** How many bytes are to be mapped. It may be more than the file has: what is appended later shows in the map. */
  readonly size: number
}

/** Part of a file. */
export interface ByteRange {
  readonly position: number
  readonly size: number
}

/** How much may be mapped. */
export interface MapLimits {
  /** Linux allows a process 65,530 maps in all. */
  readonly maxMaps: number
  /** Address space, not memory: the pages belong to the page cache. */
  readonly maxBytes: number
}

/** For metrics. */
export interface MapCacheStats {
  readonly maps: number
  readonly bytes: number
  /** Leases not released, those of evicted maps included. */
  readonly leases: number
  readonly evictions: number
}

interface CachedMap {
  path: string
  readonly size: number
  readonly map: FileMap
  /** To populate pages again takes a tenth of sending them. While they stay in memory, once is enough. */
  readonly populated: PageSet
  leases: number
  isEvicted: boolean
}

/**
 * Maps files on demand and unmaps the ones used least recently, never under a lease.
 *
 * A read goes like this. `lease` gives the bytes when the range is mapped, in memory and populated: then no touch of it
 * waits for the disk or ends the process. Otherwise it gives undefined, and the caller reads positionally; or, when
 * `isCold` says that this would wait for the disk, awaits `warm` first, off the loop, and tries again. What `isCold` has found
 * to be in memory, a `lease` of the same range right behind it believes: the question is a system call.
 */
export class MapCache {
  readonly #files: Files
  readonly #limits: MapLimits
  /** By path, in order of use, oldest first. */
  readonly #maps = new Map<string, CachedMap>()
  #bytes = 0
  #leases = 0
  #evictions = 0
  /** What the last `isCold` found in memory: the `lease` that follows it need not ask again. */
  #warm: ({ readonly cached: CachedMap } & ByteRange) | undefined

  constructor(files: Files, limits: MapLimits) {
    this.#files = files
    this.#limits = limits
  }

  /**
   * The bytes of a range, until released; undefined when there are no maps here, or the range is not in memory.
   * Throws the system's error (EIO) when the medium fails, ENOENT when the file is gone.
   */
  lease(file: SealedFile, { position, size }: ByteRange): ByteLease | undefined {
    const cached = this.#get(file)
    if (cached === undefined) return undefined
    const { cached: asked, position: start, size: length } = this.#warm ?? {}
    this.#warm = undefined
    const isWarm = asked === cached && start === position && length === size
    if (!isWarm && !isResident(cached, position, size)) return undefined
    if (!cached.populated.has(position, size)) {
      if (!cached.map.populate(position, size)) return undefined
      cached.populated.add(position, size)
    }
    cached.leases++
    this.#leases++
    return leaseOf(cached.map.bytes.subarray(position, position + size), () => {
      cached.leases--
      this.#leases--
      if (cached.isEvicted && cached.leases === 0) cached.map.unmap()
    })
  }

  /** True when reading the range is known to wait for the disk. False too when there are no maps to ask. */
  isCold(file: SealedFile, { position, size }: ByteRange): boolean {
    const cached = this.#get(file)
    const isCold = cached !== undefined && !isResident(cached, position, size)
    this.#warm = cached === undefined || isCold ? undefined : { cached, position, size }
    return isCold
  }

  /** Brings a range into memory, off this thread. Rejects with EIO when the medium fails. */
  async warm(file: SealedFile, { position, size }: ByteRange): Promise<void> {
    const cached = this.#get(file)
    // An eviction meanwhile is no harm: the pages are in the page cache, which is what was asked for.
    await cached?.map.populateInBackground(position, size)
    // What was found before has had time to change.
    this.#warm = undefined
  }

  /** Drops the maps of a file, or of all files in a directory: before they are removed, replaced or cut. */
  evict(path: string): void {
    for (const cached of [...this.#maps.values()]) {
      if (cached.path === path || cached.path.startsWith(`${path}/`)) this.#drop(cached)
    }
    this.#warm = undefined
  }

  /** For metrics. */
  get stats(): MapCacheStats {
    return {
      maps: this.#maps.size,
      bytes: this.#bytes,
      leases: this.#leases,
      evictions: this.#evictions,
    }
  }

  /** Drops all maps; those under a lease go with it. */
  close(): void {
    for (const cached of [...this.#maps.values()]) this.#drop(cached)
  }

  #get(file: SealedFile): CachedMap | undefined {
    if (file.size <= 0 || file.size > this.#limits.maxBytes) return undefined
    const known = this.#maps.get(file.path)
    if (known !== undefined && known.size >= file.size) {
      this.#maps.delete(file.path)
      this.#maps.set(file.path, known)
      return known
    }
    if (known !== undefined) this.#drop(known)
    return this.#add(file)
  }

  #add({ path, size }: SealedFile): CachedMap | undefined {
    const map = this.#tryToMap(path, size)
    if (map === undefined) return undefined
    const populated = new PageSet(size)
    const cached = { path, size, map, populated, leases: 0, isEvicted: false }
    this.#maps.set(path, cached)
    this.#bytes += size
    this.#evictOldest()
    return cached
  }

  #tryToMap(path: string, size: number): FileMap | undefined {
    try {
      return this.#files.map(path, size)
    } catch (error) {
      // Out of maps, address space or descriptors: a positional read may still do.
      const code = systemCode(error)
      if (code === 'ENOMEM' || code === 'EMFILE' || code === 'ENFILE') return undefined
      throw error
    }
  }

  /** The newest one always stays: it is about to be used. */
  #evictOldest(): void {
    while (this.#maps.size > 1) {
      if (this.#maps.size <= this.#limits.maxMaps && this.#bytes <= this.#limits.maxBytes) return
      const [oldest] = this.#maps.values()
      if (oldest === undefined) return
      this.#drop(oldest)
      this.#evictions++
    }
  }

  #drop(cached: CachedMap): void {
    this.#maps.delete(cached.path)
    this.#bytes -= cached.size
    cached.isEvicted = true
    if (cached.leases === 0) cached.map.unmap()
  }
}

/** Pages that have left memory are to be populated anew. */
function isResident({ map, populated }: CachedMap, position: number, size: number): boolean {
  const isThere = map.isResident(position, size)
  if (!isThere) populated.clear()
  return isThere
}
