// The cache of maps: its bounds, and the leases that hold maps.
import { expect, test } from 'vitest'
import { systemCode } from '#storage/base/errors.ts'
import { MapCache, type SealedFile } from '#storage/fs/map-cache.ts'
import { type DiskOptions, SimulatedDisk } from '../../simulation/simulated-disk.ts'

const KB = 1024

function diskWith(count: number, size: number, options: DiskOptions = {}): SimulatedDisk {
  const disk = new SimulatedDisk(options)
  for (let number = 0; number < count; number++) {
    const file = disk.open(`${number}.log`, 'create')
    file.write(new Uint8Array(size).fill(number + 1), 0)
    file.close()
  }
  return disk
}

const sealed = (number: number, size: number): SealedFile => ({ path: `${number}.log`, size })
const everything = { position: 0, size: 16 * KB }

test('MapCache.lease() gives the bytes of the range that was asked for', () => {
  const disk = diskWith(2, 16 * KB)
  const maps = new MapCache(disk, { maxMaps: 10, maxBytes: 1_000 * KB })
  const lease = maps.lease(sealed(1, 16 * KB), { position: 100, size: 5_000 })
  expect(lease?.bytes.length).toBe(5_000)
  expect(lease?.bytes.every((byte) => byte === 2)).toBe(true)
  lease?.release()
  expect(lease?.bytes.length).toBe(0)
  expect(disk.faults.counts.get('populate')).toBe(1)
})

test('MapCache keeps to its number of maps and gives up the oldest', () => {
  const disk = diskWith(5, 16 * KB)
  const maps = new MapCache(disk, { maxMaps: 2, maxBytes: 1_000 * KB })
  for (const number of [0, 1, 0, 2, 0]) maps.lease(sealed(number, 16 * KB), everything)?.release()
  expect(maps.stats).toEqual({ maps: 2, bytes: 32 * KB, leases: 0, evictions: 1 })
  expect(disk.faults.counts.get('map')).toBe(3)
})

test('MapCache keeps to its bytes, and does not map a file that alone is larger', () => {
  const maps = new MapCache(diskWith(5, 16 * KB), { maxMaps: 100, maxBytes: 40 * KB })
  for (const number of [0, 1, 2, 3]) maps.lease(sealed(number, 16 * KB), everything)?.release()
  expect(maps.stats).toMatchObject({ maps: 2, bytes: 32 * KB })
  expect(maps.lease({ path: '4.log', size: 41 * KB }, everything)).toBeUndefined()
})

test('MapCache unmaps only when the last lease is released', () => {
  const maps = new MapCache(diskWith(3, 16 * KB), { maxMaps: 1, maxBytes: 1_000 * KB })
  const first = maps.lease(sealed(0, 16 * KB), everything)
  const second = maps.lease(sealed(0, 16 * KB), { position: 8 * KB, size: 10 })
  const view = second?.bytes
  maps.lease(sealed(1, 16 * KB), everything)?.release()
  expect(maps.stats).toMatchObject({ maps: 1, leases: 2, evictions: 1 })
  first?.release()
  first?.release()
  expect(view?.[0]).toBe(1)
  second?.release()
  expect(view?.length).toBe(0)
  expect(maps.stats.leases).toBe(0)
})

test('MapCache.lease() leaves a range that is not in memory to the caller, until it was warmed', async () => {
  const disk = diskWith(1, 16 * KB)
  const maps = new MapCache(disk, { maxMaps: 1, maxBytes: 1_000 * KB })
  disk.evict('0.log')
  expect(maps.isCold(sealed(0, 16 * KB), everything)).toBe(true)
  expect(maps.lease(sealed(0, 16 * KB), everything)).toBeUndefined()
  await maps.warm(sealed(0, 16 * KB), everything)
  expect(maps.isCold(sealed(0, 16 * KB), everything)).toBe(false)
  expect(maps.lease(sealed(0, 16 * KB), everything)?.bytes[0]).toBe(1)
})

