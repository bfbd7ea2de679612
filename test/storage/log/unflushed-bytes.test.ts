// What may wait in the page cache of one log directory.
import { expect, test } from 'vitest'
import { type DirtyLog, UnflushedBytes } from '#storage/log/unflushed-bytes.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle } from '../../simulation/virtual-clock.ts'
import { append, batchOf, environmentOn, openLog } from './log-fixture.ts'

const MAX_BYTES = 1_000

/** A disk whose syncs begin and end when the test says so, once it holds them. */
function holdingDisk() {
  const held: (() => void)[] = []
  let isHolding = false
  const schedule = (work: () => void) => void (isHolding ? held.push(work) : work())
  const disk = new SimulatedDisk({ schedule })
  return {
    disk,
    held,
    hold: () => {
      isHolding = true
    },
    /** Ends the syncs under way, and those that follow from them. */
    async release(count = Infinity) {
      for (let number = 0; number < count && held.length > 0; number++) {
        held.shift()?.()
        await settle()
      }
    },
  }
}

/** Two logs in one directory, on a disk that holds their syncs. */
async function twoLogs() {
  const machine = holdingDisk()
  const unflushed = new UnflushedBytes(MAX_BYTES)
  const environment = environmentOn(machine.disk)
  const settings = { unflushed, environment }
  const { log: small } = await openLog(machine.disk, { ...settings, directory: '/data/small-0' })
  const { log: large } = await openLog(machine.disk, { ...settings, directory: '/data/large-0' })
  for (const log of [small, large]) append(log, batchOf(['the first of its epoch']), true)
  await settle()
  machine.hold()
  const fill = (log: typeof small, bytes: number) => append(log, batchOf(['x'.repeat(bytes)]))
  return { ...machine, unflushed, small, large, fill }
}

test('UnflushedBytes counts what the logs of a directory have not synced', async () => {
  const { unflushed, small, large, fill } = await twoLogs()
  expect(unflushed.total).toBe(0)
  fill(small, 100)
  fill(large, 300)
  expect(unflushed.total).toBe(small.unflushedBytes + large.unflushedBytes)
  expect(unflushed.total).toBeGreaterThan(400)
})

test('UnflushedBytes has the largest log synced when there are too many, and the other one not', async () => {
  const { unflushed, held, small, large, fill, release } = await twoLogs()
  fill(small, 100)
  fill(large, 700)
  expect(held.length).toBe(0)
  fill(large, 200)
  expect(held.length).toBe(1)
  expect(unflushed.room()).toBeUndefined()
  await release()
  expect({ small: small.durableOffset, large: large.durableOffset }).toEqual({ small: 1, large: 3 })
  expect(unflushed.total).toBe(small.unflushedBytes)
})

test('UnflushedBytes.room() has appends wait above twice the bound, and ends the wait when it is kept again', async () => {
  const { unflushed, small, large, fill, release } = await twoLogs()
  for (let number = 0; number < 3; number++) fill(large, 500)
  expect(unflushed.total).toBeLessThan(2 * MAX_BYTES)
  expect(large.room()).toBeUndefined()
  fill(small, 500)
  expect(unflushed.total).toBeGreaterThan(2 * MAX_BYTES)
  let hasRoom = false
  void small.room()?.then(() => {
    hasRoom = true
  })
  expect(small.room()).toBeDefined()
  await settle()
  expect(hasRoom).toBe(false)
  // The first sync serves what was there when it began; what came later needs another.
  await release(1)
  expect({ hasRoom, total: unflushed.total > MAX_BYTES }).toEqual({ hasRoom: false, total: true })
  await release()
  expect({ hasRoom, room: small.room() }).toEqual({ hasRoom: true, room: undefined })
})

test('UnflushedBytes ends the wait when the log that filled it is closed', async () => {
  const { unflushed, small, large, fill } = await twoLogs()
  for (let number = 0; number < 4; number++) fill(large, 600)
  const room = small.room()
  expect(room).toBeDefined()
  large.closeNow()
  await room
  expect(unflushed.total).toBe(0)
})

test('UnflushedBytes goes through the largest of many logs, a few at a time', () => {
  const unflushed = new UnflushedBytes(MAX_BYTES)
  let underWay = 0
  let most = 0
  const flushed: number[] = []
  const ready: (() => void)[] = []
  class Log implements DirtyLog {
    unflushedBytes = 0
    set(bytes: number): void {
      const change = bytes - this.unflushedBytes
      this.unflushedBytes = bytes
      unflushed.note(this, change)
    }
    flushSoon(): void {
      flushed.push(this.unflushedBytes)
      most = Math.max(most, ++underWay)
      ready.push(() => {
        underWay--
        this.set(0)
      })
    }
  }
  const logs = Array.from({ length: 200 }, () => new Log())
  for (const [index, log] of logs.entries()) log.set(1 + (index % 10))
  expect(flushed.length).toBe(16)
  expect(flushed.slice(0, 5)).toEqual([10, 10, 10, 10, 10])
  for (let next = ready.shift(); next; next = ready.shift()) next()
  expect(most).toBe(16)
  expect(unflushed.total).toBeLessThanOrEqual(MAX_BYTES / 2)
  expect(flushed.length).toBeLessThan(100)
})

test('UnflushedBytes.room() lets nobody overtake those who wait', () => {
  const unflushed = new UnflushedBytes(100)
  const log = { unflushedBytes: 0, flushSoon: () => undefined }
  const note = (change: number) => {
    log.unflushedBytes += change
    unflushed.note(log, change)
  }
  note(201)
  const first = unflushed.room()
  expect(first).toBeDefined()
  note(-50)
  expect(unflushed.room()).toBe(first)
  note(-51)
  expect(unflushed.room()).toBeUndefined()
})
