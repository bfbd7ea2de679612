// The simulated disk: what a crash may keep and lose, and the faults that can be ordered.
import { expect, test } from 'vitest'
import { systemCode } from '#storage/base/errors.ts'
import { SeededRandom } from './seeded-random.ts'
import { seedsToCount } from './seeds.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { MachineStopped } from './simulated-faults.ts'
import { SECTOR_BYTES } from './simulated-inode.ts'
import { POISON } from './simulated-map.ts'

const filled = (size: number, value: number) => new Uint8Array(size).fill(value)
const SEEDS = seedsToCount(300)

function durableFile(disk: SimulatedDisk, path: string, content: Uint8Array): void {
  const file = disk.open(path, 'create')
  file.write(content, 0)
  file.syncNow()
  file.close()
  disk.syncDirectoryNow('/')
}

/** How often each outcome comes up over all seeds. */
function outcomes(
  disk: SimulatedDisk,
  describe: (after: SimulatedDisk) => string,
): Map<string, number> {
  const found = new Map<string, number>()
  for (const seed of SEEDS) {
    const outcome = describe(disk.afterCrash(seed))
    found.set(outcome, (found.get(outcome) ?? 0) + 1)
  }
  return found
}

const sorted = (found: Map<string, number>) => [...found.keys()].toSorted()

test('SimulatedDisk.afterCrash() keeps what was synced, name included', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(1000, 7))
  expect(disk.hasUnsyncedChanges).toBe(false)
  const found = outcomes(disk, (after) => `${after.readFile('f')?.every((byte) => byte === 7)}`)
  expect(sorted(found)).toEqual(['true'])
})

test('SimulatedDisk.afterCrash() keeps any subset of unsynced sectors', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(3 * SECTOR_BYTES, 1))
  disk.open('f', 'write').write(filled(3 * SECTOR_BYTES, 2), 0)
  const found = outcomes(disk, (after) => {
    const content = after.readFile('f') ?? new Uint8Array()
    const sectors = [0, 1, 2].map((index) =>
      content.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES),
    )
    for (const sector of sectors) expect(new Set(sector).size).toBe(1)
    return sectors.map((sector) => sector[0]).join('')
  })
  expect(sorted(found)).toEqual(['111', '112', '121', '122', '211', '212', '221', '222'])
})

test('SimulatedDisk.afterCrash() may keep an earlier write of a sector and lose the later one, or keep both', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(10, 1))
  const file = disk.open('f', 'write')
  file.write(filled(2, 2), 0)
  file.write(filled(2, 3), 4)
  const found = outcomes(disk, (after) => (after.readFile('f') ?? []).join(''))
  expect(sorted(found)).toEqual(['1111111111', '2211111111', '2211331111'])
})

test('SimulatedDisk.afterCrash() tears an append: the size without the data, the data without the size, or a part', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(SECTOR_BYTES, 1))
  disk.open('f', 'write').write(filled(SECTOR_BYTES, 2), SECTOR_BYTES)
  const found = outcomes(disk, (after) => {
    const content = after.readFile('f') ?? new Uint8Array()
    const tail = content.subarray(SECTOR_BYTES)
    const kinds = new Set(tail)
    expect(kinds.size).toBeLessThanOrEqual(1)
    const length = tail.length === SECTOR_BYTES ? 'whole' : tail.length === 0 ? 'none' : 'part'
    return `${length} of ${[...kinds].join('')}`
  })
  expect(sorted(found)).toEqual(['none of ', 'part of 0', 'part of 2', 'whole of 0', 'whole of 2'])
})

test('SimulatedDisk.afterCrash() may undo an unsynced truncation, and shows zeros where it was kept and undone by growth', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(6, 1))
  const file = disk.open('f', 'write')
  file.truncate(2)
  file.truncate(4)
  file.syncNow()
  const synced = outcomes(disk, (after) => (after.readFile('f') ?? []).join(''))
  expect(sorted(synced)).toEqual(['1100'])
  file.truncate(1)
  const found = outcomes(disk, (after) => (after.readFile('f') ?? []).join(''))
  expect(found.has('1100') && found.has('1')).toBe(true)
})

