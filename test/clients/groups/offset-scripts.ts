// What is said of offsets: commits, fetches and deletes of simple consumers and of members, in every version.
import { ZERO_UUID } from '../../../storage/base/uuid.ts'
import { COMMIT, DELETE, DELETE_TOPICS, DESCRIBE, FETCH, FORGET, LIST } from './exchanges.ts'
import { ClassicMember, ConsumerMember, subscription } from './members.ts'
import type { Script, Talk } from './talk.ts'

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABw'
const versions = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at)

interface Spot {
  readonly partition?: number
  readonly offset?: number
  readonly epoch?: number
  readonly metadata?: string | null
}

const commitTopic = (name: string, spots: readonly Spot[], topicId = ZERO_UUID) => ({
  name,
  topicId,
  partitions: spots.map(({ partition = 0, offset = 1, epoch = -1, metadata = '' }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: epoch,
    committedMetadata: metadata,
  })),
})

interface Who {
  readonly memberId?: string
  readonly generationIdOrMemberEpoch?: number
  readonly groupInstanceId?: string | null
}

const commit = (
  talk: Talk,
  label: string,
  version: number,
  groupId: string,
  topics: ReturnType<typeof commitTopic>[],
  who: Who = {},
) => talk.ask(label, COMMIT, version, { groupId, memberId: '', topics, ...who })

const fetchTopic = (name: string, partitionIndexes: number[], topicId = ZERO_UUID) => ({
  name,
  topicId,
  partitionIndexes,
})

/** One group, in whichever form the version has. */
function fetch(
  talk: Talk,
  label: string,
  version: number,
  groupId: string,
  topics: ReturnType<typeof fetchTopic>[] | null,
  {
    memberId = null,
    memberEpoch = -1,
    requireStable = false,
  }: {
    memberId?: string | null
    memberEpoch?: number
    requireStable?: boolean
  } = {},
) {
  const body =
    version < 8
      ? { groupId, topics, requireStable: version === 7 && requireStable }
      : { groups: [{ groupId, topics, memberId, memberEpoch }], requireStable }
  return talk.ask(label, FETCH, version, body)
}

const simple: Script = {
  name: 'offsets of simple consumers',
  run: async (talk) => {
    const topic = 'simple-offsets'
    const id = await talk.topic(topic, 3)
    const groupOf = (version: number) => `simple-${version}`
    for (const version of versions(2, 10)) {
      const group = groupOf(version)
      await fetch(talk, `nothing yet v${version}`, version, group, [fetchTopic(topic, [0, 1], id)])
      const spots = [
        { offset: 10 + version, metadata: `by v${version}` },
        { partition: 1, offset: 0, epoch: 3, metadata: null },
        { partition: 7, offset: 5 },
      ]
      await commit(talk, `commit v${version}`, version, group, [
        commitTopic(topic, spots, id),
        commitTopic('no-such-topic', [{ offset: 2 }], UNKNOWN_ID),
      ])
      await fetch(talk, `fetch v${version}`, version, group, [
        fetchTopic(topic, [1, 0, 2, 9], id),
        fetchTopic('no-such-topic', [0], UNKNOWN_ID),
      ])
      await fetch(talk, `fetch all v${version}`, version, group, null)
      await fetch(talk, `fetch nothing v${version}`, version, group, [])
    }
    await fetch(talk, 'fetch v1', 1, groupOf(5), [fetchTopic(topic, [0, 1, 2])])
    await fetch(talk, 'stable v7', 7, groupOf(5), null, { requireStable: true })
    const [one, two] = [groupOf(3), groupOf(4)]
    for (const version of [8, 9, 10]) {
      const groups = [
        { groupId: one, topics: null },
        { groupId: two, topics: [fetchTopic(topic, [0, 2], id)] },
        { groupId: 'simple-nobody', topics: null },
        { groupId: '', topics: null },
      ]
      await talk.ask(`several v${version}`, FETCH, version, { groups, requireStable: true })
      await talk.ask(`no groups v${version}`, FETCH, version, { groups: [], requireStable: false })
    }
    for (const version of [2, 7]) await fetch(talk, `no group id v${version}`, version, '', null)
    for (const version of [2, 9]) {
      await commit(talk, `no group id v${version}`, version, '', [commitTopic(topic, [{}])])
      await commit(talk, `no topics v${version}`, version, 'simple-none', [])
    }
    const group = 'simple-odd'
    await commit(talk, 'long metadata', 9, group, [
      commitTopic(topic, [
        { metadata: 'm'.repeat(4096) },
        { partition: 1, metadata: 'm'.repeat(4097) },
        { partition: 2, metadata: 'ü'.repeat(2048) },
      ]),
    ])
    await commit(talk, 'many bytes of metadata', 9, group, [
      commitTopic(topic, [{ partition: 2, offset: 4, metadata: 'ü'.repeat(2049) }]),
    ])
    await commit(talk, 'odd offsets', 9, group, [
      commitTopic(topic, [
        { partition: 0, offset: -1, metadata: 'minus one' },
        { partition: 1, offset: Number.MAX_SAFE_INTEGER, metadata: 'large' },
        { partition: -1, offset: 0 },
      ]),
    ])
    await commit(talk, 'the same twice', 9, group, [
      commitTopic(topic, [
        { partition: 2, offset: 1 },
        { partition: 2, offset: 2 },
      ]),
    ])
    await fetch(talk, 'what came of it', 9, group, null)
    await commit(talk, 'by both', 10, group, [commitTopic(topic, [{ offset: 3 }], ZERO_UUID)])
    await fetch(talk, 'by both', 10, group, [fetchTopic('', [0], ZERO_UUID)])
    for (const version of [2, 4])
      await talk.ask(`with a retention v${version}`, COMMIT, version, {
        groupId: group,
        memberId: '',
        retentionTimeMs: 5000,
        topics: [commitTopic(topic, [{ offset: 77, metadata: 'kept for a while' }])],
      })
    await fetch(talk, 'with a retention', 9, group, [fetchTopic(topic, [0])])
    const list = await talk.askQuietly(LIST, 5, {})
    talk.note(
      'listed',
      list.groups.filter(({ groupId }) => groupId.startsWith('simple-')),
    )
    for (const version of [0, 5])
      await talk.ask(`described v${version}`, DESCRIBE, version, { groups: [group] })
  },
}

