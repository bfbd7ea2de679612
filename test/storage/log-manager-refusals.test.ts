// What the system refuses for a while: logs that could not be opened, and cuts that a crash interrupts.
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import type { TopicPartition } from '#storage/base/topic-partition.ts'
import type { RecoveredLog } from '#storage/recovery-report.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../simulation/virtual-clock.ts'
import { append, batchOf, readAll } from './log/log-fixture.ts'
import { create, decode, EVENTS, namesIn, ORDERS, rewrite, start } from './log-manager-fixture.ts'

const METADATA = '/data/orders-0/partition.metadata'

/** A start that waits for the clock. */
async function startSlowly(disk: SimulatedDisk, settings: Parameters<typeof start>[1] = {}) {
  const clock = settings.clock ?? new VirtualClock()
  return await clock.drive(start(disk, { ...settings, clock }), 10)
}

/** ORDERS with a record beyond its recovery point, EVENTS with some that were deleted; nobody stopped them. */
async function killedDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const { manager } = await start(disk)
  const orders = await create(manager, ORDERS)
  const events = await create(manager, EVENTS)
  append(orders, batchOf(['one', 'two']), true)
  append(events, batchOf(['x', 'y', 'z']), true)
  await Promise.all([orders.flush(), events.flush()])
  events.deleteRecordsBefore(2)
  await events.whenStartSaved()
  await manager.checkpoint('recoveryPoints')
  append(orders, batchOf(['three']), true)
  await orders.flush()
  return disk.afterKill()
}

test('A start tries again to open a log when a descriptor was missing', async () => {
  const disk = await killedDisk()
  disk.fail({ on: 'open', path: 'orders-0', code: 'EMFILE', times: 2 })
  const { manager, report } = await startSlowly(disk)
  expect(report.unreadable).toEqual([])
  expect(manager.log(ORDERS)?.logEndOffset).toBe(3)
  await manager.close(1)
  const next = await start(disk)
  expect(next.manager.hadCleanShutdown).toBe(true)
})

test('A start is refused with KAFKA_STORAGE_ERROR while a descriptor for a directory is missing', async () => {
  const logDirs = ['/data', '/more']
  const disk = new SimulatedDisk()
  await (await start(disk, { logDirs })).manager.close(1)
  disk.fail({ on: 'list', path: '/more', code: 'EMFILE' })
  const refused = { code: 'KAFKA_STORAGE_ERROR', message: 'Listing /more failed with EMFILE' }
  await expect(start(disk, { logDirs })).rejects.toMatchObject(refused)
})

