// Records in, when too much of a log directory waits for the disk.
import { expect, test } from 'vitest'
import { Producing } from '#src/broker/producing.ts'
import { Partition } from '#src/partitions/partition.ts'
import { UnflushedBytes } from '#storage/log/unflushed-bytes.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'
import { openLog } from '../../storage/log/log-fixture.ts'

test('Producing waits before it appends while twice the bound of a directory is unflushed', async () => {
  const held: (() => void)[] = []
  let isHolding = false
  const disk = new SimulatedDisk({
    schedule: (work) => void (isHolding ? held.push(work) : work()),
  })
  const { log } = await openLog(disk, { unflushed: new UnflushedBytes(1_000) })
  const partition = new Partition(log, 0)
  const producing = new Producing({
    partitions: { get: () => partition },
    clock: new VirtualClock(),
    isAllSynced: () => true,
  })
  const topic = { name: 'orders', partitionCount: 1 }
  const send = (bytes: number) => {
    const value = new Uint8Array(bytes)
    return producing.produce(topic, [{ key: null, value, headers: [] }], 1)
  }
  await send(10)
  isHolding = true
  for (let number = 0; number < 4; number++) await send(500)
  const end = log.logEndOffset
  expect(end).toBe(5)
  let answer: unknown
  void send(500).then((results) => {
    answer = results
  })
  await settle()
  expect({ end: log.logEndOffset, answer }).toEqual({ end, answer: undefined })
  while (held.length > 0 && answer === undefined) {
    held.shift()?.()
    await settle()
  }
  expect(answer).toMatchObject([{ partition: 0, offset: end }])
})

test('Many that wait for room do not append all at once when there is some', async () => {
  const held: (() => void)[] = []
  let isHolding = false
  const disk = new SimulatedDisk({
    schedule: (work) => void (isHolding ? held.push(work) : work()),
  })
  const { log } = await openLog(disk, { unflushed: new UnflushedBytes(1_000) })
  const partition = new Partition(log, 0)
  const producing = new Producing({
    partitions: { get: () => partition },
    clock: new VirtualClock(),
    isAllSynced: () => true,
  })
  const topic = { name: 'orders', partitionCount: 1 }
  const records = [{ key: null, value: new Uint8Array(500), headers: [] }]
  isHolding = true
  const answers = Array.from({ length: 40 }, () => producing.produce(topic, records, 1))
  let most = 0
  for (let round = 0; round < 100 && log.logEndOffset < 40; round++) {
    for (const work of held.splice(0)) work()
    await settle()
    most = Math.max(most, log.unflushedBytes)
  }
  expect((await Promise.all(answers)).map(([one]) => one && 'offset' in one && one.offset)).toEqual(
    Array.from({ length: 40 }, (_, offset) => offset),
  )
  expect(most).toBeLessThan(4_000)
})

test('Producing leaves the topics of coordinators to them', async () => {
  const { log } = await openLog(new SimulatedDisk())
  const partition = new Partition(log, 0)
  const producing = new Producing({
    partitions: { get: () => partition },
    clock: new VirtualClock(),
    isAllSynced: () => true,
  })
  const record = { key: Uint8Array.of(0), value: null, headers: [] }
  for (const name of ['__consumer_offsets', '__transaction_state']) {
    const topic = { name, partitionCount: 1 }
    await expect(producing.produce(topic, [record], 1)).rejects.toMatchObject({
      code: 'INVALID_TOPIC_EXCEPTION',
    })
  }
  expect(log.logEndOffset).toBe(0)
})
