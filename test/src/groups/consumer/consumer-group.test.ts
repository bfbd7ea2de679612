// Who may commit to, read from and delete a consumer group.
import { expect, test } from 'vitest'
import type { OffsetClient } from '../../../../src/groups/group.ts'
import { ConsumerShard, topicId } from './consumer-shard.ts'

/** Member m at epoch 4: has partition 0 since 2 and 1 since 4, and is to give up 2. Classic member c has 3. */
function shardOf(): { shard: ConsumerShard; classic: string } {
  const shard = new ConsumerShard({ config: { 'group.consumer.assignment.interval.ms': '0' } })
  shard.topic('a', 4)
  shard.join('n', ['a'])
  const { memberId: classic } = shard.joinClassic({ version: 3 })
  const groupId = 'g'
  const owned = (partitions: number[], assignmentEpochs: number[]) => [
    { topicId: topicId(0), partitions, assignmentEpochs },
  ]
  const current = { memberEpoch: 4, previousMemberEpoch: 3, state: 1 }
  shard.join('m', ['a'])
  shard.run(() => ({
    records: [
      {
        type: 'ConsumerGroupCurrentMemberAssignment',
        key: { groupId, memberId: 'm' },
        value: {
          ...current,
          assignedPartitions: owned([0, 1], [2, 4]),
          partitionsPendingRevocation: owned([2], [3]),
        },
      },
      {
        type: 'ConsumerGroupCurrentMemberAssignment',
        key: { groupId, memberId: classic },
        value: {
          ...current,
          assignedPartitions: owned([3], [4]),
          partitionsPendingRevocation: [],
        },
      },
    ],
    answer: undefined,
  }))
  return { shard, classic }
}

const client = (memberId: string, epoch: number, version = 9): OffsetClient => ({
  memberId,
  groupInstanceId: null,
  generationIdOrMemberEpoch: epoch,
  version,
})

test.each([
  { why: 'its epoch', from: client('m', 4), partition: 3, code: '' },
  { why: 'a newer epoch', from: client('m', 5), partition: 0, code: 'STALE_MEMBER_EPOCH' },
  {
    why: 'an older epoch in which it had the partition',
    from: client('m', 3),
    partition: 0,
    code: '',
  },
  { why: 'the epoch in which it got the partition', from: client('m', 2), partition: 0, code: '' },
  { why: 'an epoch before', from: client('m', 1), partition: 0, code: 'STALE_MEMBER_EPOCH' },
  {
    why: 'an epoch before, of another partition',
    from: client('m', 3),
    partition: 1,
    code: 'STALE_MEMBER_EPOCH',
  },
  { why: 'an older epoch, of what it gives up', from: client('m', 3), partition: 2, code: '' },
  {
    why: 'an older epoch, of what it has not',
    from: client('m', 3),
    partition: 3,
    code: 'STALE_MEMBER_EPOCH',
  },
  { why: 'an old version', from: client('m', 4, 8), partition: 0, code: 'UNSUPPORTED_VERSION' },
  { why: 'an unknown id', from: client('x', 4), partition: 0, code: 'UNKNOWN_MEMBER_ID' },
  { why: 'no id, as a tool does', from: client('', -1), partition: 0, code: 'UNKNOWN_MEMBER_ID' },
])('ConsumerGroup.validateCommit() of a member with $why', ({ from, partition, code }) => {
  const { shard } = shardOf()
  const commit = () => {
    shard.group.validateCommit(from)?.(topicId(0), partition)
    return ''
  }
  expect(shard.refusal(commit)).toBe(code)
})

test('ConsumerGroup.validateCommit() speaks of generations to classic members, in any version', () => {
  const { shard, classic } = shardOf()
  const commit = (epoch: number, partition = 3) =>
    shard.refusal(() => {
      shard.group.validateCommit(client(classic, epoch, 2))?.(topicId(0), partition)
      return ''
    })
  expect(commit(4)).toBe('')
  expect(commit(5)).toBe('ILLEGAL_GENERATION')
  expect(commit(3)).toBe('ILLEGAL_GENERATION')
  expect(commit(3, 0)).toBe('ILLEGAL_GENERATION')
})

test.each([
  { why: 'a tool', from: { ...client('', -1), memberId: null }, code: '' },
  { why: 'one who claims to be no one', from: client('', -1), code: 'UNKNOWN_MEMBER_ID' },
  { why: 'a member', from: client('m', 4), code: '' },
  { why: 'a member of an older epoch', from: client('m', 3), code: 'STALE_MEMBER_EPOCH' },
  { why: 'nobody', from: client('x', 4), code: 'UNKNOWN_MEMBER_ID' },
])('ConsumerGroup.validateFetch() of $why', ({ from, code }) => {
  const { shard } = shardOf()
  const fetch = () => {
    shard.group.validateFetch(from)
    return ''
  }
  expect(shard.refusal(fetch)).toBe(code)
})

test('ConsumerGroup.offsetExpiration() counts from the commit, whoever is subscribed', () => {
  const { shard } = shardOf()
  expect(shard.group.offsetExpiration().baseTimestamp(7)).toBe(7)
})

test('ConsumerGroup lets tools commit, and itself be deleted, only when it is empty', () => {
  const shard = new ConsumerShard()
  shard.topic('a', 1)
  shard.join('m', ['a'])
  expect(() => shard.group.validateDelete()).toThrow('Group g has 1 members')
  shard.heartbeat({ memberEpoch: -1 })
  shard.group.validateDelete()
  expect(shard.group.validateCommit(client('', -1))).toBeUndefined()
})