const byMembers: Script = {
  name: 'offsets of classic members',
  run: async (talk) => {
    const topic = 'member-offsets'
    const id = await talk.topic(topic, 2)
    const groupId = 'members'
    const t = (offset: number) => [commitTopic(topic, [{ offset }], id)]
    const refused = async (state: string, who: Who) => {
      for (const version of [2, 6, 8, 9, 10]) {
        await commit(talk, `${state} v${version}`, version, groupId, t(version), who)
      }
    }
    await refused('no group, generation 0', { memberId: 'x', generationIdOrMemberEpoch: 0 })
    await refused('no group, a member', { memberId: 'x', generationIdOrMemberEpoch: -1 })
    const a = await ClassicMember.connect(talk, {
      groupId,
      name: 'a',
      protocols: [['range', subscription([topic])]],
    })
    talk.note('joins', await a.joinFully())
    const its = () => ({ memberId: a.memberId, generationIdOrMemberEpoch: a.generationId })
    await refused('completing', its())
    await refused('completing, simple', {})
    talk.note('syncs', await a.sync([[a, subscription([topic])]]))
    await refused('stable', its())
    await refused('stable, simple', {})
    await refused('stable, other generation', { ...its(), generationIdOrMemberEpoch: 7 })
    await refused('stable, generation -1', { ...its(), generationIdOrMemberEpoch: -1 })
    await refused('stable, other member', { ...its(), memberId: 'other' })
    for (const version of [7, 9]) {
      const who = { ...its(), groupInstanceId: 'nobody' }
      await commit(talk, `an instance v${version}`, version, groupId, t(50), who)
    }
    await commit(
      talk,
      'of an unknown topic',
      9,
      groupId,
      [
        commitTopic('no-such-topic', [{}]),
        commitTopic(topic, [
          { partition: 1, offset: 6 },
          { partition: 2, offset: 6 },
        ]),
      ],
      its(),
    )
    for (const memberEpoch of [1, 0, -1, 9])
      for (const memberId of [a.memberId, 'nobody', null])
        await fetch(
          talk,
          `fetch as ${memberId === a.memberId ? 'a' : memberId} at ${memberEpoch}`,
          9,
          groupId,
          null,
          { memberId, memberEpoch },
        )
    await talk.ask('delete subscribed', FORGET, 0, {
      groupId,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0 }, { partitionIndex: 8 }] }],
    })
    const b = await ClassicMember.connect(talk, { groupId, name: 'b' })
    await b.join()
    const joining = b.join()
    await a.beatUntil('a is told', 27)
    await refused('preparing', its())
    talk.note('a', await a.join())
    talk.note('b', await joining)
    talk.note('leave', [await a.leave(), await b.leave()])
    await refused('empty, as a', its())
    await refused('empty, simple', {})
    await refused('empty, generation 2', { memberId: '', generationIdOrMemberEpoch: 2 })
    await fetch(talk, 'in the end', 9, groupId, null)
  },
}

