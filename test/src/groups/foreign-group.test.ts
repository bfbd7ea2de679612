// Groups of other kinds that a Kafka left in `__consumer_offsets`: seen, and not touched.
import { expect, test } from 'vitest'
import { replayForeign } from '#src/groups/foreign-group.ts'
import type { Group, OffsetClient } from '#src/groups/group.ts'
import { type GroupRecord, groupRecordCodec } from '#src/groups/group-record.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { ConsumerShard } from './consumer/consumer-shard.ts'

const TOOL: OffsetClient = {
  memberId: '',
  groupInstanceId: null,
  generationIdOrMemberEpoch: -1,
  version: 9,
}
const member = { groupId: 'g', memberId: 'm' }
const shareEpoch = (value: { epoch: number; metadataHash: number } | null): GroupRecord => ({
  type: 'ShareGroupMetadata',
  key: { groupId: 'g' },
  value,
})
const shareMember = (isThere: boolean): GroupRecord => ({
  type: 'ShareGroupMemberMetadata',
  key: member,
  value: isThere
    ? { rackId: null, clientId: 'c', clientHost: '/127.0.0.1', subscribedTopicNames: ['t'] }
    : null,
})

function after(...records: readonly GroupRecord[]): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const record of records) replayForeign(groups, record)
  return groups
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return error instanceof KafkaError ? error.code : String(error)
  }
}

test('A share group is there from its first record to its last, stable while it has members', () => {
  const epoch = shareEpoch({ epoch: 1, metadataHash: 7 })
  expect(after(shareMember(true), epoch).get('g')).toMatchObject({
    type: 'share',
    protocolType: 'share',
    state: 'Stable',
  })
  expect(after(epoch, shareMember(true), shareMember(false)).get('g')?.state).toBe('Empty')
  expect(after(epoch, shareMember(true), shareMember(false), shareEpoch(null)).size).toBe(0)
  expect(after(shareMember(false), shareEpoch(null)).size).toBe(0)
})

test('A foreign group takes no commits of members, is not deleted, and its offsets do not expire', () => {
  const share = after(shareEpoch({ epoch: 1, metadataHash: 7 })).get('g') as Group
  expect(codeOf(() => share.validateCommit(TOOL))).toBe('GROUP_ID_NOT_FOUND')
  expect(codeOf(() => share.validateFetch(TOOL))).toBe('GROUP_ID_NOT_FOUND')
  expect(codeOf(() => share.validateDelete())).toBe('GROUP_ID_NOT_FOUND')
  expect(codeOf(() => share.validateOffsetDelete())).toBe('GROUP_ID_NOT_FOUND')
  expect(share.offsetExpiration()).toBeUndefined()
  expect(share.tombstones()).toEqual([])
  expect(share.isSubscribedTo('t')).toBe(true)
})

const streamsEpoch: GroupRecord = {
  type: 'StreamsGroupMetadata',
  key: { groupId: 'g' },
  value: {
    epoch: 1,
    metadataHash: 0,
    validatedTopologyEpoch: 0,
    lastAssignmentConfigs: [],
    storedDescriptionTopologyEpoch: -1,
    failedDescriptionTopologyEpoch: -1,
  },
}

test('A streams group whose offsets stand before it in the log keeps them', async () => {
  const commit: GroupRecord = {
    type: 'OffsetCommit',
    key: { group: 'g', topic: 'a', partition: 0 },
    value: {
      offset: 7,
      leaderEpoch: -1,
      metadata: '',
      commitTimestamp: 0,
      expireTimestamp: -1,
      topicId: ZERO_UUID,
    },
  }
  const log = [commit, streamsEpoch].map((record) => groupRecordCodec.encode(record))
  const config = { 'offsets.retention.minutes': '1' }
  const shard = new ConsumerShard({ log, config })
  expect(shard.anyGroup?.type).toBe('streams')
  await shard.clock.run(3_600_000)
  expect(shard.shard.offsets.size).toBe(1)
  // A group of its own kind is not replaced, whatever a log says.
  const other = new ConsumerShard({ config })
  other.join('m', [])
  other.shard.replay(streamsEpoch, { offset: 0, producerId: -1, producerEpoch: -1 })
  expect(other.anyGroup?.type).toBe('consumer')
})

test('The offsets of an empty streams group may be set by a tool, and by nobody else', () => {
  const streams = after(streamsEpoch).get('g') as Group
  expect(streams.type).toBe('streams')
  expect(codeOf(() => streams.validateCommit(TOOL))).toBeUndefined()
  expect(codeOf(() => streams.validateFetch(TOOL))).toBeUndefined()
  const asMember = { ...TOOL, memberId: 'm', generationIdOrMemberEpoch: 1 }
  expect(codeOf(() => streams.validateCommit(asMember))).toBe('GROUP_ID_NOT_FOUND')
})