test('SimulatedDisk.afterCrash() may lose a name whose directory was not synced, though the content was', () => {
  const disk = new SimulatedDisk()
  const file = disk.open('f', 'create')
  file.write(filled(5, 1), 0)
  file.syncNow()
  const found = outcomes(disk, (after) => `${after.readFile('f')?.join('')}`)
  expect(sorted(found)).toEqual(['11111', 'undefined'])
})

test('SimulatedDisk.afterCrash() keeps a rename whole or not at all, and may keep it without the content', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(2, 1))
  const file = disk.open('f.tmp', 'create')
  file.write(filled(2, 2), 0)
  disk.rename('f.tmp', 'f')
  const found = outcomes(disk, (after) => {
    const tmp = after.readFile('f.tmp') === undefined ? '' : ' and tmp'
    return `${(after.readFile('f') ?? ['missing']).join('')}${tmp}`
  })
  // The classic mistake, renaming before syncing, leaves an empty or zeroed file.
  expect(found.has('') && found.has('11') && found.has('22')).toBe(true)
  expect(found.has('missing')).toBe(false)
})

test('SimulatedDisk.afterCrash() keeps the order of changes to one name', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(2, 1))
  disk.rename('f', 'g')
  disk.open('f', 'create').syncNow()
  const found = outcomes(
    disk,
    (after) => `f ${after.readFile('f')?.join('')} g ${after.readFile('g')?.join('')}`,
  )
  expect(sorted(found)).toEqual(['f  g 11', 'f 11 g undefined', 'f undefined g 11'])
})

test('SimulatedDisk.afterCrash() may keep the later of two independent changes and lose the earlier', () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('a')
  disk.makeDirectory('b')
  disk.syncDirectoryNow('/')
  disk.open('a/1', 'create')
  disk.open('a/2', 'create')
  disk.open('b/3', 'create')
  const names = (after: SimulatedDisk) =>
    ['a', 'b']
      .flatMap((directory) => after.list(directory).map(({ name }) => name))
      .toSorted()
      .join('')
  expect(sorted(outcomes(disk, names))).toEqual(['', '1', '12', '123', '13', '2', '23', '3'])
  disk.syncDirectoryNow('a')
  expect(sorted(outcomes(disk, names))).toEqual(['12', '123'])
})

test('SimulatedDisk.afterCrash() loses a directory that its parent does not name durably', async () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('t-0')
  durableFile(disk, 't-0/f', filled(1, 1))
  const fresh = new SimulatedDisk()
  fresh.makeDirectory('t-0')
  fresh.open('t-0/f', 'create').syncNow()
  await fresh.syncDirectory('t-0')
  const found = outcomes(fresh, (after) => `${after.status('t-0/f') !== undefined}`)
  expect(sorted(found)).toEqual(['false', 'true'])
})

test('SimulatedDisk.afterCrash() repeats itself, and leaves the disk that crashed alone', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(5000, 1))
  disk.open('f', 'write').write(filled(5000, 2), 100)
  const first = disk.afterCrash(11).readFile('f')
  const again = disk.afterCrash(11)
  expect(Buffer.compare(first ?? filled(0, 0), again.readFile('f') ?? filled(0, 0))).toBe(0)
  again.open('f', 'write').write(filled(5100, 9), 0)
  expect(disk.readFile('f')?.[0]).toBe(1)
  expect(again.hasUnsyncedChanges).toBe(true)
})

test('SimulatedDisk.afterKill() keeps everything written, still unsynced, and frees locks', () => {
  const disk = new SimulatedDisk()
  disk.lock('.lock')
  const file = disk.open('f', 'create')
  file.write(filled(3, 1), 0)
  const after = disk.afterKill()
  expect(after.readFile('f')).toEqual(filled(3, 1))
  expect(after.lock('.lock')).toBeDefined()
  expect(sorted(outcomes(after, (crashed) => `${crashed.readFile('f')?.length}`))).toContain(
    'undefined',
  )
  file.write(filled(3, 2), 0)
  expect(after.readFile('f')).toEqual(filled(3, 1))
})

