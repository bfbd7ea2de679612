// The pool of descriptors: its bound, and the writes that it must not lose.
import { expect, test } from 'vitest'
import { systemCode } from '#storage/base/errors.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import { type DiskOptions, SimulatedDisk } from '../../simulation/simulated-disk.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

/** A disk with files `0` … `count - 1`, each holding its number. */
function diskWith(count: number, options: DiskOptions = {}): SimulatedDisk {
  const disk = new SimulatedDisk(options)
  for (let number = 0; number < count; number++) {
    const file = disk.open(`${number}`, 'create')
    file.write(bytes(number), 0)
    file.syncNow()
    file.close()
  }
  return disk
}

function firstByte(pool: FilePool, path: string): number {
  return pool.use(path, (file) => {
    const target = new Uint8Array(1)
    file.read(target, 0)
    return target[0] ?? -1
  })
}

test('FilePool.use() reads any number of files through a bounded number of descriptors', () => {
  const disk = diskWith(50)
  const pool = new FilePool(disk, 4)
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 50; number++) {
      expect(firstByte(pool, `${number}`)).toBe(number)
      expect(disk.openFiles).toBeLessThanOrEqual(4)
    }
  }
  expect(pool.stats).toMatchObject({ limit: 4, open: 4, dirty: 0, opens: 100, evictions: 96 })
  pool.close()
  expect(disk.openFiles).toBe(0)
})

test('FilePool.open() holds twice its limit of descriptors at most, however many files wait for the disk', () => {
  // Syncs off the thread never come to an end here.
  const disk = diskWith(0, { schedule: () => undefined })
  const pool = new FilePool(disk, 4)
  const files = Array.from({ length: 50 }, (_, number) => {
    const file = pool.open(`${number}`, 'create')
    file.write(bytes(number), 0)
    expect(disk.openFiles).toBeLessThanOrEqual(8)
    return file
  })
  for (const [number, file] of files.entries()) {
    file.write(bytes(number + 100), 1)
    expect(disk.openFiles).toBeLessThanOrEqual(8)
  }
  expect(disk.readFile('49')).toEqual(bytes(49, 149))
})

test('FilePool.use() keeps what was used last', () => {
  const pool = new FilePool(diskWith(4), 2)
  for (const path of ['0', '1', '0', '2', '0']) firstByte(pool, path)
  expect(pool.stats.opens).toBe(3)
  firstByte(pool, '1')
  expect(pool.stats.opens).toBe(4)
})

test('FilePool.use() never closes a file that is in use further out', () => {
  const disk = diskWith(5)
  const pool = new FilePool(disk, 1)
  firstByte(pool, '0')
  const seen = pool.use('0', (outer) => {
    for (const path of ['1', '2', '3']) firstByte(pool, path)
    const target = new Uint8Array(1)
    outer.read(target, 0)
    return target[0]
  })
  expect(seen).toBe(0)
  expect(pool.stats.open).toBe(1)
})

test('FilePool.use() keeps nothing of a file that is missing', () => {
  const disk = diskWith(1)
  const pool = new FilePool(disk, 2)
  expect(() => firstByte(pool, 'none')).toThrow('ENOENT')
  disk.open('none', 'create').close()
  expect(pool.use('none', (file) => file.size())).toBe(0)
})

test('FilePool.open() gives files whose descriptors come and go', () => {
  const disk = new SimulatedDisk()
  const pool = new FilePool(disk, 3)
  const files = Array.from({ length: 20 }, (_, number) => pool.open(`${number}`, 'create'))
  for (let round = 0; round < 3; round++) {
    for (const [number, file] of files.entries()) {
      file.write(bytes(number, round), round * 2)
      file.syncNow()
      expect(disk.openFiles).toBeLessThanOrEqual(3)
    }
  }
  for (const [number] of files.entries()) {
    expect([...(disk.readFile(`${number}`) ?? [])]).toEqual([number, 0, number, 1, number, 2])
  }
  for (const file of files) file.close()
  expect(disk.openFiles).toBe(0)
  expect(() => files[0]?.size()).toThrow('EBADF')
})

