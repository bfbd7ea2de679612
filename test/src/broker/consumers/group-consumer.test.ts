// Consumers inside the broker: they join, share, hand over, commit and are lost, on the real coordinator.
import { afterEach, expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { GroupConsumer } from '#src/broker/consumers/group-consumer.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { DEFAULTS, held, Scene } from './scene.ts'

let scene: Scene
const scenes: Scene[] = []

async function start(...options: Parameters<typeof Scene.start>): Promise<Scene> {
  scene = await Scene.start(...options)
  scenes.push(scene)
  return scene
}

afterEach(async () => {
  for (const one of scenes.splice(0)) await one.stop()
})

test('GroupConsumer joins, reads what is there, and goes on behind it after a restart of its own', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b')
  const first = await scene.joined(['orders'])
  expect(held(first)).toEqual(['orders-0'])
  expect(await scene.poll(first)).toEqual(['a', 'b'])
  await scene.during(first.close())
  await scene.produce('orders', 0, 'c')
  const second = await scene.joined(['orders'])
  expect(await scene.poll(second)).toEqual(['c'])
})

test('GroupConsumer.poll() waits for a record, and for a partition to read from', async () => {
  await start()
  const consumer = scene.consumer()
  await scene.during(consumer.subscribe({ topics: ['later'], pattern: null }))
  const polled = consumer.poll({ maxBytes: 1e6, maxRecords: 10, waitMs: 30_000 })
  await scene.topic('later')
  await scene.produce('later', 0, 'x')
  expect((await scene.during(polled)).map(({ offset }) => offset)).toEqual([0])
  const before = scene.clock.monotonic()
  expect(await scene.poll(consumer, { waitMs: 2_000 })).toEqual([])
  expect(scene.clock.monotonic() - before).toBeGreaterThanOrEqual(2_000)
})

test('Two consumers of a group share the partitions, and the second reads on where the first is done', async () => {
  await start()
  await scene.topic('orders', 4)
  for (const partition of [0, 1, 2, 3]) await scene.produce('orders', partition, `${partition}a`)
  const first = await scene.joined(['orders'])
  expect((await scene.poll(first)).sort()).toEqual(['0a', '1a', '2a', '3a'])
  const second = scene.consumer()
  await scene.during(second.subscribe({ topics: ['orders'], pattern: null }))
  // The first has not said yet that it is done.
  await scene.pass(5_000)
  expect(held(second)).toEqual([])
  expect(await scene.poll(first)).toEqual([])
  await scene.pass(3_000)
  expect(held(first)).toHaveLength(2)
  expect([...held(first), ...held(second)].sort()).toEqual([0, 1, 2, 3].map((n) => `orders-${n}`))
  for (const partition of [0, 1, 2, 3]) await scene.produce('orders', partition, `${partition}b`)
  const [a, b] = [await scene.poll(first), await scene.poll(second)]
  expect([...a, ...b].sort()).toEqual(['0b', '1b', '2b', '3b'])
})

test('A partition that is taken away waits no longer than handoverMs, and what was not settled is read again', async () => {
  await start()
  await scene.topic('orders', 2)
  await scene.produce('orders', 0, 'a')
  await scene.produce('orders', 1, 'b')
  const first = await scene.joined(['orders'], { handoverMs: 10_000 })
  expect((await scene.poll(first)).sort()).toEqual(['a', 'b'])
  const second = scene.consumer()
  await scene.during(second.subscribe({ topics: ['orders'], pattern: null }))
  await scene.pass(9_000)
  expect(held(second)).toEqual([])
  await scene.pass(4_000)
  expect(held(second)).toHaveLength(1)
  expect(await scene.poll(second)).toHaveLength(1)
})

test('GroupConsumer commits at a poll only what earlier polls gave, and all of it when it closes in order', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const consumer = await scene.joined(['orders'])
  await scene.poll(consumer, { maxRecords: 2 })
  await scene.pass(20_000)
  expect(await scene.committed('orders')).toEqual([-1])
  await scene.poll(consumer, { maxRecords: 1 })
  await scene.pass(6_000)
  expect(await scene.committed('orders')).toEqual([2])
  await scene.during(consumer.close())
  expect(await scene.committed('orders')).toEqual([3])
})

test('A consumer that is lost commits what is settled and leaves at once', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b')
  const consumer = await scene.joined(['orders'])
  await scene.poll(consumer, { maxRecords: 1 })
  await scene.poll(consumer, { maxRecords: 1 })
  await scene.during(consumer.close({ isLost: true }))
  expect(await scene.committed('orders')).toEqual([1])
  const { members } = await scene.during(scene.broker.groups.describeConsumer(ANONYMOUS, 'g'))
  expect(members).toEqual([])
})