test('A log that a start could not open is opened when it is asked for, once the system lets it', async () => {
  const disk = await killedDisk()
  const clock = new VirtualClock()
  const told: [TopicPartition, RecoveredLog | undefined][] = []
  const problems: unknown[] = []
  let letIn: (() => void) | undefined
  disk.fail({ path: 'orders-0', on: 'open', code: 'EMFILE', times: Number.POSITIVE_INFINITY })
  const { manager, report } = await startSlowly(disk, {
    clock,
    onProblem: (error) => problems.push(error),
    onOpenedLate: async (at, recovered) => {
      told.push([at, recovered])
      await new Promise<void>((resolve) => {
        letIn = resolve
      })
    },
  })
  expect(report.unreadable).toMatchObject([{ topic: 'orders' }])
  expect(() => manager.log(ORDERS)).toThrow(/can't be read/)
  await clock.run(20)
  expect(problems).toHaveLength(1)
  disk.faults.heal()
  // Not at once again.
  expect(() => manager.log(ORDERS)).toThrow(/can't be read/)
  await clock.run(20)
  expect(told).toEqual([])
  await clock.run(1_000)
  expect(() => manager.log(ORDERS)).toThrow(/can't be read/)
  await clock.run(20)
  expect(told).toMatchObject([[ORDERS, { needsNewEpoch: true }]])
  // Nobody uses it before its epoch is raised.
  expect(() => manager.log(ORDERS)).toThrow(/can't be read/)
  letIn?.()
  await clock.run(20)
  expect(readAll(manager.log(ORDERS) as never)).toEqual(['0:one', '1:two', '2:three'])
  await manager.close(1)
  expect((await start(disk)).manager.hadCleanShutdown).toBe(true)
})

test.each([
  { why: 'its files make no sense', spoil: (disk: SimulatedDisk) => rewrite(disk, METADATA, 'x') },
  {
    why: 'the directory fails meanwhile',
    spoil: (disk: SimulatedDisk) => disk.fail({ path: 'orders-0', on: 'sync', code: 'EIO' }),
  },
])('A log that a start could not open does not become a new one when $why', async ({ spoil }) => {
  const disk = await killedDisk()
  const clock = new VirtualClock()
  disk.fail({ path: 'orders-0', on: 'open', code: 'EMFILE', times: Number.POSITIVE_INFINITY })
  const { manager } = await startSlowly(disk, { clock })
  disk.faults.heal()
  spoil(disk)
  for (let asked = 0; asked < 3; asked++) {
    expect(() => manager.log(ORDERS)).toThrow(/orders-0/)
    await clock.run(2_000)
  }
  await expect(create(manager, ORDERS)).rejects.toThrow()
  expect(namesIn(disk)).toContain('orders-0')
})

test('A log that was opened late waits for its epoch until that is raised', async () => {
  const disk = await killedDisk()
  const clock = new VirtualClock()
  const told: (RecoveredLog | undefined)[] = []
  const onOpenedLate = (_: TopicPartition, recovered: RecoveredLog | undefined) => {
    const full = new KafkaError('KAFKA_STORAGE_ERROR', 'The disk is full')
    return told.push(recovered) < 3 ? Promise.reject(full) : Promise.resolve()
  }
  disk.fail({ path: 'orders-0', on: 'open', code: 'EMFILE', times: Number.POSITIVE_INFINITY })
  const { manager } = await startSlowly(disk, { clock, onOpenedLate })
  disk.faults.heal()
  for (let asked = 0; asked < 3; asked++) {
    expect(() => manager.log(ORDERS)).toThrow(/can't be read/)
    await clock.run(2_000)
  }
  expect(told).toMatchObject([1, 2, 3].map(() => ({ needsNewEpoch: true })))
  expect(manager.log(ORDERS)?.logEndOffset).toBe(3)
})

test('A log that a start could not open stays unavailable when its disk fails before its epoch is raised', async () => {
  const disk = await killedDisk()
  const clock = new VirtualClock()
  const raised = Promise.withResolvers<void>()
  const onOpenedLate = () => raised.promise
  disk.fail({ path: 'orders-0', on: 'open', code: 'EMFILE', times: Number.POSITIVE_INFINITY })
  const { manager } = await startSlowly(disk, { clock, onOpenedLate })
  disk.faults.heal()
  expect(() => manager.log(ORDERS)).toThrow(/can't be read/)
  await clock.run(20)
  disk.fail({ on: 'sync', code: 'EIO' })
  append(manager.log(EVENTS) as never, batchOf(['more']), true)
  await clock.run(20)
  raised.resolve()
  await clock.run(20)
  expect(() => manager.log(ORDERS)).toThrow(/is offline/)
})

test('A log that is not open keeps its lines in the checkpoints, and a stop without it is not clean', async () => {
  const disk = await killedDisk()
  disk.fail({ path: 'events-3', on: 'open', code: 'EMFILE', times: Number.POSITIVE_INFINITY })
  const { manager } = await startSlowly(disk)
  append(manager.log(ORDERS) as never, batchOf(['four']), true)
  await manager.close(1)
  disk.faults.heal()
  expect(decode(disk.readFile('/data/recovery-point-offset-checkpoint'))).toContain('events 3 3\n')
  expect(decode(disk.readFile('/data/log-start-offset-checkpoint'))).toContain('events 3 2\n')
  const next = await start(disk)
  expect(next.manager.hadCleanShutdown).toBe(false)
  expect(readAll(next.manager.log(EVENTS) as never)).toEqual(['2:z'])
  await next.manager.delete(EVENTS)
  await next.manager.checkpoint('logStartOffsets')
  expect(decode(disk.readFile('/data/log-start-offset-checkpoint'))).not.toContain('events')
})

test('A cut of a log survives a crash at each of its changes, and no crash takes it for damage', async () => {
  for (let stopAt = 1, hasEnded = false; !hasEnded; stopAt++) {
    const disk = new SimulatedDisk()
    const { manager } = await start(disk)
    const log = await create(manager, ORDERS)
    for (const value of ['a', 'b', 'c', 'd']) append(log, batchOf([value]), true)
    await log.flush()
    await manager.close(1)
    const again = await start(disk)
    disk.faults.stopAtChange(stopAt)
    try {
      again.manager.log(ORDERS)?.truncateTo(1)
      await settle()
    } catch {
      // It stopped.
    }
    hasEnded = !disk.faults.isStopped
    for (const left of [disk.afterKill(), ...[1, 2, 3, 4].map((seed) => disk.afterCrash(seed))]) {
      const next = await start(left)
      const found = next.manager.log(ORDERS)
      const why = `stop at change ${stopAt}`
      expect(found?.damages, why).toEqual([])
      expect(['0:a', '0:a,1:b,2:c,3:d'], why).toContain(found && readAll(found).join())
      if (hasEnded) expect(found?.logEndOffset).toBe(1)
    }
  }
})

test.each(['ENOSPC', 'EMFILE'])(
  'A cut that meets %s at any of its operations leaves a whole log that goes on',
  async (code) => {
    let refused = 0
    for (let at = 1, hasEnded = false; !hasEnded; at++) {
      const disk = new SimulatedDisk()
      const { manager } = await start(disk)
      const log = await create(manager, ORDERS)
      log.updateConfig({ ...log.config, segmentBytes: 150 })
      for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) append(log, batchOf([value]), true)
      await log.flush()
      const kinds =
        code === 'EMFILE' ? (['open', 'syncDirectory'] as const) : (['write', 'rename'] as const)
      disk.fail({ on: kinds, code, at })
      const before = readAll(log).length
      try {
        log.truncateTo(1)
      } catch (error) {
        expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
        refused++
      }
      await settle()
      const why = `${code} at ${at}`
      expect(log.fault, why).toBeUndefined()
      hasEnded = log.logEndOffset === 1 && at > 12
      disk.faults.heal()
      const left = readAll(log)
      expect(left.length, why).toBe(log.logEndOffset)
      expect(before, why).toBeGreaterThanOrEqual(left.length)
      append(log, batchOf(['g']), true)
      await log.flush()
      const next = await start(disk.afterCrash(at))
      const found = next.manager.log(ORDERS)
      expect(found && readAll(found), why).toEqual([...left, `${left.length}:g`])
      expect(found?.damages, why).toEqual([])
    }
    expect(refused).toBeGreaterThan(0)
  },
)
