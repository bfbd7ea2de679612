// Replacing a file: a crash at every step, a failure of every call.
import { expect, test } from 'vitest'
import { systemCode } from '#storage/base/errors.ts'
import { parentOf, replaceFile, replaceFileNow } from '#storage/fs/atomic-file.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { MachineStopped } from '../../simulation/simulated-faults.ts'

const OLD = new Uint8Array(1500).fill(1)
const NEW = new Uint8Array(2100).fill(2)

/** A disk on which `d/checkpoint` durably holds OLD. */
function diskWithOld(seed = 1): SimulatedDisk {
  const disk = new SimulatedDisk({ seed })
  disk.makeDirectory('d')
  disk.syncDirectoryNow('/')
  replaceFileNow(disk, 'd/checkpoint', OLD)
  return disk
}

function isEither(content: Uint8Array | undefined): 'old' | 'new' | 'other' {
  if (content === undefined) return 'other'
  if (Buffer.compare(content, OLD) === 0) return 'old'
  return Buffer.compare(content, NEW) === 0 ? 'new' : 'other'
}

const variants = [
  { name: 'replaceFile', replace: replaceFile },
  {
    name: 'replaceFileNow',
    replace: async (...values: Parameters<typeof replaceFileNow>) => replaceFileNow(...values),
  },
]

test.each(variants)(
  '$name() leaves the new content, and no temporary file',
  async ({ replace }) => {
    const disk = diskWithOld()
    await replace(disk, 'd/checkpoint', NEW)
    expect(isEither(disk.readFile('d/checkpoint'))).toBe('new')
    expect(disk.list('d').map(({ name }) => name)).toEqual(['checkpoint'])
    for (let seed = 0; seed < 20; seed++) {
      expect(isEither(disk.afterCrash(seed).readFile('d/checkpoint')), `seed ${seed}`).toBe('new')
    }
  },
)

test.each(variants)(
  '$name() keeps old or new content when the power goes at any step',
  async ({ replace }) => {
    const outcomes = new Set<string>()
    for (let step = 1; ; step++) {
      const disk = diskWithOld()
      disk.faults.stopAtChange(step)
      const error = await replace(disk, 'd/checkpoint', NEW).catch((thrown: unknown) => thrown)
      for (let seed = 0; seed < 40; seed++) {
        const after = disk.afterCrash(seed)
        const outcome = isEither(after.readFile('d/checkpoint'))
        expect(outcome, `step ${step}, seed ${seed}`).not.toBe('other')
        outcomes.add(outcome)
        // What the crash left over must not be in the way of the next replacement.
        await replace(after, 'd/checkpoint', NEW)
        expect(isEither(after.readFile('d/checkpoint')), `step ${step}, seed ${seed}`).toBe('new')
      }
      if (error === undefined) break
      expect(error).toBeInstanceOf(MachineStopped)
    }
    expect([...outcomes].toSorted()).toEqual(['new', 'old'])
  },
)

test.each(
  variants.flatMap((variant) =>
    (['open', 'truncate', 'write', 'sync', 'rename'] as const).map((on) => ({ ...variant, on })),
  ),
)('$name() keeps the old content when $on fails, and cleans up', async ({ replace, on }) => {
  const disk = diskWithOld()
  disk.fail({ on, code: 'ENOSPC' })
  const error = await replace(disk, 'd/checkpoint', NEW).catch((thrown: unknown) => thrown)
  expect(systemCode(error)).toBe('ENOSPC')
  expect(isEither(disk.readFile('d/checkpoint'))).toBe('old')
  expect(disk.list('d').map(({ name }) => name)).toEqual(['checkpoint'])
  expect(disk.openFiles).toBe(0)
  await replace(disk, 'd/checkpoint', NEW)
  expect(isEither(disk.readFile('d/checkpoint'))).toBe('new')
})

test('replaceFile() calls for one path queue up, and the last content stays', async () => {
  const pending: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => pending.push(work) })
  const first = replaceFile(disk, 'f', OLD)
  const second = replaceFile(disk, 'f', NEW)
  const other = replaceFile(disk, 'g', OLD)
  for (let round = 0; round < 20; round++) {
    for (const work of pending.splice(0)) work()
    await Promise.resolve()
  }
  await Promise.all([first, second, other])
  expect(isEither(disk.readFile('f'))).toBe('new')
  expect(isEither(disk.afterCrash(1).readFile('f'))).toBe('new')
  expect(isEither(disk.readFile('g'))).toBe('old')
})

test('replaceFile() that fails does not stop the next one', async () => {
  const disk = new SimulatedDisk()
  disk.fail({ on: 'write', code: 'ENOSPC' })
  const first = replaceFile(disk, 'f', OLD).catch(systemCode)
  await replaceFile(disk, 'f', NEW)
  expect(await first).toBe('ENOSPC')
  expect(isEither(disk.readFile('f'))).toBe('new')
})

test('replaceFileNow() overtakes a replaceFile() under way, whose content never comes back', async () => {
  const pending: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => pending.push(work) })
  const overtaken = [replaceFile(disk, 'f', OLD), replaceFile(disk, 'f', OLD)]
  replaceFileNow(disk, 'f', NEW)
  for (const work of pending.splice(0)) work()
  await Promise.all(overtaken)
  expect(isEither(disk.readFile('f'))).toBe('new')
  expect(isEither(disk.afterCrash(1).readFile('f'))).toBe('new')
})

test('replaceFile() reports the failure of the replaceFileNow() that overtook it', async () => {
  const pending: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => pending.push(work) })
  const overtaken = replaceFile(disk, 'f', OLD).catch(systemCode)
  disk.fail({ on: 'rename', code: 'EIO' })
  expect(() => replaceFileNow(disk, 'f', NEW)).toThrow('EIO')
  for (const work of pending.splice(0)) work()
  expect(await overtaken).toBe('EIO')
  expect(disk.readFile('f')).toBeUndefined()
})

test('replaceFile() makes a file that did not exist, in the working directory too', async () => {
  const disk = new SimulatedDisk()
  await replaceFile(disk, 'fresh', NEW)
  expect(isEither(disk.afterCrash(3).readFile('fresh'))).toBe('new')
})

test.each([
  { path: 'a/b/c', parent: 'a/b' },
  { path: '/a', parent: '/' },
  { path: 'a', parent: '.' },
])('parentOf() of $path is $parent', ({ path, parent }) => {
  expect(parentOf(path)).toBe(parent)
})