test('A consumer that does not commit by itself commits what it is told, and nothing at its end', async () => {
  await start()
  await scene.topic('orders', 2)
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const consumer = await scene.joined(['orders'], { autoCommitIntervalMs: undefined })
  await scene.poll(consumer)
  await scene.pass(20_000)
  expect(await scene.committed('orders', 2)).toEqual([-1, -1])
  const one = { topic: 'orders', partition: 0, offset: 1, metadata: 'by hand' }
  await scene.during(consumer.commit([one]))
  expect(await scene.during(consumer.committed([one]))).toEqual([one])
  await scene.during(consumer.commit())
  expect(await scene.committed('orders', 2)).toEqual([3, -1])
  await scene.produce('orders', 0, 'd')
  await scene.poll(consumer)
  await scene.during(consumer.close())
  expect(await scene.committed('orders', 2)).toEqual([3, -1])
  const bad = scene
    .joined(['orders'])
    .then((other) => scene.during(other.commit([{ ...one, topic: 'none' }])))
  await expect(bad).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('A consumer that acknowledges has committed what it acknowledged, by partition and cumulatively', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const consumer = await scene.joined(['orders'], { settledBy: 'acknowledgement' })
  expect(await scene.poll(consumer)).toEqual(['a', 'b', 'c'])
  await scene.poll(consumer)
  await scene.pass(6_000)
  expect(await scene.committed('orders')).toEqual([-1])
  const at = { topic: 'orders', partition: 0 }
  consumer.acknowledge(at, 2)
  consumer.acknowledge(at, 1)
  consumer.acknowledge({ topic: 'orders', partition: 9 }, 1)
  await scene.pass(6_000)
  expect(await scene.committed('orders')).toEqual([2])
  // More than was ever sent is what was sent.
  consumer.acknowledge(at, 99)
  await scene.during(consumer.close())
  expect(await scene.committed('orders')).toEqual([3])
})

test('A partition that is taken away goes at once when everything of it is acknowledged, with the acknowledgements', async () => {
  await start()
  await scene.topic('orders', 2)
  for (const partition of [0, 1]) await scene.produce('orders', partition, 'a', 'b')
  const leaving: string[] = []
  const first = await scene.joined(['orders'], {
    settledBy: 'acknowledgement',
    onLeaving: (partitions) => {
      for (const { topic, partition } of partitions) leaving.push(`${topic}-${partition}`)
    },
  })
  expect(await scene.poll(first)).toHaveLength(4)
  const second = scene.consumer()
  await scene.during(second.subscribe({ topics: ['orders'], pattern: null }))
  await scene.pass(3_000)
  expect(leaving).toHaveLength(1)
  expect(held(second)).toEqual([])
  for (const partition of [0, 1]) first.acknowledge({ topic: 'orders', partition }, 2)
  await scene.pass(1_000)
  expect(held(second)).toEqual(leaving)
  expect(await scene.poll(second)).toEqual([])
})

test('GroupConsumer.seek() reads again or leaves out, and only in partitions of its own', async () => {
  await start()
  await scene.topic('orders', 2)
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const consumer = await scene.joined(['orders'])
  expect(await scene.poll(consumer)).toHaveLength(3)
  const at = { topic: 'orders', partition: 0 }
  expect(consumer.seek(at, 1)).toBe(1)
  expect(await scene.poll(consumer)).toEqual(['b', 'c'])
  consumer.seek(at, 'latest')
  expect(await scene.poll(consumer)).toEqual([])
  expect(() => consumer.seek({ topic: 'other', partition: 0 }, 0)).toThrow(/does not have/)
})

test('Consumers of a broker that was killed do not keep partitions from those that come after it', async () => {
  await start()
  await scene.topic('orders', 6)
  const subscription = { topics: ['orders'], pattern: null }
  for (const instanceId of [null, null, 'static', null]) {
    const consumer = scene.consumer({ instanceId })
    await scene.during(consumer.subscribe(subscription, { patienceMs: 5_000 }))
  }
  await scene.pass(5_000)
  // A member out there lives on.
  await scene.outsider('kafka', ['orders'])
  await start(scene.disk.afterKill())
  const successor = await scene.joined(['orders'], { instanceId: 'static' })
  const { members } = await scene.during(scene.broker.groups.describeConsumer(ANONYMOUS, 'g'))
  expect(members.map(({ memberId }) => memberId).sort()).toEqual(
    [successor.memberId, 'kafka'].sort(),
  )
  await scene.pass(3_000)
  expect(held(successor).length).toBeGreaterThanOrEqual(3)
})

test('No member from outside joins under an id of the consumers inside', async () => {
  await start()
  await scene.topic('orders')
  const { memberId } = await scene.joined(['orders'])
  const prefix = memberId.slice(0, 'in-broker-1-'.length)
  await expect(scene.outsider(`${prefix}me`, ['orders'])).rejects.toThrow(
    new KafkaError(
      'INVALID_REQUEST',
      `Member ids that begin with ${prefix} are for consumers inside the broker`,
    ),
  )
})

test('GroupConsumer.seek() counts for a poll that is reading just then', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const { broker, clock } = scene
  let onRead: () => void = () => undefined
  const consumer = new GroupConsumer(
    {
      broker: {
        findOffset: (session, at) => broker.findOffset(session, at),
        partitionOffsets: (...asked) => broker.partitionOffsets(...asked),
        waitForRecords: (session, request) => broker.waitForRecords(session, request),
        readRecords: async (session, request) => {
          const read = await broker.readRecords(session, request)
          onRead()
          return read
        },
      },
      groups: broker.groups,
      session: ANONYMOUS,
      clock,
      random: new SeededRandom(3),
      memberPrefix: '',
      buryGhosts: () => Promise.resolve(),
      topicName: () => undefined,
      onClosed: () => undefined,
    },
    { ...DEFAULTS, autoCommitIntervalMs: undefined },
  )
  const at = { topic: 'orders', partition: 0 }
  await scene.during(consumer.assign([at]))
  onRead = () => {
    onRead = () => undefined
    consumer.seek(at, 2)
  }
  expect(await scene.poll(consumer)).toEqual([])
  expect(await scene.poll(consumer)).toEqual(['c'])
})