test('SimulatedDisk: a failed fdatasync makes pages clean, so a later sync succeeds and saves nothing', () => {
  const lost = SEEDS.filter((seed) => {
    const disk = new SimulatedDisk({ seed })
    durableFile(disk, 'f', filled(4, 1))
    const file = disk.open('f', 'write')
    file.write(filled(4, 2), 0)
    disk.fail({ on: 'sync', code: 'EIO' })
    expect(() => file.syncNow()).toThrow('EIO')
    file.syncNow()
    expect(disk.readFile('f')).toEqual(filled(4, 2))
    expect(disk.hasUnsyncedChanges).toBe(false)
    return disk.afterCrash(seed).readFile('f')?.[0] === 1
  })
  expect(lost.length).toBeGreaterThan(50)
})

test('SimulatedDisk runs syncs when the test says so, and covers only what was written before the call', async () => {
  const pending: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => pending.push(work) })
  durableFile(disk, 'f', filled(4, 1))
  const file = disk.open('f', 'write')
  file.write(filled(2, 2), 0)
  let isSynced = false
  const synced = file.sync().then(() => {
    isSynced = true
  })
  file.write(filled(2, 3), 2)
  await Promise.resolve()
  expect(isSynced).toBe(false)
  expect(disk.mediumBytes('f').join('')).toBe('1111')
  for (const work of pending) work()
  await synced
  expect(disk.mediumBytes('f').join('')).toBe('2211')
  expect(disk.hasUnsyncedChanges).toBe(true)
})

test('SimulatedDisk.fail() hits the n-th operation of a kind, on a path, for as long as ordered', () => {
  const disk = new SimulatedDisk()
  const file = disk.open('a', 'create')
  const other = disk.open('b', 'create')
  disk.fail({ on: 'write', path: 'a', at: 2, times: 2, code: 'ENOSPC', writtenBytes: 1 })
  const codes = [0, 1, 2, 3].map((position) => {
    other.write(filled(1, 1), 0)
    try {
      file.write(filled(1, 5), position * 10)
      return 'ok'
    } catch (error) {
      return systemCode(error)
    }
  })
  expect(codes).toEqual(['ok', 'ENOSPC', 'ENOSPC', 'ok'])
  disk.fail({ code: 'EIO', times: Number.POSITIVE_INFINITY })
  expect(() => disk.list('/')).toThrow('EIO')
  disk.faults.heal()
  expect(disk.list('/').length).toBe(2)
})

test('SimulatedDisk.fail() may leave a part of a write behind', () => {
  const disk = new SimulatedDisk()
  const file = disk.open('f', 'create')
  disk.fail({ on: 'write', code: 'EIO', writtenBytes: 3 })
  expect(() => file.write(filled(5, 1), 0)).toThrow('EIO')
  expect(file.size()).toBe(3)
})

test('SimulatedDisk is full at its capacity, takes what fits, and has room again after a removal', () => {
  const disk = new SimulatedDisk({ capacityBytes: 100 })
  disk.open('a', 'create').write(filled(60, 1), 0)
  const file = disk.open('b', 'create')
  expect(() => file.write(filled(60, 2), 0)).toThrow('ENOSPC')
  expect(file.size()).toBe(40)
  expect(disk.space('/')).toEqual({ totalBytes: 100, usableBytes: 0 })
  file.write(filled(10, 3), 0)
  disk.remove('a')
  file.write(filled(60, 2), 0)
  expect(disk.space('/').usableBytes).toBe(40)
})

test('SimulatedDisk refuses changes while read-only', () => {
  const disk = new SimulatedDisk()
  const file = disk.open('f', 'create')
  disk.isReadOnly = true
  expect(() => file.write(filled(1, 1), 0)).toThrow('EROFS')
  expect(() => disk.rename('f', 'g')).toThrow('EROFS')
  expect(() => disk.open('g', 'create')).toThrow('EROFS')
  expect(disk.readFile('f')).toEqual(filled(0, 0))
})