test('FilePool.open() never closes a descriptor with unsynced writes before it was synced', () => {
  const pending: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => pending.push(work) })
  const pool = new FilePool(disk, 2)
  const files = ['a', 'b', 'c', 'd'].map((path) => pool.open(path, 'create'))
  for (const file of files) file.write(bytes(1), 0)
  expect(pool.stats).toMatchObject({ open: 4, dirty: 4 })
  expect(pending.length).toBeGreaterThan(0)
  for (const work of pending.splice(0)) work()
  expect(disk.mediumBytes('a')).toEqual(bytes(1))
})

test('FilePool comes back to its limit when the syncs that it started are done', async () => {
  const disk = new SimulatedDisk()
  const pool = new FilePool(disk, 2)
  const files = Array.from({ length: 8 }, (_, number) => pool.open(`${number}`, 'create'))
  for (const file of files) file.write(bytes(1), 0)
  await Promise.all(files.map((file) => file.sync()))
  expect(pool.stats).toMatchObject({ open: 2, dirty: 0 })
  expect(disk.openFiles).toBe(2)
})

test('FilePool reports the failure of a sync that it started to the next sync of the owner, and for good', async () => {
  const disk = new SimulatedDisk()
  const pool = new FilePool(disk, 1)
  disk.fail({ on: 'sync', path: 'a', code: 'EIO' })
  const file = pool.open('a', 'create')
  file.write(bytes(1), 0)
  pool.open('b', 'create')
  expect(disk.faults.counts.get('sync')).toBe(1)
  await Promise.resolve()
  await Promise.resolve()
  expect(await file.sync().catch(systemCode)).toBe('EIO')
  expect(() => file.syncNow()).toThrow('EIO')
  expect(disk.faults.counts.get('sync')).toBe(1)
})

test('FilePool forgets a sync for which there was no descriptor', async () => {
  const disk = new SimulatedDisk()
  const file = new FilePool(disk, 1).open('a', 'create')
  file.write(bytes(1), 0)
  disk.fail({ on: 'sync', code: 'EMFILE' })
  expect(await file.sync().catch(systemCode)).toBe('EMFILE')
  file.write(bytes(1), 0)
  await file.sync()
  expect(disk.mediumBytes('a')).toEqual(bytes(1))
})

test('FilePool.open() does not close a file while a sync of it is under way', async () => {
  const pending: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => pending.push(work) })
  const pool = new FilePool(disk, 1)
  const file = pool.open('a', 'create')
  file.write(bytes(1), 0)
  const synced = file.sync()
  pool.open('b', 'create').close()
  expect(pool.stats.dirty).toBe(1)
  for (const work of pending.splice(0)) work()
  await synced
  expect(pool.stats.dirty).toBe(0)
})

test('FilePool.renamed() opens a file under its new name, and those of a renamed directory', () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('t-0')
  disk.makeDirectory('t-01')
  const pool = new FilePool(disk, 1)
  const file = pool.open('t-0/a', 'create')
  const sibling = pool.open('t-01/a', 'create')
  disk.rename('t-0', 't-0.x-delete')
  pool.renamed('t-0', 't-0.x-delete')
  expect(file.path).toBe('t-0.x-delete/a')
  expect(sibling.path).toBe('t-01/a')
  file.write(bytes(3), 0)
  file.syncNow()
  expect(disk.readFile('t-0.x-delete/a')).toEqual(bytes(3))
})

test('FilePool does not make a file anew that was removed while its descriptor was closed', () => {
  const disk = new SimulatedDisk()
  const pool = new FilePool(disk, 1)
  const file = pool.open('a', 'create')
  pool.open('b', 'create')
  disk.remove('a')
  expect(() => file.write(bytes(1), 0)).toThrow('ENOENT')
  expect(disk.status('a')).toBeUndefined()
})

test('FilePool.evict() makes the next use see the file that replaced the old one', () => {
  const disk = diskWith(2)
  const pool = new FilePool(disk, 4)
  expect(firstByte(pool, '0')).toBe(0)
  disk.rename('1', '0')
  pool.evict('0')
  expect(firstByte(pool, '0')).toBe(1)
})

test('FilePool gives descriptors back when the system has none left', () => {
  const disk = diskWith(10, { maxOpenFiles: 4 })
  const pool = new FilePool(disk, 100)
  for (let number = 0; number < 10; number++) expect(firstByte(pool, `${number}`)).toBe(number)
  pool.close()
  for (let number = 0; number < 4; number++) disk.open(`${number}`, 'read')
  expect(() => firstByte(pool, '5')).toThrow('EMFILE')
})