test.each([
  { reset: 'earliest', found: ['a', 'b'] },
  { reset: 'latest', found: [] },
  { reset: { timestamp: 200 }, found: ['b'] },
] as const)('A group without an offset begins at $reset', async ({ reset, found }) => {
  await start()
  await scene.topic('orders')
  const records = [
    { value: 'a', timestamp: 100 },
    { value: 'b', timestamp: 200 },
  ]
  await scene.during(scene.running.produce('orders', records))
  const consumer = await scene.joined(['orders'], { autoOffsetReset: reset })
  expect(await scene.poll(consumer)).toEqual(found)
})

test('A group without an offset is refused where it may begin nowhere', async () => {
  await start()
  await scene.topic('orders')
  const consumer = await scene.joined(['orders'], { autoOffsetReset: 'none' })
  await expect(scene.poll(consumer)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
})

test('A group that begins at the latest record keeps its beginning, whoever comes next', async () => {
  await start()
  await scene.topic('orders')
  const first = await scene.joined(['orders'], { autoOffsetReset: 'latest' })
  await scene.poll(first)
  await scene.during(first.close({ isLost: true }))
  await scene.produce('orders', 0, 'between')
  const second = await scene.joined(['orders'], { autoOffsetReset: 'latest' })
  expect(await scene.poll(second)).toEqual(['between'])
})

test('A consumer whose offset is gone goes on at the log’s start, and tells of the gap', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const gaps: object[] = []
  const consumer = await scene.joined(['orders'], {
    autoOffsetReset: 'latest',
    onGap: (gap) => gaps.push(gap),
  })
  consumer.seek({ topic: 'orders', partition: 0 }, 0)
  await scene.broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: 2 })
  expect(await scene.poll(consumer)).toEqual(['c'])
  expect(gaps).toEqual([{ topic: 'orders', partition: 0, from: 0, to: 2 }])
})

test('A consumer subscribed to a pattern reads the topics that match, and those that come', async () => {
  await start()
  await scene.topic('orders-eu')
  await scene.topic('users')
  const consumer = scene.consumer()
  const subscription = { topics: [], pattern: 'orders-.*' }
  await scene.during(consumer.subscribe(subscription, { patienceMs: 5_000 }))
  expect(held(consumer)).toEqual(['orders-eu-0'])
  await scene.topic('orders-us')
  await scene.pass(15_000)
  expect(held(consumer)).toEqual(['orders-eu-0', 'orders-us-0'])
  const broken = scene.consumer({ groupId: 'other' })
  const refused = scene.during(broken.subscribe({ topics: [], pattern: '(' }))
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_REGULAR_EXPRESSION' })
  expect(broken.subscription).toBeUndefined()
})

test('A pattern that matches everything means no topics of the coordinators, unless they are asked for by name', async () => {
  await start()
  await scene.topic('orders')
  await scene.during(scene.broker.groups.findCoordinator(ANONYMOUS, 'g'))
  const everything = scene.consumer()
  const subscription = { topics: [], pattern: '.*' }
  await scene.during(everything.subscribe(subscription, { patienceMs: 5_000 }))
  await scene.pass(5_000)
  expect(held(everything)).toEqual(['orders-0'])
  await scene.during(everything.close())
  const named = await scene.joined(['__consumer_offsets'], { groupId: 'named' })
  expect(held(named)).not.toEqual([])
})

