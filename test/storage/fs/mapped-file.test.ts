// Maps on a real file system: residency, addresses, failing media.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import { systemCode } from '#storage/base/errors.ts'
import { loadLibc } from '#storage/fs/libc.ts'
import { mapFile } from '#storage/fs/mapped-file.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'

const root = mkdtempSync(`${tmpdir()}/millrace-map-`)
afterAll(() => rmSync(root, { recursive: true }))
const files = createNodeFiles()
const libc = loadLibc()
const MB = 1_048_576

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = files.open(path, 'write')
  file.write(bytes, 0)
  file.syncNow()
  file.close()
}

/** Drops one file from the page cache (posix_fadvise); false where there is no tool for it. */
function dropFromCache(path: string): boolean {
  const result = spawnSync(
    'dd',
    [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'],
    {
      stdio: 'ignore',
    },
  )
  return result.status === 0
}

test.skipIf(!libc)(
  'MappedFile.isResident() tells a dropped range from one in memory, and populate() brings it back',
  async () => {
    const path = `${root}/cold`
    writeDurably(path, new Uint8Array(4 * MB).fill(5))
    expect(dropFromCache(path)).toBe(true)
    const map = files.map(path, 4 * MB)
    expect(map?.isResident(0, 4 * MB)).toBe(false)
    expect(map?.populate(0, 100)).toBe(true)
    expect(map?.isResident(0, 100)).toBe(true)
    expect(await map?.populateInBackground(0, 4 * MB)).toBe(true)
    expect(map?.isResident(0, 4 * MB)).toBe(true)
    expect(map?.bytes.every((byte) => byte === 5)).toBe(true)
    map?.unmap()
  },
)

test.skipIf(!libc)('MappedFile.unmap() does not pull the file into memory', () => {
  const path = `${root}/untouched`
  writeDurably(path, new Uint8Array(4 * MB).fill(5))
  expect(dropFromCache(path)).toBe(true)
  files.map(path, 4 * MB)?.unmap()
  const map = files.map(path, 4 * MB)
  expect(map?.isResident(0, 4 * MB)).toBe(false)
  map?.unmap()
})

test.skipIf(!libc)('MappedFile.unmap() gives the addresses back', () => {
  const path = `${root}/many`
  writeDurably(path, new Uint8Array(MB))
  const mapped = () =>
    execFileSync('grep', ['-c', path, `/proc/${process.pid}/maps`])
      .toString()
      .trim()
  const kept = files.map(path, MB)
  for (let round = 0; round < 200; round++) files.map(path, MB)?.unmap()
  expect(mapped()).toBe('1')
  kept?.unmap()
})

test.skipIf(!libc)(
  'MappedFile.unmap() waits with the addresses for a populate in the background',
  async () => {
    const path = `${root}/busy`
    writeDurably(path, new Uint8Array(4 * MB))
    for (let round = 0; round < 20; round++) {
      const map = files.map(path, 4 * MB)
      const populated = map?.populateInBackground(0, 4 * MB)
      map?.unmap()
      expect(await populated).toBe(false)
    }
  },
)

test.skipIf(!libc)(
  'MappedFile.unmap() gives the addresses back after, not during, a populate in the background',
  async () => {
    if (libc === undefined) return
    const path = `${root}/slow`
    writeDurably(path, new Uint8Array(MB))
    const { promise, resolve } = Promise.withResolvers<number>()
    let unmaps = 0
    const stub = {
      ...libc,
      populateInBackground: () => promise,
      munmap: (...values: Parameters<typeof libc.munmap>) => {
        unmaps++
        return libc.munmap(...values)
      },
    }
    const map = mapFile(stub, path, MB)
    const populated = map.populateInBackground(0, MB)
    map.unmap()
    expect(unmaps).toBe(0)
    resolve(0)
    expect(await populated).toBe(false)
    expect(unmaps).toBe(1)
  },
)

test.skipIf(!libc)('MappedFile reports what open says', () => {
  expect(() => files.map(`${root}/none`, 10)).toThrow('ENOENT')
})

test.skipIf(!libc)(
  'MappedFile.populate() falls back where the kernel lacks the call, and reports faults as EIO',
  () => {
    if (libc === undefined) return
    const path = `${root}/codes`
    writeDurably(path, new Uint8Array(MB))
    const populateWith = (...codes: string[]) => {
      let calls = 0
      const stub = {
        ...libc,
        populate: () => (calls++ < codes.length ? -1 : 0),
        errorName: () => codes[calls - 1] ?? '',
      }
      const map = mapFile(stub, path, MB)
      try {
        return map.populate(0, 10)
      } catch (error) {
        return systemCode(error)
      } finally {
        map.unmap()
      }
    }
    expect(populateWith()).toBe(true)
    expect(populateWith('EINVAL')).toBe(false)
    expect(populateWith('ENOMEM')).toBe(false)
    expect(populateWith('EINTR', 'EAGAIN')).toBe(true)
    expect(populateWith('EFAULT')).toBe('EIO')
    expect(populateWith('EHWPOISON')).toBe('EIO')
  },
)

/** An ext4 in a file, mounted; undefined without the right to. */
function mountLoop(): { directory: string; image: string; unmount(): void } | undefined {
  const image = `${root}/image`
  const directory = `${root}/mounted`
  try {
    writeFileSync(image, '')
    truncateSync(image, 64 * MB)
    execFileSync('mkfs.ext4', ['-qF', image], { stdio: 'ignore' })
    files.makeDirectory(directory)
    execFileSync('mount', ['-o', 'loop', image, directory], { stdio: 'ignore' })
    return { directory, image, unmount: () => void spawnSync('umount', ['-l', directory]) }
  } catch {
    return undefined
  }
}

const loop =
  libc && existsSync('/dev/loop-control') && process.getuid?.() === 0 ? mountLoop() : undefined
afterAll(() => loop?.unmount())

test.skipIf(!loop)(
  'MappedFile.populate() reports failing media as EIO where a touch would end the process (root)',
  async () => {
    if (loop === undefined) return
    const path = `${loop.directory}/segment`
    writeDurably(path, new Uint8Array(40 * MB).fill(7))
    const map = files.map(path, 40 * MB)
    // Mapped and evicted, on a medium that has lost its second half. (Pages that were touched would not be dropped.)
    truncateSync(loop.image, 20 * MB)
    expect(dropFromCache(path)).toBe(true)
    expect(map?.isResident(36 * MB, MB)).toBe(false)
    expect(() => map?.populate(36 * MB, MB)).toThrow('EIO')
    expect(await map?.populateInBackground(36 * MB, MB).catch(systemCode)).toBe('EIO')
    map?.unmap()
  },
)
