// The page cache is filled as far as memory goes, and no further.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PageCache } from '../../../bench/peers/page-cache.ts'
import { withFolder } from '../../../bench/workspace.ts'

const MIB = 1_048_576
const ROOM = 1000

test('fill() reads on, around the end of its file, until little memory is free', async () => {
  await withFolder((folder) => {
    const free: number[] = []
    const path = join(folder, 'filler')
    const cache = new PageCache(path, 10, () => free.shift() ?? 0)
    expect(statSync(path).size).toBe(10 * MIB)
    free.push(ROOM, ROOM)
    expect(cache.fill()).toBe(8)
    expect(cache.fill()).toBe(0)
    free.push(ROOM, ROOM)
    // The rest of the file, and its beginning again.
    expect(cache.fill()).toBe(2 + 4)
    cache.close()
    return Promise.resolve()
  })
})

test('fill() ends where more memory is free than its file can fill', async () => {
  await withFolder((folder) => {
    const cache = new PageCache(join(folder, 'filler'), 10, () => ROOM)
    expect(cache.fill()).toBeGreaterThanOrEqual(10)
    cache.close()
    return Promise.resolve()
  })
})