test('MapCache.lease() believes what isCold() has just found, for the same range and once', async () => {
  const disk = diskWith(1, 16 * KB)
  const file = sealed(0, 16 * KB)
  const maps = new MapCache(disk, { maxMaps: 1, maxBytes: 1_000 * KB })
  const lease = (size: number) => maps.lease(file, { position: 0, size })?.bytes.length
  await maps.warm(file, everything)
  expect(maps.isCold(file, everything)).toBe(false)
  disk.evict('0.log')
  expect(lease(16 * KB)).toBe(16 * KB)
  disk.evict('0.log')
  expect(lease(16 * KB)).toBeUndefined()
  await maps.warm(file, everything)
  expect(maps.isCold(file, everything)).toBe(false)
  disk.evict('0.log')
  expect(lease(1 * KB)).toBeUndefined()
  expect(lease(16 * KB)).toBeUndefined()
  expect(maps.isCold(file, everything)).toBe(true)
})

test('MapCache reports bad media as an error instead of touching it', async () => {
  const disk = diskWith(1, 16 * KB)
  const maps = new MapCache(disk, { maxMaps: 1, maxBytes: 1_000 * KB })
  disk.breakRange('0.log', 9 * KB, 10 * KB)
  expect(() => maps.lease(sealed(0, 16 * KB), everything)).toThrow('EIO')
  expect(await maps.warm(sealed(0, 16 * KB), everything).catch(systemCode)).toBe('EIO')
  expect(maps.lease(sealed(0, 16 * KB), { position: 0, size: KB })?.bytes[0]).toBe(1)
})

test('MapCache has nothing to lend where there are no maps', async () => {
  const maps = new MapCache(diskWith(1, 16 * KB, { hasMaps: false }), {
    maxMaps: 1,
    maxBytes: 1_000 * KB,
  })
  expect(maps.lease(sealed(0, 16 * KB), everything)).toBeUndefined()
  expect(maps.isCold(sealed(0, 16 * KB), everything)).toBe(false)
  await maps.warm(sealed(0, 16 * KB), everything)
})

test.each(['ENOMEM', 'EMFILE'])('MapCache.lease() leaves %s to positional reads', (code) => {
  const disk = diskWith(1, 16 * KB)
  disk.fail({ on: 'map', code })
  const maps = new MapCache(disk, { maxMaps: 1, maxBytes: 1_000 * KB })
  expect(maps.lease(sealed(0, 16 * KB), everything)).toBeUndefined()
  expect(maps.lease(sealed(0, 16 * KB), everything)).toBeDefined()
})

test('MapCache.evict() and a new size make it map again', () => {
  const disk = diskWith(1, 16 * KB)
  const maps = new MapCache(disk, { maxMaps: 4, maxBytes: 1_000 * KB })
  const lease = maps.lease(sealed(0, 16 * KB), everything)
  maps.lease(sealed(0, 12 * KB), { position: 0, size: KB })?.release()
  expect(lease?.bytes[0]).toBe(1)
  disk.rename('0.log', '0.log.deleted')
  maps.evict('0.log')
  expect(lease?.bytes[0]).toBe(1)
  lease?.release()
  expect(maps.stats).toMatchObject({ maps: 0, bytes: 0, leases: 0 })
  expect(() => maps.lease(sealed(0, 16 * KB), everything)).toThrow('ENOENT')
})

test('MapCache.close() leaves leased bytes alone', () => {
  const maps = new MapCache(diskWith(1, 16 * KB), { maxMaps: 4, maxBytes: 1_000 * KB })
  const lease = maps.lease(sealed(0, 16 * KB), everything)
  maps.close()
  expect(lease?.bytes[0]).toBe(1)
  lease?.release()
})

test('MapCache populates what stays in memory once, and anew what has left it', async () => {
  const disk = diskWith(1, 16 * KB)
  const maps = new MapCache(disk, { maxMaps: 10, maxBytes: 1_000 * KB })
  const file = sealed(0, 16 * KB)
  const populated = () => disk.faults.counts.get('populate')
  maps.lease(file, { position: 0, size: 5_000 })?.release()
  maps.lease(file, { position: 100, size: 8_000 })?.release()
  expect(populated()).toBe(1)
  maps.lease(file, everything)?.release()
  expect(populated()).toBe(2)
  disk.evict('0.log')
  expect(maps.lease(file, everything)).toBeUndefined()
  await maps.warm(file, everything)
  const lease = maps.lease(file, everything)
  expect(lease?.bytes.every((byte) => byte === 1)).toBe(true)
  expect(populated()).toBe(4)
})
