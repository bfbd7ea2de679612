// Which log is compacted when, how fast, and what becomes of those that can't be.
import { expect, test } from 'vitest'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import type { LogManager } from '#storage/log-manager.ts'
import { parseOffsetCheckpoint } from '#storage/state/offset-checkpoint.ts'
import { type CleanerSettings, DEFAULT_CLEANER_SETTINGS } from '#storage/upkeep/log-cleaner.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'
import { readAll } from '../log/log-fixture.ts'
import { namesIn, open } from '../log-manager-fixture.ts'
import { COMPACTED, contentOf, endTransaction, put, roll } from './cleaner-fixture.ts'

const CHECKPOINT = '/data/cleaner-offset-checkpoint'

/** A broker's storage with a slow disk: syncs take 2 ms. */
class Broker {
  readonly clock = new VirtualClock()
  readonly problems: string[] = []
  settings: CleanerSettings = { ...DEFAULT_CLEANER_SETTINGS, backoffMs: 1_000 }
  disk = new SimulatedDisk({ schedule: (work) => this.clock.after(2, work) })
  manager!: LogManager

  async start(config: Partial<LogConfig> = {}): Promise<this> {
    this.manager = open(this.disk, {
      clock: this.clock,
      cleaner: () => this.settings,
      onProblem: (error) => this.problems.push(String(error)),
    })
    await this.drive(this.manager.openMetadataLog(DEFAULT_LOG_CONFIG))
    const configOf = () => ({ ...DEFAULT_LOG_CONFIG, ...COMPACTED, ...config })
    const assigned = { configOf, expectedTopicId: () => 'b3JkZXJzb3JkZXJzb3JkZQ' }
    await this.drive(this.manager.load(assigned))
    return this
  }

  async create(topic: string, config: Partial<LogConfig> = {}): Promise<PartitionLog> {
    return await this.drive(
      this.manager.create({
        topicPartition: { topic, partition: 0 },
        topicId: 'b3JkZXJzb3JkZXJzb3JkZQ',
        config: { ...DEFAULT_LOG_CONFIG, ...COMPACTED, ...config },
      }),
    )
  }

  /** Two records of the same key, which a cleaning makes one, in front of the active segment. */
  async fill(log: PartitionLog, texts = ['a=1', 'a=2']): Promise<PartitionLog> {
    const compacted = { log, clock: this.clock }
    if (log.logEndOffset === 0) put(compacted, [texts[0] ?? ''])
    for (const text of texts.slice(1)) put(compacted, [text])
    roll(compacted)
    await this.drive(log.flush())
    await this.pass(20)
    return log
  }

  drive<T>(work: Promise<T>): Promise<T> {
    return this.clock.drive(work)
  }

