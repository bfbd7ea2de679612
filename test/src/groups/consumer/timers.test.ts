// How long members are waited for.
import { expect, test } from 'vitest'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { ConsumerShard } from './consumer-shard.ts'

function shardOf(): ConsumerShard {
  const shard = new ConsumerShard({ config: { 'group.consumer.assignment.interval.ms': '0' } })
  shard.topic('a', 4)
  return shard
}

const ids = (shard: ConsumerShard): string[] => [...shard.group.members.keys()]

test('A member that is silent for its session is removed, and the group rebalances', () => {
  const shard = shardOf()
  shard.join('m', ['a'])
  shard.join('n', ['a'])
  for (let at = 0; at < 4; at++) {
    shard.clock.advance(10_000)
    shard.heartbeat({ memberId: 'n', memberEpoch: 3 })
  }
  shard.clock.advance(5100)
  expect(ids(shard)).toEqual(['n'])
  expect(shard.group.groupEpoch).toBe(4)
  expect(shard.say({ memberId: 'n', memberEpoch: 3 })).toBe('4 [a:0,1,2,3]')
  expect(shard.say({ memberId: 'm', memberEpoch: 2 })).toBe('UNKNOWN_MEMBER_ID')
})

test('A heartbeat sets no timer of its own', () => {
  const shard = shardOf()
  shard.join('m', ['a'])
  const timers = shard.clock.pendingTimers
  for (let at = 0; at < 100; at++) {
    shard.clock.advance(1000)
    shard.heartbeat({ memberEpoch: 2 })
  }
  expect(shard.clock.pendingTimers).toBe(timers)
  expect(ids(shard)).toEqual(['m'])
})

test('A shorter session counts from the next heartbeat', () => {
  const shard = shardOf()
  shard.configure('g', { 'consumer.session.timeout.ms': '60000' })
  shard.join('m', ['a'])
  shard.configure('g', { 'consumer.session.timeout.ms': '45000' })
  shard.heartbeat({ memberEpoch: 2 })
  shard.clock.advance(45_100)
  expect(ids(shard)).toEqual([])
})

test('A member that does not give up its partitions within the rebalance timeout is removed', () => {
  const shard = shardOf()
  shard.join('m', ['a'], { rebalanceTimeoutMs: 20_000 })
  shard.join('n', ['a'])
  shard.heartbeat({ memberEpoch: 2, owned: 'a:0,1,2,3' })
  for (let at = 0; at < 19; at++) {
    shard.clock.advance(1000)
    shard.heartbeat({ memberEpoch: 2 })
    shard.heartbeat({ memberId: 'n', memberEpoch: 3 })
  }
  expect(ids(shard)).toEqual(['m', 'n'])
  shard.clock.advance(1100)
  expect(ids(shard)).toEqual(['n'])
  expect(shard.say({ memberId: 'n', memberEpoch: 3 })).toBe('4 [a:0,1,2,3]')
})

test('A member that gives up its partitions in time stays', () => {
  const shard = shardOf()
  shard.join('m', ['a'], { rebalanceTimeoutMs: 20_000 })
  shard.join('n', ['a'])
  shard.heartbeat({ memberEpoch: 2, owned: 'a:0,1,2,3' })
  shard.clock.advance(19_000)
  expect(shard.say({ memberEpoch: 2, owned: 'a:0,1' })).toBe('3')
  shard.clock.advance(20_000)
  expect(ids(shard)).toEqual(['m', 'n'])
})

test('Members have their sessions and rebalance timeouts anew when the shard is loaded', () => {
  const shard = shardOf()
  shard.join('m', ['a'], { rebalanceTimeoutMs: 20_000 })
  shard.join('n', ['a'])
  shard.heartbeat({ memberEpoch: 2, owned: 'a:0,1,2,3' })
  shard.clock.advance(10_000)
  const again = shard.reloaded()
  again.clock.advance(19_000)
  expect(ids(again)).toEqual(['m', 'n'])
  again.clock.advance(1100)
  expect(ids(again)).toEqual(['n'])
  again.clock.advance(25_000)
  expect(ids(again)).toEqual([])
})

test('ConsumerGroups.unloaded() stops all timers', () => {
  const shard = shardOf()
  shard.join('m', ['a'])
  shard.shard.consumer.unloaded()
  const records = shard.log.length
  shard.clock.advance(60_000)
  expect(shard.log.length).toBe(records)
})

test('A silent member is removed as soon as that can be written', () => {
  const shard = shardOf()
  shard.join('m', ['a'])
  shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'No space')
  shard.clock.advance(60_000)
  expect(ids(shard)).toEqual(['m'])
  shard.appendError = undefined
  shard.clock.advance(45_000)
  expect(ids(shard)).toEqual([])
})

test('A member whose leave could not be written is still waited for', () => {
  const shard = shardOf()
  shard.join('m', ['a'])
  shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'No space')
  expect(shard.say({ memberEpoch: -1 })).toBe('COORDINATOR_NOT_AVAILABLE')
  shard.appendError = undefined
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  shard.clock.advance(46_000)
  expect(ids(shard)).toEqual([])
})

test('New partitions are given out though the first try could not be written', () => {
  const shard = shardOf()
  shard.join('m', ['a'])
  shard.topic('a', 5)
  shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'No space')
  expect(shard.say({ memberEpoch: 2 })).toBe('COORDINATOR_NOT_AVAILABLE')
  shard.appendError = undefined
  expect(shard.say({ memberEpoch: 2 })).toBe('3 [a:0,1,2,3,4]')
})

test('A member that was never told to revoke, since that could not be written, is not put out for it', () => {
  const shard = shardOf()
  shard.join('m', ['a'], { rebalanceTimeoutMs: 20_000 })
  shard.join('n', ['a'])
  shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'No space')
  expect(shard.say({ memberEpoch: 2, owned: 'a:0,1,2,3' })).toBe('COORDINATOR_NOT_AVAILABLE')
  shard.clock.advance(19_000)
  shard.appendError = undefined
  shard.clock.advance(2000)
  expect(ids(shard)).toEqual(['m', 'n'])
  expect(shard.say({ memberEpoch: 2, owned: 'a:0,1,2,3' })).toBe('2 [a:0,1]')
  shard.clock.advance(21_000)
  expect(ids(shard)).toEqual(['n'])
})