test('A consumer changes its subscription, gives it up, and takes partitions by hand', async () => {
  await start()
  await scene.topic('a')
  await scene.topic('b')
  await scene.produce('b', 0, 'x')
  const consumer = await scene.joined(['a'])
  await expect(consumer.assign([{ topic: 'b', partition: 0 }])).rejects.toThrow(/by itself/)
  await scene.during(consumer.subscribe({ topics: ['b'], pattern: null }))
  await scene.pass(3_000)
  expect(held(consumer)).toEqual(['b-0'])
  await scene.during(consumer.unsubscribe())
  expect([held(consumer), consumer.subscription]).toEqual([[], undefined])
  await scene.during(consumer.assign([{ topic: 'b', partition: 0 }]))
  expect(await scene.poll(consumer)).toEqual(['x'])
  await expect(consumer.assign([{ topic: 'b', partition: 7 }])).rejects.toThrow()
})

test('A topic that is deleted is no longer read; another of its name is read from its start', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const consumer = await scene.joined(['orders'])
  expect(await scene.poll(consumer)).toHaveLength(3)
  await scene.during(scene.broker.deleteTopic(ANONYMOUS, 'orders'))
  expect(await scene.poll(consumer)).toEqual([])
  await scene.topic('orders')
  await scene.produce('orders', 0, 'new')
  expect(await scene.poll(consumer, { waitMs: 10_000 })).toEqual(['new'])
})

test('A consumer that its group has forgotten joins again by itself', async () => {
  await start(undefined, {
    'group.consumer.min.session.timeout.ms': '1000',
    'group.consumer.session.timeout.ms': '6000',
  })
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a')
  const consumer = await scene.joined(['orders'])
  await scene.poll(consumer)
  await scene.forget(consumer)
  await scene.pass(3_000)
  expect(held(consumer)).toEqual(['orders-0'])
  // What was not committed is read again.
  expect(await scene.poll(consumer)).toEqual(['a'])
})

test('A consumer goes on when the disk was full for a while, and what it could not commit is committed then', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b')
  const consumer = await scene.joined(['orders'], { autoCommitIntervalMs: 1_000 })
  await scene.poll(consumer, { maxRecords: 1 })
  scene.disk.fail({ on: 'write', path: '__consumer_offsets', code: 'ENOSPC', times: 30 })
  await scene.poll(consumer, { maxRecords: 1 })
  await scene.pass(10_000)
  expect(await scene.committed('orders')).toEqual([1])
})

test('A static consumer keeps its partitions while it is away, and gives them up for good when told', async () => {
  await start()
  await scene.topic('orders', 2)
  const other = await scene.joined(['orders'])
  const first = await scene.joined(['orders'], { instanceId: 'one' })
  await scene.pass(3_000)
  const its = held(first)
  expect(its).toHaveLength(1)
  await scene.during(first.close())
  await scene.pass(3_000)
  expect(held(other)).toHaveLength(1)
  const again = await scene.joined(['orders'], { instanceId: 'one' })
  expect(held(again)).toEqual(its)
  await scene.during(again.close({ isForGood: true }))
  await scene.pass(3_000)
  expect(held(other)).toHaveLength(2)
})

test('Consumers leave when the broker stops, with what is settled committed, and wait for the coordinator at its start', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const before = await scene.joined(['orders'])
  await scene.poll(before, { maxRecords: 1 })
  await scene.poll(before, { maxRecords: 1 })
  const waiting = scene
    .poll(before, { maxRecords: 1 })
    .then(() => scene.poll(before, { waitMs: 60_000 }))
  const { disk } = scene
  await scene.stop()
  await expect(waiting).rejects.toThrow(/closed/)
  await start(disk)
  const after = scene.consumer()
  const joining = after.subscribe({ topics: ['orders'], pattern: null }, { patienceMs: 60_000 })
  await scene.during(joining)
  expect(held(after)).toEqual(['orders-0'])
  expect((await scene.poll(after)).at(0)).toBe('c')
})

test('A consumer that is closed does nothing any more', async () => {
  await start()
  await scene.topic('orders')
  const consumer = await scene.joined(['orders'])
  await scene.during(consumer.close())
  await scene.during(consumer.close())
  await expect(scene.poll(consumer)).rejects.toThrow(/closed/)
  await expect(consumer.subscribe({ topics: ['orders'], pattern: null })).rejects.toThrow(/closed/)
  await scene.pass(5_000)
})