  /** In small steps: who works in slices needs turns of the loop, too. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 5) await this.clock.run(Math.min(left, 5))
  }

  checkpoint(): string[] {
    const offsets = parseOffsetCheckpoint(this.disk.readFile(CHECKPOINT), CHECKPOINT)
    return Array.from(offsets, ([name, offset]) => `${name} ${offset}`)
  }
}

const isClean = (log: PartitionLog) => !contentOf(log).includes('0:a=1')

test('LogCleaner compacts what is due after each pause, and writes down how far', async () => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders'))
  broker.manager.start()
  expect(broker.disk.status(CHECKPOINT)).toBeUndefined()
  await broker.pass(900)
  expect(isClean(log)).toBe(false)
  await broker.pass(200)
  expect(contentOf(log)).toEqual(['1:a=2', '2:filler=1'])
  expect(broker.checkpoint()).toEqual(['orders-0 2'])
  await broker.fill(log, ['x', 'b=1', 'a=3'])
  await broker.pass(1_100)
  expect(contentOf(log)).toEqual(['2:filler=1', '3:b=1', '4:a=3', '5:filler=1'])
  expect(broker.problems).toEqual([])
})

test.each([
  { why: 'that are not compacted', config: { cleanupPolicy: { delete: true, compact: false } } },
  { why: 'that are not dirty enough', config: { minCleanableDirtyRatio: 1 } },
  { why: 'whose records are too young', config: { minCompactionLagMs: 3_600_000 } },
])('LogCleaner leaves logs alone $why', async ({ config }) => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders', config))
  broker.manager.start()
  await broker.pass(5_000)
  expect(isClean(log)).toBe(false)
})

test.each([
  { why: 'it is switched off', settings: { isEnabled: false } },
  { why: 'it has no thread', settings: { threads: 0 } },
])('LogCleaner does nothing while $why, and begins when that changes', async ({ settings }) => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders'))
  broker.settings = { ...broker.settings, ...settings }
  broker.manager.start()
  await broker.pass(5_000)
  expect(isClean(log)).toBe(false)
  broker.settings = { ...broker.settings, isEnabled: true, threads: 1 }
  await broker.pass(1_100)
  expect(isClean(log)).toBe(true)
})

test('LogCleaner compacts what is older than max.compaction.lag.ms, however little it is', async () => {
  const broker = await new Broker().start()
  const config = { minCleanableDirtyRatio: 1, maxCompactionLagMs: 10_000 }
  const log = await broker.fill(await broker.create('orders', config))
  broker.manager.start()
  await broker.pass(9_000)
  expect(isClean(log)).toBe(false)
  await broker.pass(3_000)
  expect(isClean(log)).toBe(true)
})

test('LogCleaner takes the filthiest log first', async () => {
  const broker = await new Broker().start()
  const some = await broker.fill(await broker.create('some'))
  await broker.drive(broker.manager.cleaner.cleanNow())
  await broker.fill(some, ['x=1', `b=${'x'.repeat(300)}`, 'a=9'])
  const all = await broker.fill(await broker.create('whole'))
  // Slow enough to see which one comes first.
  broker.settings = { ...broker.settings, ioBytesPerSecond: 500 }
  broker.manager.start()
  const order: string[] = []
  for (let left = 100; left > 0 && order.length < 2; left--) {
    await broker.pass(100)
    if (isClean(all) && !order.includes('whole')) order.push('whole')
    if (!contentOf(some).includes('1:a=2') && !order.includes('some')) order.push('some')
  }
  expect(order).toEqual(['whole', 'some'])
})

test('LogCleaner reads and writes no faster than it may', async () => {
  const broker = await new Broker().start()
  const log = await broker.create('orders')
  await broker.fill(log, [
    'x=1',
    ...Array.from({ length: 50 }, (_, index) => `k${index}=${'x'.repeat(200)}`),
  ])
  const bytes = log.segments[0]?.size ?? 0
  broker.settings = { ...broker.settings, ioBytesPerSecond: bytes / 10 }
  const startedAt = broker.clock.monotonic()
  await broker.drive(broker.manager.cleaner.cleanNow())
  const seconds = (broker.clock.monotonic() - startedAt) / 1000
  // Once for the map, once for the records, once for what is written.
  expect(seconds).toBeGreaterThan(25)
  expect(seconds).toBeLessThan(40)
})

test('LogCleaner compacts as many logs at a time as it has threads', async () => {
  for (const threads of [1, 3]) {
    const broker = await new Broker().start()
    for (const topic of ['a', 'b', 'c', 'd']) await broker.fill(await broker.create(topic))
    broker.settings = { ...broker.settings, threads, ioBytesPerSecond: 100 }
    broker.manager.start()
    let most = 0
    for (let round = 0; round < 3_000; round++) {
      await broker.pass(10)
      const paths = namesIn(broker.disk).filter((name) => /-0$/.test(name))
      const cleaned = paths.filter((name) => {
        return namesIn(broker.disk, `/data/${name}`).some((file) => file.endsWith('.log.cleaned'))
      })
      most = Math.max(most, cleaned.length)
    }
    expect(most).toBeLessThanOrEqual(threads)
    expect(most > 1).toBe(threads > 1)
    for (const log of broker.manager.logs()) expect(isClean(log)).toBe(true)
  }
})

test('LogCleaner reports a log that is damaged once, and goes on with the others', async () => {
  const broker = await new Broker().start()
  const bad = await broker.fill(await broker.create('bad'))
  const good = await broker.fill(await broker.create('good'))
  broker.disk.flipBit(bad.segments[0]?.path ?? '', 65)
  broker.manager.start()
  await broker.pass(10_000)
  expect(isClean(good)).toBe(true)
  expect(broker.problems).toHaveLength(1)
  expect(broker.problems[0]).toMatch(/bad-0 is not compacted any more: .*has a wrong checksum/)
  expect(broker.manager.cleaner.uncleanable).toMatchObject([{ partition: { topic: 'bad' } }])
  await broker.drive(broker.manager.delete(bad.topicPartition))
  expect(broker.manager.cleaner.uncleanable).toEqual([])
})

test.each([
  { why: 'no space', fault: { on: 'write', code: 'ENOSPC', path: '.cleaned', times: 3 } },
  { why: 'no descriptor', fault: { on: 'open', code: 'EMFILE', path: '.cleaned', times: 3 } },
  { why: 'no room in the directory', fault: { on: 'rename', code: 'ENOSPC', path: 'nothing' } },
  {
    why: 'no descriptor for a directory that is to be synced',
    fault: { on: 'syncDirectory', code: 'EMFILE', path: 'orders-0', times: 7 },
  },
] as const)(
  'LogCleaner tries again when there is $why, and tells it once at most',
  async ({ fault }) => {
    const broker = await new Broker().start()
    const log = await broker.fill(await broker.create('orders'))
    broker.disk.fail(fault)
    broker.manager.start()
    await broker.pass(20_000)
    expect(isClean(log)).toBe(true)
    expect(broker.problems.length).toBeLessThanOrEqual(1)
    const names = namesIn(broker.disk, '/data/orders-0')
    expect(names.filter((name) => /cleaned|swap/.test(name))).toEqual([])
  },
)

test('LogCleaner pauses between two tries on a full disk', async () => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders'))
  broker.disk.fail({ on: 'write', code: 'ENOSPC', path: '.cleaned', times: Infinity })
  broker.manager.start()
  const opens = () => broker.disk.faults.counts.get('open') ?? 0
  const before = opens()
  await broker.pass(10_000)
  expect(isClean(log)).toBe(false)
  expect(opens() - before).toBeGreaterThan(8)
  expect(opens() - before).toBeLessThan(60)
  broker.disk.faults.heal()
  await broker.pass(2_000)
  expect(isClean(log)).toBe(true)
})

test('LogCleaner notes that a log is compacted before it changes anything', async () => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders'))
  broker.disk.fail({ on: 'open', code: 'ENOSPC', path: '.cleaned', times: Infinity })
  broker.manager.start()
  await broker.pass(2_000)
  expect(isClean(log)).toBe(false)
  expect(broker.checkpoint()).toEqual(['orders-0 0'])
})

test('LogCleaner takes the directory offline when its disk fails', async () => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders'))
  broker.disk.fail({ on: 'sync', code: 'EIO', path: '.cleaned' })
  broker.manager.start()
  await broker.pass(5_000)
  expect(log.fault?.message).toMatch(/Compacting .*orders-0 failed with EIO/)
  expect(() => broker.manager.log(log.topicPartition)).toThrow('orders-0 is offline')
})

test.each([
  {
    why: 'the topic is deleted',
    interrupt: (b: Broker, log: PartitionLog) => b.manager.delete(log.topicPartition),
  },
  { why: 'the broker stops', interrupt: (b: Broker) => b.manager.close(1) },
  {
    why: 'the log is cut',
    interrupt: (_: Broker, log: PartitionLog) => Promise.resolve(log.truncateTo(1)),
  },
  {
    why: 'the log begins anew',
    interrupt: (_: Broker, log: PartitionLog) => Promise.resolve(log.truncateFullyAndStartAt(9)),
  },
  {
    why: 'its topic is not compacted any more',
    interrupt: (b: Broker, log: PartitionLog) => {
      const cleanupPolicy = { compact: false, delete: true }
      b.manager.updateConfig('orders', { ...log.config, cleanupPolicy })
      return Promise.resolve()
    },
  },
])('LogCleaner ends at any moment when $why', async ({ why, interrupt }) => {
  const left = new Set<string>()
  for (let wait = 0; wait < 40; wait++) {
    const broker = await new Broker().start()
    const log = await broker.fill(await broker.create('orders'))
    await broker.fill(log, ['x', 'b=1', 'b=2'])
    const cleaning = broker.manager.cleaner.cleanNow()
    await broker.pass(wait)
    const before = contentOf(log)
    await broker.drive(interrupt(broker, log))
    await broker.drive(cleaning)
    await broker.pass(100)
    expect(broker.problems).toEqual([])
    expect(broker.disk.openFiles, why).toBeLessThan(20)
    left.add(before.join())
    if (!broker.disk.status('/data/orders-0')) continue
    const names = namesIn(broker.disk, '/data/orders-0')
    if (why !== 'the broker stops') {
      expect(names.filter((name) => /cleaned|swap/.test(name))).toEqual([])
      if (why === 'the log is cut')
        expect(contentOf(log)).toEqual(before.slice(0, 1).filter((text) => text === '0:a=1'))
      if (why === 'the log begins anew') expect(contentOf(log)).toEqual([])
      put({ log, clock: broker.clock }, ['c=1'])
      const expected = contentOf(log)
      await broker.drive(broker.manager.close(1))
      broker.disk = broker.disk.afterKill()
      await broker.start()
      const again = broker.manager.log({ topic: 'orders', partition: 0 })
      expect(again && contentOf(again)).toEqual(expected)
    }
  }
  expect(left.size, 'the log is met as it was and as it is').toBe(2)
})

test('LogCleaner removes nothing before the log start is on disk that a deletion of records has moved', async () => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders'))
  log.deleteRecordsBefore(2)
  const cleaning = broker.manager.cleaner.cleanNow()
  await broker.pass(1)
  expect(log.segments[0]?.baseOffset).toBe(0)
  await broker.drive(cleaning)
  expect(log.segments[0]?.baseOffset).toBe(2)
})

test.each([true, false])(
  'A log is read as before while its segments wait for what takes their place (sums: %s)',
  async (hasSums) => {
    const broker = await new Broker().start()
    let log = await broker.create('orders')
    const compacted = { log, clock: broker.clock }
    put(compacted, ['a=1'])
    put(compacted, ['t=1'], {
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
    })
    endTransaction(compacted, 7, false)
    roll(compacted)
    await broker.fill(log, ['x', 'a=2'])
    await broker.drive(broker.manager.close(1))
    // What a Kafka has left has no sums.
    if (!hasSums) broker.disk.remove('/data/orders-0/millrace.sums')
    broker.disk = broker.disk.afterKill()
    await broker.start()
    log = broker.manager.log(log.topicPartition) as PartitionLog
    const second = log.segments[1]?.path ?? ''
    broker.disk.fail({ on: 'rename', path: second, code: 'ENOSPC', times: Infinity })
    const wanted = { maxBytes: 1_000, isolation: 'read_committed', minOneBatch: true } as const
    const read = () => ({
      texts: readAll(log, 0),
      aborted: log.read(0, wanted).abortedTransactions,
    })
    const before = read()
    expect(before.aborted).toHaveLength(1)
    const cleaning = broker.manager.cleaner.cleanNow()
    await broker.pass(500)
    expect(log.segments.map(({ path }) => path.endsWith('.deleted'))).toEqual([true, false, false])
    expect(read()).toEqual(before)
    expect(log.offsetForTimestamp(0)?.offset).toBe(0)
    broker.disk.faults.heal()
    await broker.drive(cleaning)
    expect(readAll(log, 0)).toEqual(['3:1', '4:2', '5:1'])
  },
)

test('LogCleaner leaves nothing that a start would finish when the removal of it was refused once', async () => {
  let refused = 0
  for (let wait = 0; wait < 20; wait++) {
    const broker = await new Broker().start()
    const log = await broker.fill(await broker.create('orders'))
    const cleaning = broker.manager.cleaner.cleanNow()
    await broker.pass(wait)
    broker.disk.fail({ on: 'remove', code: 'ENOSPC', path: '.swap' })
    try {
      log.truncateTo(1)
    } catch (error) {
      expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
      refused++
    }
    await broker.drive(cleaning)
    const left = contentOf(log)
    expect(namesIn(broker.disk, '/data/orders-0').filter((name) => /swap/.test(name))).toEqual([])
    broker.disk = broker.disk.afterKill()
    await broker.start()
    const again = broker.manager.log({ topic: 'orders', partition: 0 })
    expect(again && contentOf(again), `after ${wait} ms`).toEqual(left)
  }
  expect(refused).toBeGreaterThan(0)
})

test.each([
  { why: 'the broker stops', leave: (b: Broker) => b.manager.close(1) },
  {
    why: 'the topic is deleted',
    leave: (b: Broker, log: PartitionLog) => b.manager.delete(log.topicPartition),
  },
])(
  'LogCleaner waits for no refusal to pass when $why, and a start finishes its work',
  async ({ leave }) => {
    const isSwap = (name: string) => name.endsWith('.swap')
    let halfway = 0
    for (let wait = 0; wait < 40; wait += 2) {
      const broker = await new Broker().start()
      const log = await broker.fill(await broker.create('orders'))
      const cleaning = broker.manager.cleaner.cleanNow()
      await broker.pass(wait)
      broker.disk.fail({ on: 'rename', code: 'ENOSPC', path: 'orders-0/', times: Infinity })
      await broker.pass(300)
      let isDone = false
      leave(broker, log).then(() => {
        isDone = true
      })
      await broker.pass(1_000)
      expect(isDone, `after ${wait} ms`).toBe(true)
      await broker.drive(cleaning)
      broker.disk.faults.heal()
      const path = broker.disk.list('/data').find(({ name }) => name.startsWith('orders-0'))
      const names = path ? namesIn(broker.disk, `/data/${path.name}`) : []
      halfway += names.some(isSwap) ? 1 : 0
      if (path?.name !== 'orders-0') continue
      broker.disk = broker.disk.afterCrash(wait)
      await broker.start()
      const again = broker.manager.log({ topic: 'orders', partition: 0 })
      expect(again && contentOf(again).slice(-2)).toEqual(['1:a=2', '2:filler=1'])
      expect(again?.damages).toEqual([])
      expect(namesIn(broker.disk, '/data/orders-0').filter(isSwap)).toEqual([])
    }
    expect(halfway).toBeGreaterThan(0)
  },
)

test('LogCleaner forgets how far a log was clean when it is cut, deleted or shorter', async () => {
  const broker = await new Broker().start()
  const log = await broker.fill(await broker.create('orders'))
  await broker.drive(broker.manager.cleaner.cleanNow())
  expect(broker.checkpoint()).toEqual(['orders-0 2'])
  log.truncateTo(1)
  await broker.pass(100)
  expect(broker.checkpoint()).toEqual(['orders-0 1'])
  await broker.drive(broker.manager.delete(log.topicPartition))
  expect(broker.checkpoint()).toEqual([])
  await broker.fill(await broker.create('orders'))
  await broker.drive(broker.manager.cleaner.cleanNow())
  await broker.drive(broker.manager.close(1))
  broker.disk = broker.disk.afterKill()
  const file = broker.disk.open(CHECKPOINT, 'write')
  file.write(new TextEncoder().encode('0\n1\norders 0 9\n'), 0)
  broker.disk.remove('/data/millrace.sums')
  await broker.start()
  expect(broker.checkpoint()).toEqual([])
})

test('LogCleaner keeps how far logs are clean over a restart, and starts over without that', async () => {
  const broker = await new Broker().start()
  await broker.fill(await broker.create('orders'))
  await broker.drive(broker.manager.cleaner.cleanNow())
  await broker.drive(broker.manager.close(1))
  await broker.start()
  const ratio = () => broker.manager.cleaner.cleanNow()
  expect(await broker.drive(ratio())).toMatchObject([{ firstDirtyOffset: 2 }])
  await broker.drive(broker.manager.close(1))
  const file = broker.disk.open(CHECKPOINT, 'write')
  file.write(new TextEncoder().encode('nonsense'), 0)
  file.close()
  await broker.start()
  expect(await broker.drive(ratio())).toMatchObject([{ firstDirtyOffset: 2 }])
  expect(broker.checkpoint()).toEqual(['orders-0 2'])
})

test('LogCleaner deletes old segments of logs that are compacted and deleted', async () => {
  const broker = await new Broker().start()
  const cleanupPolicy = { compact: true, delete: true }
  const log = await broker.fill(
    await broker.create('orders', { cleanupPolicy, retentionMs: 5_000 }),
  )
  broker.manager.start()
  await broker.pass(3_000)
  expect(contentOf(log)).toEqual(['1:a=2', '2:filler=1'])
  await broker.pass(5_000)
  expect(contentOf(log)).toEqual([])
  expect(log.logStartOffset).toBe(3)
  await settle()
})