const deletes: Script = {
  name: 'offsets are deleted',
  run: async (talk) => {
    const [topic, other] = ['deleted-offsets', 'other-offsets']
    await talk.topic(topic, 3)
    const id = await talk.topic(other, 1)
    const groupId = 'deletes'
    const forget = (label: string, group: string, ...topics: [string, number[]][]) =>
      talk.ask(label, FORGET, 0, {
        groupId: group,
        topics: topics.map(([name, list]) => ({
          name,
          partitions: list.map((partitionIndex) => ({ partitionIndex })),
        })),
      })
    await forget('no such group', 'deletes-nobody', [topic, [0]])
    await forget('no group id', '', [topic, [0]])
    const all = [0, 1, 2].map((partition) => ({ partition, offset: 5 + partition }))
    await commit(talk, 'commit', 9, groupId, [commitTopic(topic, all), commitTopic(other, [{}])])
    await forget('one', groupId, [topic, [1]])
    await forget('none there', groupId, [topic, [1, 9]], ['no-such-topic', [0]])
    await forget('nothing', groupId)
    await forget('no partitions', groupId, [topic, []])
    await fetch(talk, 'without one', 8, groupId, null)
    await talk.askQuietly(DELETE_TOPICS, 6, {
      topics: [{ name: null, topicId: id }],
      timeoutMs: 10_000,
    })
    await talk.until(
      'without a topic',
      () =>
        talk.askQuietly(FETCH, 8, { groups: [{ groupId, topics: null }], requireStable: false }),
      (answer) => answer.groups[0]?.topics.length === 1,
    )
    const consumer = await ConsumerMember.connect(talk, 'deletes-new', 'new-a')
    talk.note('a consumer', await consumer.join([topic]))
    const fields = { memberId: 'new-a', generationIdOrMemberEpoch: consumer.memberEpoch }
    await commit(talk, 'its commit', 9, 'deletes-new', [commitTopic(topic, all)], fields)
    await forget('subscribed', 'deletes-new', [topic, [0]], ['no-such-topic', [0]])
    const connect = await ClassicMember.connect(talk, {
      groupId: 'deletes-connect',
      name: 'c',
      protocolType: 'connect',
      protocols: [['x', subscription([])]],
    })
    talk.note('a worker', await connect.joinFully())
    await forget('of workers', 'deletes-connect', [topic, [0]])
    await commit(talk, 'an empty group', 9, 'deletes-gone', [commitTopic(topic, [{}])])
    for (const version of [0, 1, 2])
      await talk.ask(`groups v${version}`, DELETE, version, {
        groupsNames: ['deletes-connect', 'deletes-new', 'deletes-nobody', '', 'deletes-gone'],
      })
    await talk.ask('the same twice', DELETE, 2, { groupsNames: [groupId, groupId] })
    await fetch(talk, 'all gone', 8, groupId, null)
    await talk.ask('nobody', DELETE, 2, { groupsNames: [] })
  },
}

const byConsumers: Script = {
  name: 'offsets of consumers of the new protocol',
  run: async (talk) => {
    const topic = 'consumer-offsets'
    const id = await talk.topic(topic, 4)
    const groupId = 'new-members'
    const t = (offset: number, partition = 0) => [commitTopic(topic, [{ offset, partition }], id)]
    const a = await ConsumerMember.connect(talk, groupId, 'offsets-a')
    talk.note('a', await a.join([topic]))
    const at = (generationIdOrMemberEpoch: number, memberId = a.memberId) => ({
      memberId,
      generationIdOrMemberEpoch,
    })
    for (const version of [2, 8, 9, 10]) {
      await commit(talk, `at its epoch v${version}`, version, groupId, t(1), at(a.memberEpoch))
      await commit(talk, `one too many v${version}`, version, groupId, t(2), at(a.memberEpoch + 1))
      await commit(talk, `epoch 0 v${version}`, version, groupId, t(3), at(0))
      await commit(talk, `simple v${version}`, version, groupId, t(4))
      await commit(talk, `nobody v${version}`, version, groupId, t(5), at(1, 'nobody'))
    }
    const before = a.memberEpoch
    const b = await ConsumerMember.connect(talk, groupId, 'offsets-b')
    talk.note('b', await b.join([topic]))
    talk.note('a revokes', await a.beat())
    await a.settle('a', ({ memberEpoch }) => memberEpoch > before)
    await b.settle('b', ({ owned }) => owned.length === 1)
    for (const partition of [0, 1, 2, 3]) {
      await commit(talk, `${partition} by a`, 9, groupId, t(6, partition), at(before))
      await commit(talk, `${partition} by b`, 10, groupId, t(7, partition), at(before, b.memberId))
    }
    for (const version of [9, 10])
      for (const [memberId, memberEpoch] of [
        [a.memberId, a.memberEpoch],
        [a.memberId, before],
        [a.memberId, a.memberEpoch + 1],
        ['nobody', 1],
        [null, -1],
        ['', -1],
        [a.memberId, -1],
      ] as const) {
        const label = `fetch as ${memberId} at ${memberEpoch} v${version}`
        await fetch(talk, label, version, groupId, [fetchTopic(topic, [0, 1, 2, 3], id)], {
          memberId,
          memberEpoch,
        })
      }
    await fetch(talk, 'fetch v5', 5, groupId, [fetchTopic(topic, [0, 1, 2, 3])])
    talk.note('leave', [await a.leave(), await b.leave()])
    await commit(talk, 'simple when empty v8', 8, groupId, t(8))
    await commit(talk, 'simple when empty v9', 9, groupId, t(9))
    await commit(talk, 'at an epoch when empty', 9, groupId, t(9), at(before))
    await fetch(talk, 'in the end', 9, groupId, null)
  },
}

/** The scripts. */
export const offsetScripts: readonly Script[] = [simple, byMembers, deletes, byConsumers]