test('SimulatedDisk.flipBit() changes one bit, for good', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(600, 0))
  disk.flipBit('f', 550, 3)
  expect(disk.readFile('f')?.indexOf(8)).toBe(550)
  expect(disk.afterCrash(1).readFile('f')?.indexOf(8)).toBe(550)
})

test('SimulatedDisk.breakRange() fails reads that touch it and no others', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(100, 1))
  disk.breakRange('f', 50, 60)
  const file = disk.open('f', 'read')
  expect(file.read(filled(50, 0), 0)).toBe(50)
  expect(() => file.read(filled(51, 0), 0)).toThrow('EIO')
  expect(file.read(filled(40, 0), 60)).toBe(40)
  expect(() => disk.readFile('f')).toThrow('EIO')
})

test('SimulatedDisk.map() shows poison where nothing was populated, and where the file was cut', () => {
  const disk = new SimulatedDisk()
  durableFile(disk, 'f', filled(3 * 4096, 1))
  const map = disk.map('f', 3 * 4096)
  map?.populate(4096, 10)
  expect([map?.bytes[0], map?.bytes[4096], map?.bytes[8191], map?.bytes[8192]]).toEqual([
    POISON,
    1,
    1,
    POISON,
  ])
  disk.open('f', 'write').truncate(100)
  expect(map?.bytes[4096]).toBe(POISON)
})

test('SimulatedDisk stops at the ordered change, and does nothing ever after', () => {
  const disk = new SimulatedDisk()
  const file = disk.open('f', 'create')
  disk.faults.stopAtChange(2)
  file.write(filled(1, 1), 0)
  expect(() => file.write(filled(1, 2), 1)).toThrow(MachineStopped)
  expect(() => file.syncNow()).toThrow(MachineStopped)
  expect(() => disk.readFile('f')).toThrow(MachineStopped)
  expect(disk.afterKill().readFile('f')).toEqual(Uint8Array.of(1, 2))
})

test('SimulatedDisk agrees with a plain array through random writes, cuts and syncs, and after a synced crash', () => {
  for (const seed of SEEDS.slice(0, 60)) {
    const random = new SeededRandom(seed)
    const disk = new SimulatedDisk({ seed })
    const file = disk.open('f', 'create')
    disk.syncDirectoryNow('/')
    let model = new Uint8Array(0)
    for (let step = 0; step < 40; step++) {
      const position = random.below(3000)
      const draw = random.float()
      if (draw < 0.6) {
        const bytes = random.bytes(random.below(1500))
        const grown = new Uint8Array(
          bytes.length === 0 ? model.length : Math.max(model.length, position + bytes.length),
        )
        grown.set(model)
        grown.set(bytes, bytes.length === 0 ? 0 : position)
        model = grown
        file.write(bytes, position)
      } else if (draw < 0.8) {
        const cut = new Uint8Array(position)
        cut.set(model.subarray(0, position))
        model = cut
        file.truncate(position)
      } else file.syncNow()
    }
    expect(Buffer.compare(disk.readFile('f') ?? filled(0, 0), model), `seed ${seed}`).toBe(0)
    file.syncNow()
    const after = disk.afterCrash(seed).readFile('f')
    expect(Buffer.compare(after ?? filled(0, 0), model), `seed ${seed} after the crash`).toBe(0)
  }
})

test('SimulatedDisk.afterCrash() shows zeros, not lost bytes, when a file grows over where they were', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const disk = new SimulatedDisk()
    const file = disk.open('f', 'create')
    file.write(new Uint8Array(100).fill(1), 0)
    file.syncNow()
    disk.syncDirectoryNow('.')
    file.write(new Uint8Array(2000).fill(2), 100)
    const found = disk.afterCrash(seed)
    const again = found.open('f', 'write')
    const { size } = found.status('f') ?? { size: 0 }
    again.write(Uint8Array.of(3), 5000)
    again.syncNow()
    const later = found.afterCrash(seed).readFile('f') ?? new Uint8Array()
    expect(
      later.subarray(size, 5000).some((byte) => byte !== 0),
      `seed ${seed}`,
    ).toBe(false)
  }
})
