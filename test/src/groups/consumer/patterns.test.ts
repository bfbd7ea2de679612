// Subscriptions by pattern: when they are looked at, and what follows.
import { expect, test } from 'vitest'
import { settle, VirtualClock } from '../../../simulation/virtual-clock.ts'
import { ConsumerShard } from './consumer-shard.ts'

const JOIN = { rebalanceTimeoutMs: 60_000, owned: '' } as const

function shardOf(config: Record<string, string> = {}): ConsumerShard {
  const shard = new ConsumerShard({
    config: { 'group.consumer.assignment.interval.ms': '0', ...config },
  })
  shard.topic('a1', 1)
  shard.topic('a2', 1)
  shard.topic('b', 1)
  return shard
}

test('A pattern is resolved after the join, and its topics come with the next heartbeat', () => {
  const shard = shardOf()
  expect(shard.say({ ...JOIN, subscribedTopicRegex: 'a.' })).toBe('1 []')
  expect(shard.written).toEqual(['RegularExpression', 'Metadata'])
  expect(shard.group.groupEpoch).toBe(2)
  expect(shard.say({ memberEpoch: 1 })).toBe('2 [a1:0 a2:0]')
  expect(shard.group.isSubscribedTo('a1')).toBe(true)
})

test('A pattern and names count together', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.', subscribedTopicNames: ['b'] })
  const epoch = shard.group.members.get('m')?.memberEpoch ?? 0
  expect(shard.say({ memberEpoch: epoch })).toBe('3 [a1:0 a2:0 b:0]')
})

test('A pattern that another member has is known already', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.' })
  shard.heartbeat({ memberEpoch: 1 })
  expect(shard.say({ ...JOIN, memberId: 'n', subscribedTopicRegex: 'a.' })).toBe('3 []')
  expect(shard.group.regexes.of('a.')).toBe(2)
})

test('A new topic comes at a heartbeat no sooner than 10 s after the last look', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.' })
  shard.heartbeat({ memberEpoch: 1 })
  shard.topic('a3', 1)
  shard.clock.advance(10_000)
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  shard.clock.advance(1)
  // The look follows this one.
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  expect(shard.say({ memberEpoch: 2 })).toBe('3 [a1:0 a2:0 a3:0]')
})

test('A new topic comes though the clock was set back behind the last look', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.' })
  shard.heartbeat({ memberEpoch: 1 })
  shard.topic('a3', 1)
  shard.clock.setNow(shard.clock.now() - 3_600_000)
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  expect(shard.say({ memberEpoch: 2 })).toBe('3 [a1:0 a2:0 a3:0]')
})

test('A topic of a pattern that is deleted goes at the next heartbeat', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.' })
  shard.heartbeat({ memberEpoch: 1 })
  shard.removeTopic('a2')
  expect(shard.say({ memberEpoch: 2, owned: 'a1:0' })).toBe('3 [a1:0]')
})

test('Patterns are looked at again when they have not been for long', () => {
  const shard = shardOf({ 'group.consumer.regex.refresh.interval.ms': '20000' })
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.' })
  shard.heartbeat({ memberEpoch: 1 })
  const [first] = shard.group.resolvedRegexes.values()
  shard.clock.advance(20_000)
  shard.heartbeat({ memberEpoch: 2 })
  expect([...shard.group.resolvedRegexes.values()][0]).toBe(first)
  shard.clock.advance(1)
  shard.heartbeat({ memberEpoch: 2 })
  const [second] = shard.group.resolvedRegexes.values()
  expect(second?.timestamp).toBe((first?.timestamp ?? 0) + 20_001)
  expect(shard.group.groupEpoch).toBe(2)
})

test('The last member of a pattern takes it along', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.' })
  shard.heartbeat({ memberEpoch: 1 })
  const said = { memberEpoch: 2, subscribedTopicRegex: '', subscribedTopicNames: ['b'] }
  expect(shard.say({ ...said, owned: 'a1:0 a2:0' })).toBe('2 []')
  expect(shard.written).toContain('-RegularExpression')
  expect(shard.group.isSubscribedTo('a1')).toBe(false)
  expect(shard.say({ memberEpoch: 2, owned: '' })).toBe('3 [b:0]')
  shard.heartbeat({ memberEpoch: 3, subscribedTopicRegex: 'b' })
  shard.heartbeat({ memberEpoch: -1 })
  expect(shard.written).toContain('-RegularExpression')
  expect(shard.group.resolvedRegexes.size).toBe(0)
  expect([...shard.group.topics.names()]).toEqual([])
})

test('What patterns stand for survives a load', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.' })
  shard.heartbeat({ memberEpoch: 1 })
  const again = shard.reloaded()
  expect(again.group.resolvedRegexes).toEqual(shard.group.resolvedRegexes)
  const records = again.log.length
  expect(again.say({ memberEpoch: 2 })).toBe('2')
  expect(again.log.length).toBe(records)
})

test('What patterns stand for, when it could not be written, is looked for again after ten seconds', async () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'b' })
  shard.heartbeat({ memberEpoch: 1 })
  shard.clock.advance(20_000)
  const plans = shard.planCount
  shard.isFullForOwn = true
  shard.heartbeat({ memberEpoch: 2, subscribedTopicRegex: 'a.' })
  await settle()
  expect(shard.planCount - plans).toBe(2)
  // Each heartbeat finds that the pattern has not been looked at.
  shard.heartbeat({ memberEpoch: 2 })
  shard.clock.advance(9_900)
  shard.heartbeat({ memberEpoch: 2 })
  expect(shard.planCount - plans).toBe(4)
  shard.isFullForOwn = false
  shard.clock.advance(200)
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  expect(shard.group.resolvedRegexes.get('a.')?.topics).toEqual(new Set(['a1', 'a2']))
})

/** Time passes with every look at the clock. */
class BusyClock extends VirtualClock {
  looks = 0
  override monotonic(): number {
    return super.monotonic() + this.looks++ * 0.03
  }
}

test('Patterns are looked at in slices of the loop, and what is gone by then is left out', () => {
  const clock = new BusyClock()
  const shard = new ConsumerShard({
    clock,
    config: { 'group.consumer.assignment.interval.ms': '0' },
  })
  for (let at = 0; at < 200; at++) shard.topic(`a${at}`, 1)
  const before = clock.looks
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.*' })
  shard.heartbeat({ ...JOIN, memberId: 'n', subscribedTopicRegex: 'a1.*' })
  // Two milliseconds of looks, and a few for timers.
  expect(clock.looks - before).toBeLessThan(100)
  expect(shard.group.resolvedRegexes.size).toBe(0)
  shard.heartbeat({ memberId: 'n', memberEpoch: -1 })
  clock.advance(1000)
  expect([...shard.group.resolvedRegexes.keys()]).toEqual(['a.*'])
  expect(shard.group.resolvedRegexes.get('a.*')?.topics.size).toBe(200)
})

test('A shard that is unloaded looks at no pattern any more', () => {
  const clock = new BusyClock()
  const shard = new ConsumerShard({ clock })
  for (let at = 0; at < 200; at++) shard.topic(`a${at}`, 1)
  shard.heartbeat({ ...JOIN, subscribedTopicRegex: 'a.*' })
  const records = shard.log.length
  shard.shard.consumer.unloaded()
  clock.advance(1000)
  expect(shard.log.length).toBe(records)
})
