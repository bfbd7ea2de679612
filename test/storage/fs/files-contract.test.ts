// What every `Files` does, tried on the machine's (with and without the C library) and on the simulated disk.
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, describe, expect, test } from 'vitest'
import { systemCode } from '#storage/base/errors.ts'
import type { Files } from '#storage/fs/files.ts'
import { loadLibc } from '#storage/fs/libc.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'

const root = mkdtempSync(`${tmpdir()}/millrace-files-`)
afterAll(() => rmSync(root, { recursive: true }))
let count = 0

/** A directory of its own for one test. */
function directoryOn(files: Files): string {
  const path = `${root}/${count++}`
  files.makeDirectory(path)
  return path
}

/** The system code of what `action` throws; `none` when it returns. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return 'none'
  } catch (error) {
    return systemCode(error)
  }
}

const bytes = (...values: number[]) => Uint8Array.from(values)
const numbered = (size: number) => Uint8Array.from({ length: size }, (_, at) => at * 31)

function content(files: Files, path: string): number[] | undefined {
  const found = files.readFile(path)
  return found && [...found]
}

describe.each([
  { system: 'node files', files: createNodeFiles() },
  { system: 'node files without a C library', files: createNodeFiles({ useLibc: false }) },
  { system: 'the simulated disk', files: new SimulatedDisk() as Files },
])('$system', ({ files }) => {
  test('OpenFile.write() puts bytes at their position, whatever the order of the writes', () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'write')
    file.write(bytes(7, 8), 4)
    file.write(bytes(1, 2), 0)
    file.write(bytes(9), 1)
    expect(file.size()).toBe(6)
    expect(content(files, path)).toEqual([1, 9, 0, 0, 7, 8])
    file.close()
  })

  test('OpenFile.read() fills the target, or as much as the file holds', () => {
    const file = files.open(`${directoryOn(files)}/f`, 'write')
    file.write(bytes(1, 2, 3, 4, 5), 0)
    const target = new Uint8Array(4)
    expect(file.read(target, 1)).toBe(4)
    expect([...target]).toEqual([2, 3, 4, 5])
    expect(file.read(target, 3)).toBe(2)
    expect([...target]).toEqual([4, 5, 4, 5])
    expect(file.read(target, 5)).toBe(0)
    expect(file.read(target, 100)).toBe(0)
    expect(file.read(new Uint8Array(0), 0)).toBe(0)
    file.close()
  })

  test('OpenFile.read() and write() honour views into larger buffers', () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'write')
    file.write(bytes(0, 1, 2, 3, 4).subarray(1, 3), 0)
    expect(content(files, path)).toEqual([1, 2])
    const target = new Uint8Array(6)
    expect(file.read(target.subarray(2, 4), 0)).toBe(2)
    expect([...target]).toEqual([0, 0, 1, 2, 0, 0])
    file.close()
  })

  test('OpenFile.write() takes more bytes than one page, at an odd position', () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'write')
    const large = numbered(300_001)
    file.write(large, 13)
    expect(file.size()).toBe(300_014)
    expect(Buffer.compare(files.readFile(path)?.subarray(13) ?? bytes(), large)).toBe(0)
    file.close()
  })

  test('OpenFile.truncate() cuts and lengthens, with zeros', () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'write')
    file.write(bytes(1, 2, 3), 0)
    file.truncate(1)
    expect(content(files, path)).toEqual([1])
    file.truncate(3)
    expect(content(files, path)).toEqual([1, 0, 0])
    file.close()
  })

  test('OpenFile.sync() and syncNow() resolve', async () => {
    const file = files.open(`${directoryOn(files)}/f`, 'write')
    file.write(bytes(1), 0)
    await file.sync()
    file.write(bytes(2), 1)
    file.syncNow()
    await Promise.all([file.sync(), file.sync()])
    file.close()
  })

  test('OpenFile.close() lets a sync under way finish', async () => {
    const file = files.open(`${directoryOn(files)}/f`, 'write')
    file.write(numbered(100_000), 0)
    const synced = file.sync()
    file.close()
    await synced
  })

  test('OpenFile.writeBehind() changes nothing, also when the file is closed meanwhile', () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'write')
    file.write(numbered(100_000), 0)
    const isBegun = file.writeBehind(0, 65_536)
    // One at a time: the second may be for later.
    const isNextBegun = file.writeBehind(65_536, 34_464)
    expect(isBegun || !isNextBegun).toBe(true)
    file.close()
    expect(codeOf(() => file.writeBehind(0, 1))).toBe('EBADF')
    expect(content(files, path)).toEqual([...numbered(100_000)])
  })

  test.each(['size', 'read', 'write', 'truncate', 'syncNow'] as const)(
    'OpenFile.%s() fails with EBADF after close()',
    (call) => {
      const file = files.open(`${directoryOn(files)}/f`, 'write')
      file.close()
      file.close()
      const calls = {
        size: () => file.size(),
        read: () => file.read(new Uint8Array(1), 0),
        write: () => file.write(bytes(1), 0),
        truncate: () => file.truncate(0),
        syncNow: () => file.syncNow(),
      }
      expect(codeOf(calls[call])).toBe('EBADF')
    },
  )

  test('OpenFile follows its file through a rename and a removal', () => {
    const directory = directoryOn(files)
    const file = files.open(`${directory}/a`, 'write')
    file.write(bytes(1), 0)
    files.rename(`${directory}/a`, `${directory}/b`)
    file.write(bytes(2), 1)
    expect(content(files, `${directory}/b`)).toEqual([1, 2])
    files.remove(`${directory}/b`)
    file.write(bytes(3), 2)
    expect(file.size()).toBe(3)
    expect(files.status(`${directory}/b`)).toBeUndefined()
    file.close()
  })

  test('Files.open() keeps to its modes', () => {
    const path = `${directoryOn(files)}/f`
    expect(codeOf(() => files.open(path, 'read'))).toBe('ENOENT')
    files.open(path, 'create').close()
    expect(codeOf(() => files.open(path, 'create'))).toBe('EEXIST')
    const writer = files.open(path, 'write')
    writer.write(bytes(5), 0)
    writer.close()
    const again = files.open(path, 'write')
    expect(again.size()).toBe(1)
    again.close()
    const reader = files.open(path, 'read')
    expect(codeOf(() => reader.write(bytes(1), 0))).toBe('EBADF')
    reader.close()
    expect(codeOf(() => files.open(`${path}-none/f`, 'write'))).toBe('ENOENT')
  })

  test('Files.readFile() and status() give undefined for what is missing', () => {
    const directory = directoryOn(files)
    files.open(`${directory}/f`, 'create').close()
    expect(files.readFile(`${directory}/none`)).toBeUndefined()
    expect(files.readFile(`${directory}/f/below`)).toBeUndefined()
    expect(files.status(`${directory}/none`)).toBeUndefined()
    expect(files.status(`${directory}/f/below`)).toBeUndefined()
    expect(content(files, `${directory}/f`)).toEqual([])
    expect(files.status(directory)?.isDirectory).toBe(true)
    expect(files.status(`${directory}/f`)).toMatchObject({ size: 0, isDirectory: false })
  })

  test('Files.readFile() gives a plain Uint8Array', () => {
    const path = `${directoryOn(files)}/f`
    files.open(path, 'create').close()
    expect(files.readFile(path)?.constructor).toBe(Uint8Array)
  })

  test('Files.list() names files and directories', () => {
    const directory = directoryOn(files)
    files.makeDirectory(`${directory}/x/y`)
    files.makeDirectory(`${directory}/x`)
    files.open(`${directory}/f`, 'create').close()
    const entries = files.list(directory).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    expect(entries).toEqual([
      { name: 'f', isDirectory: false },
      { name: 'x', isDirectory: true },
    ])
    expect(files.list(`${directory}/x`)).toEqual([{ name: 'y', isDirectory: true }])
    expect(codeOf(() => files.list(`${directory}/none`))).toBe('ENOENT')
  })

  test('Files.rename() replaces a file and moves a directory with its content', () => {
    const directory = directoryOn(files)
    for (const [name, value] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      const file = files.open(`${directory}/${name}`, 'create')
      file.write(bytes(value), 0)
      file.close()
    }
    files.rename(`${directory}/a`, `${directory}/b`)
    expect(content(files, `${directory}/b`)).toEqual([1])
    expect(files.status(`${directory}/a`)).toBeUndefined()
    files.makeDirectory(`${directory}/t-0`)
    files.rename(`${directory}/b`, `${directory}/t-0/b`)
    files.rename(`${directory}/t-0`, `${directory}/t-0.x-delete`)
    expect(content(files, `${directory}/t-0.x-delete/b`)).toEqual([1])
    expect(codeOf(() => files.rename(`${directory}/none`, `${directory}/c`))).toBe('ENOENT')
  })

  test('Files.remove() and removeDirectory() accept what is missing', () => {
    const directory = directoryOn(files)
    files.makeDirectory(`${directory}/x/y`)
    files.open(`${directory}/x/y/f`, 'create').close()
    files.remove(`${directory}/none`)
    files.removeDirectory(`${directory}/none`)
    files.removeDirectory(`${directory}/x`)
    expect(files.list(directory)).toEqual([])
  })

  test('Files.setModified() is read back to the millisecond', () => {
    const path = `${directoryOn(files)}/f`
    files.open(path, 'create').close()
    for (const ms of [0, 1, 999, 1_700_000_000_001, 1_700_000_000_123, 1_700_000_000_999]) {
      files.setModified(path, ms)
      expect(files.status(path)?.modifiedMs).toBe(ms)
    }
  })

  test('Files.syncDirectory() resolves for a directory and rejects for a missing one', async () => {
    const directory = directoryOn(files)
    files.syncDirectoryNow(directory)
    await files.syncDirectory(directory)
    const code = await files.syncDirectory(`${directory}/none`).catch(systemCode)
    expect(code).toBe('ENOENT')
  })

  test('Files.lock() is held once until released', () => {
    const path = `${directoryOn(files)}/.lock`
    const lock = files.lock(path)
    expect(lock).toBeDefined()
    expect(files.lock(path)).toBeUndefined()
    lock?.release()
    lock?.release()
    const again = files.lock(path)
    expect(again).toBeDefined()
    again?.release()
  })

  test('Files.space() says what is there', () => {
    const { totalBytes, usableBytes } = files.space(root)
    expect(totalBytes).toBeGreaterThan(0)
    expect(usableBytes).toBeGreaterThan(0)
    expect(usableBytes).toBeLessThanOrEqual(totalBytes)
  })

  test('Files.map() shows the file once populated, later writes included', async () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'create')
    const size = 3 * 4096 + 100
    const written = numbered(size)
    file.write(written, 0)
    const map = files.map(path, size)
    if (map === undefined) return
    expect(map.populate(0, size)).toBe(true)
    expect(map.isResident(0, size)).toBe(true)
    expect(map.bytes.length).toBe(size)
    expect(Buffer.compare(map.bytes, written)).toBe(0)
    file.write(bytes(1, 2, 3), 5000)
    expect([...map.bytes.subarray(5000, 5003)]).toEqual([1, 2, 3])
    expect(await map.populateInBackground(4000, 5000)).toBe(true)
    expect(map.populate(-1, 10)).toBe(false)
    expect(map.populate(0, size + 1)).toBe(false)
    map.unmap()
    file.close()
  })

  test('FileMap.unmap() empties every view, and the map refuses from then on', async () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'create')
    file.write(numbered(10_000), 0)
    file.close()
    const map = files.map(path, 10_000)
    if (map === undefined) return
    map.populate(0, 10_000)
    const view = map.bytes.subarray(100, 200)
    expect(view.length).toBe(100)
    const background = map.populateInBackground(0, 10_000)
    map.unmap()
    map.unmap()
    expect(view.length).toBe(0)
    expect(map.bytes.length).toBe(0)
    expect(map.populate(0, 1)).toBe(false)
    expect(map.isResident(0, 1)).toBe(false)
    await background
    expect(await map.populateInBackground(0, 1)).toBe(false)
  })

  test('FileMap.populate() reports a range that the file lost as EIO instead of letting it be touched', async () => {
    const path = `${directoryOn(files)}/f`
    const file = files.open(path, 'create')
    file.write(numbered(16_384), 0)
    const map = files.map(path, 16_384)
    if (map === undefined) return
    file.truncate(4096)
    expect(map.populate(0, 4096)).toBe(true)
    expect(codeOf(() => map.populate(0, 16_384))).toBe('EIO')
    const code = await map.populateInBackground(8192, 100).catch(systemCode)
    expect(code).toBe('EIO')
    map.unmap()
    file.close()
  })

  test('Files.map() keeps its file through a rename and a removal', () => {
    const directory = directoryOn(files)
    const file = files.open(`${directory}/a`, 'create')
    file.write(bytes(4, 5, 6), 0)
    file.close()
    const map = files.map(`${directory}/a`, 3)
    if (map === undefined) return
    files.rename(`${directory}/a`, `${directory}/b`)
    files.remove(`${directory}/b`)
    expect(map.populate(0, 3)).toBe(true)
    expect([...map.bytes]).toEqual([4, 5, 6])
    map.unmap()
    expect(codeOf(() => files.map(`${directory}/b`, 3))).toBe('ENOENT')
  })
})

test('createNodeFiles() maps on Linux, and only with the C library', () => {
  const path = `${root}/mapped`
  const files = createNodeFiles()
  const file = files.open(path, 'create')
  file.write(bytes(1), 0)
  file.close()
  const map = files.map(path, 1)
  expect(map !== undefined).toBe(process.platform === 'linux')
  map?.unmap()
  expect(createNodeFiles({ useLibc: false }).map(path, 1)).toBeUndefined()
})

test.skipIf(loadLibc() === undefined)(
  'OpenFile.writeBehind() has one range written at a time, then the next',
  async () => {
    const files = createNodeFiles()
    const open = (name: string) => files.open(`${root}/${name}`, 'create')
    const [first, second] = [open('behind-1'), open('behind-2')]
    for (const file of [first, second]) file.write(numbered(3_000_000), 0)
    expect(first.writeBehind(0, 2_000_000)).toBe(true)
    expect(second.writeBehind(0, 2_000_000)).toBe(false)
    first.close()
    await expect.poll(() => second.writeBehind(0, 2_000_000), { timeout: 20_000 }).toBe(true)
    second.close()
    expect(createNodeFiles({ useLibc: false }).open(`${root}/f`, 'write').writeBehind(0, 1)).toBe(
      false,
    )
  },
)

test.skipIf(loadLibc() === undefined)(
  'Libc.writeInBackground() writes ranges of files, and of nothing else',
  async () => {
    const write = async (path: string) => {
      const fd = openSync(path, 'a')
      try {
        return await loadLibc()?.writeInBackground?.(fd, 0, 4096)
      } finally {
        closeSync(fd)
      }
    }
    expect(await write(`${root}/written`)).toBe(0)
    expect(await write('/dev/null')).toBe(-1)
  },
)
