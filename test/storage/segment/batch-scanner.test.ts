// The scan of recovery, where batches are larger than its window and where they are not.
import { expect, test } from 'vitest'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { BatchScanner } from '#storage/segment/batch-scanner.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'

const MIB = 1_048_576

/** A batch of one record with a value of `bytes` at `baseOffset`. */
function batchAt(baseOffset: number, bytes: number): Uint8Array {
  const value = new SeededRandom(baseOffset).bytes(bytes)
  return buildBatch([{ value, timestamp: 1_000 }], { baseOffset, leaderEpoch: 0 })
}

/** A file with these batches behind one another, and where each begins. */
function fileOf(batches: readonly Uint8Array[]) {
  const disk = new SimulatedDisk()
  const file = disk.open('segment', 'create')
  const positions: number[] = []
  let size = 0
  for (const batch of batches) {
    positions.push(size)
    file.write(batch, size)
    size += batch.length
  }
  return { disk, file, positions, size }
}

const sizes = [100, MIB - 200, MIB, MIB + 1, 3 * MIB + 17, 50]

test('BatchScanner.read() finds batches smaller and larger than its window, whole', () => {
  const batches = sizes.map((bytes, offset) => batchAt(offset, bytes))
  const { file, positions, size } = fileOf(batches)
  const buffers = new ReadBufferPool()
  const scanner = new BatchScanner(file, size, buffers)
  for (const [offset, position] of positions.entries()) {
    const found = scanner.read(position)
    expect(found?.header).toMatchObject({ baseOffset: offset, position })
    const bytes = found?.batch?.bytes ?? new Uint8Array(0)
    expect(Buffer.compare(bytes, batches[offset] ?? new Uint8Array(0))).toBe(0)
  }
  expect(scanner.read(size)).toBeUndefined()
  scanner.release()
  expect(buffers.stats.lentBytes).toBe(0)
})

test.each([
  { why: 'in its header', at: 20 },
  { why: 'in its first window', at: 5_000 },
  { why: 'between two windows', at: 21 + MIB },
  { why: 'in its last byte', at: 3 * MIB },
])('BatchScanner refuses a batch of several windows that is damaged $why', ({ at }) => {
  const { disk, file, size } = fileOf([batchAt(0, 3 * MIB), batchAt(1, 10)])
  const end = at === 3 * MIB ? batchAt(0, 3 * MIB).length - 1 : at
  disk.flipBit('segment', end, 3)
  const scanner = new BatchScanner(file, size, new ReadBufferPool())
  expect(scanner.read(0)).toBeUndefined()
})

test('BatchScanner refuses a batch of several windows whose end is missing', () => {
  const { file, size } = fileOf([batchAt(0, 3 * MIB)])
  expect(new BatchScanner(file, size - 1, new ReadBufferPool()).read(0)).toBeUndefined()
  file.truncate(size - 1)
  expect(new BatchScanner(file, size, new ReadBufferPool()).read(0)).toBeUndefined()
})

test('BatchScanner.search() finds the next intact batch behind megabytes of damage', () => {
  const { disk, file, positions, size } = fileOf([
    batchAt(0, 10),
    batchAt(1, 2 * MIB + 100),
    batchAt(2, 2 * MIB),
    batchAt(3, 10),
  ])
  const [, damaged = 0, next = 0] = positions
  disk.flipBit('segment', damaged + MIB, 0)
  const scanner = new BatchScanner(file, size, new ReadBufferPool())
  let at = damaged
  let found: ReturnType<typeof scanner.search>['found']
  for (let rounds = 0; !found && at < size; rounds++) {
    expect(rounds).toBeLessThan(10)
    const step = scanner.search(at, 1)
    found = step.found
    at = step.searchedTo
  }
  expect(found?.header).toMatchObject({ baseOffset: 2, position: next })
})

test('BatchScanner takes nothing from what a borrowed window held before', () => {
  const buffers = new ReadBufferPool()
  const first = fileOf([batchAt(0, 1_000)])
  const scanner = new BatchScanner(first.file, first.size, buffers)
  expect(scanner.read(0)).toBeDefined()
  scanner.release()
  // The same window again, on a file that is shorter than it should be.
  const cut = fileOf([batchAt(0, 1_000).subarray(0, 30)])
  const second = new BatchScanner(cut.file, first.size, buffers)
  expect(second.read(0)).toBeUndefined()
  expect(second.search(0, 0).found).toBeUndefined()
})
