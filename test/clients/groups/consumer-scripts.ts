// What members of the new consumer protocol say, rightly and wrongly.
import { CONSUME, DESCRIBE, DESCRIBE_CONSUMERS, GROW_TOPICS } from './exchanges.ts'
import { assignment, ClassicMember, ConsumerMember, subscription } from './members.ts'
import type { Script, Talk } from './talk.ts'

const describe = (talk: Talk, label: string, groupId: string) =>
  talk.ask(label, DESCRIBE_CONSUMERS, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })

const count = (member: ConsumerMember): number =>
  member.owned.reduce((sum, { partitions }) => sum + partitions.length, 0)

/** How many epochs an expression costs depends on whether its topics are found before or after the first assignment. */
const withoutEpochs = <
  Group extends { readonly members: readonly { readonly memberEpoch: number }[] },
>(
  group: Group,
) => ({
  ...group,
  groupEpoch: 'some',
  assignmentEpoch: 'some',
  members: group.members.map((member) => ({ ...member, memberEpoch: 'some' })),
})

function lifeCycle(version: number): Script {
  return {
    name: `consumers come and go, v${version}`,
    run: async (talk) => {
      const topic = `consumers-${version}`
      await talk.topic(topic, 6)
      const groupId = `consumers-${version}`
      const connect = async (name: string) => {
        const member = await ConsumerMember.connect(talk, groupId, name, version)
        if (version === 0) member.memberId = ''
        return member
      }
      await describe(talk, 'nothing', groupId)
      const a = await connect('life-a')
      talk.note('a joins', name(talk, 'a', a, await a.join([topic])))
      await describe(talk, 'a', groupId)
      talk.note('a beats', await a.beat())
      talk.note('a has all', await a.beat({ topicPartitions: a.owned }))
      talk.note(
        'a says all again',
        await a.beat({
          topicPartitions: a.owned,
          rebalanceTimeoutMs: 20_000,
          subscribedTopicNames: [topic],
        }),
      ) // everything
      const b = await connect('life-b')
      talk.note('b joins', name(talk, 'b', b, await b.join([topic])))
      await describe(talk, 'b waits', groupId)
      talk.note('b beats', await b.beat({ topicPartitions: b.owned }))
      talk.note('a is told to revoke', await a.beat())
      await describe(talk, 'a revokes', groupId)
      talk.note('a still has all', await a.beat())
      const before = a.memberEpoch
      await a.settle('a has revoked', ({ memberEpoch }) => memberEpoch > before)
      await describe(talk, 'a is done', groupId)
      await b.settle('b gets the rest', (member) => count(member) === 3)
      talk.note('b has them', await b.beat({ topicPartitions: b.owned }))
      await describe(talk, 'stable', groupId)
      talk.note('a lost an answer', await a.beat({ memberEpoch: before, topicPartitions: a.owned }))
      talk.note('a is too old', await a.beat({ memberEpoch: before - 1 }))
      talk.note('a is too new', await a.beat({ memberEpoch: a.memberEpoch + 1 }))
      talk.note('a joins again', await a.join([topic]))
      // Who gets which depends on the ids, which the broker makes up in version 0.
      if (version > 0) await grow(talk, topic, [a, b])
      talk.note('b leaves', await b.leave())
      talk.note('b beats afterwards', await b.beat())
      talk.note('b leaves again', await b.leave())
      await a.settle('a has all again', (member) => count(member) === (version > 0 ? 8 : 6))
      talk.note('a unsubscribes', await a.beat({ subscribedTopicNames: [] }))
      await a.settle('a has none', (member) => count(member) === 0)
      await describe(talk, 'none', groupId)
      talk.note(
        'a subscribes to what is not there',
        await a.beat({ subscribedTopicNames: ['no-such-topic', topic] }),
      )
      await describe(talk, 'all again', groupId)
      talk.note('a leaves', await a.leave())
      await describe(talk, 'empty', groupId)
      await talk.ask('as a classic group', DESCRIBE, 6, { groups: [groupId] })
    },
  }
}

async function grow(talk: Talk, topic: string, [a, b]: readonly [ConsumerMember, ConsumerMember]) {
  await talk.askQuietly(GROW_TOPICS, 3, {
    topics: [{ name: topic, count: 8, assignments: null }],
    timeoutMs: 10_000,
    validateOnly: false,
  })
  await a.settle('a gets a new partition', (member) => count(member) === 4)
  await b.settle('b gets a new partition', (member) => count(member) === 4)
  await describe(talk, 'grown', topic)
}

/** The server made the id: from now on it has a name. */
function name<R>(talk: Talk, as: string, member: ConsumerMember, answer: R): R {
  talk.call(member.memberId, as)
  return answer
}

const refusals: Script = {
  name: 'consumers that are refused',
  run: async (talk) => {
    const topic = 'refused'
    const id = await talk.topic(topic, 2)
    const groupId = 'refused'
    const join = {
      groupId,
      memberId: 'refused-a',
      memberEpoch: 0,
      rebalanceTimeoutMs: 20_000,
      subscribedTopicNames: [topic],
      topicPartitions: [],
    }
    const owned = [{ topicId: id, partitions: [0] }]
    const all: readonly (readonly [string, object, readonly number[]])[] = [
      ['no group id', { groupId: '' }, [0, 1]],
      ['blank group id', { groupId: ' ' }, [1]],
      ['no member id', { memberId: '' }, [1]],
      ['no timeout', { rebalanceTimeoutMs: -1 }, [0, 1]],
      ['timeout 0', { rebalanceTimeoutMs: 0 }, [1]],
      ['partitions on joining', { topicPartitions: owned }, [0, 1]],
      ['no partitions on joining', { topicPartitions: null }, [0, 1]],
      ['no subscription', { subscribedTopicNames: null }, [0, 1]],
      ['epoch -3', { memberEpoch: -3 }, [0, 1]],
      ['epoch -2 without instance', { memberEpoch: -2 }, [0, 1]],
      ['epoch 1 of no group', { memberEpoch: 1 }, [0, 1]],
      ['leave no group', { memberEpoch: -1 }, [0, 1]],
      ['empty instance', { instanceId: '' }, [0, 1]],
      ['empty rack', { rackId: '' }, [0, 1]],
      ['unknown assignor', { serverAssignor: 'mine' }, [0, 1]],
      ['empty assignor', { serverAssignor: '' }, [0, 1]],
      ['bad expression', { subscribedTopicRegex: '(', subscribedTopicNames: null }, [1]],
      ['back reference', { subscribedTopicRegex: '(a)\\1', subscribedTopicNames: null }, [1]],
      ['look-ahead', { subscribedTopicRegex: 'a(?=b)', subscribedTopicNames: null }, [1]],
    ]
    for (const [label, changes, versions] of all)
      for (const version of versions)
        await talk.ask(`${label} v${version}`, CONSUME, version, { ...join, ...changes })
    await describe(talk, 'still no group', groupId)
    const a = await ConsumerMember.connect(talk, groupId, 'refused-a')
    talk.note('a', await a.join([topic]))
    for (const [label, changes, versions] of all)
      for (const version of versions)
        await talk.ask(`again: ${label} v${version}`, CONSUME, version, {
          ...join,
          memberId: 'refused-b',
          ...changes,
        })
    await describe(talk, 'a and who was let in', groupId)
    talk.note('a changes to an unknown assignor', await a.beat({ serverAssignor: 'mine' }))
    talk.note('a changes to range', await a.beat({ serverAssignor: 'range' }))
    await describe(talk, 'range', groupId)
    talk.note('a has a bad expression', await a.beat({ subscribedTopicRegex: '[' }))
    talk.note(
      'a claims what it was not given',
      await a.beat({ topicPartitions: [{ topicId: id, partitions: [0, 1, 5] }] }),
    )
    await talk.ask('a member of nobody', CONSUME, 1, { ...join, memberId: 'x', memberEpoch: 5 })
  },
}

const staticMembers: Script = {
  name: 'static consumers',
  run: async (talk) => {
    const topic = 'static-consumers'
    await talk.topic(topic, 4)
    const groupId = 'static-consumers'
    const connect = (name: string) => ConsumerMember.connect(talk, groupId, name)
    const [one, two] = [{ instanceId: 'one' }, { instanceId: 'two' }]
    const a = await connect('static-a')
    talk.note('a', await a.join([topic], one))
    const b = await connect('static-b')
    talk.note('b', await b.join([topic], two))
    const before = a.memberEpoch
    const settle = (member: ConsumerMember, label: string, isDone: () => boolean) =>
      talk.until(
        label,
        () =>
          member.beat({
            topicPartitions: member.owned,
            instanceId: member === a ? 'one' : 'two',
          }),
        isDone,
      )
    await settle(a, 'a gives', () => a.memberEpoch > before)
    await settle(b, 'b takes', () => count(b) === 2)
    const c = await connect('static-c')
    talk.note('instance in use', await c.join([topic], two))
    talk.note('b leaves for a while', await b.beat({ memberEpoch: -2, ...two }))
    await describe(talk, 'b is away', groupId)
    talk.note('b beats while it is away', await b.beat(two))
    talk.note('a noticed nothing', await a.beat(one))
    talk.note('c takes its place', await c.join([topic], two))
    await describe(talk, 'c for b', groupId)
    talk.note('b comes back', await b.beat({ memberEpoch: 2, ...two }))
    talk.note('b leaves for good', await b.beat({ memberEpoch: -1, ...two }))
    talk.note('c without its instance', await c.beat())
    talk.note('c with another', await c.beat({ instanceId: 'three' }))
    talk.note('c as a', await c.beat(one))
    talk.note('c leaves for a while', await c.beat({ memberEpoch: -2, ...two }))
    const d = await connect('static-d')
    talk.note('d with other topics', await d.join(['no-such-topic'], two))
    await describe(talk, 'd for c', groupId)
    await settle(a, 'a has all', () => count(a) === 4)
    talk.note('d leaves', await d.beat({ memberEpoch: -1, ...two }))
    talk.note('a leaves by -2', await a.beat({ memberEpoch: -2, ...one }))
    await describe(talk, 'in the end', groupId)
  },
}

const expressions: Script = {
  name: 'consumers subscribe by expression',
  run: async (talk) => {
    for (const [topic, partitions] of [
      ['expr-one', 2],
      ['expr-two', 1],
      ['other-expr', 1],
    ] as const)
      await talk.topic(topic, partitions)
    // A group's expressions are resolved at once, but not again within ten seconds: so each has a group.
    const cases: readonly (readonly [string, string[], string, number])[] = [
      ['prefix', [], 'expr-.*', 3],
      ['whole-name', [], 'expr-o', 0],
      ['either', [], '(expr|other)-(one|expr)', 3],
      ['classes', [], '[[:alpha:]]+-t\\wo', 1],
      ['both', ['other-expr'], 'expr-t.o', 2],
      ['the-same', ['expr-one'], 'expr-o.*', 2],
      ['ignoring-case', [], '(?i)EXPR-.+', 3],
    ]
    for (const [label, names, subscribedTopicRegex, expected] of cases) {
      const groupId = `expr-${label}`
      const a = await ConsumerMember.connect(talk, groupId, 'expr-a')
      const changes = { subscribedTopicNames: names, subscribedTopicRegex }
      talk.note(`${label}: joins`, (await a.join(names, changes)).errorCode)
      await talk.until(
        label,
        async () => {
          await a.beat({ topicPartitions: a.owned })
          return count(a)
        },
        (found) => found === expected,
      )
      await talk.until(
        `${label}: described`,
        async () => {
          // What an expression resolves to may come after the names: the next heartbeat assigns it.
          await a.beat({ topicPartitions: a.owned })
          const question = { groupIds: [groupId], includeAuthorizedOperations: false }
          const { groups } = await talk.askQuietly(DESCRIBE_CONSUMERS, 1, question)
          return groups.map(withoutEpochs)
        },
        (groups) => groups[0]?.groupState === 'Stable',
      )
      if (label !== 'prefix' && label !== 'both') continue
      talk.note(`${label}: without`, (await a.beat({ subscribedTopicRegex: '' })).errorCode)
      await a.settle(`${label}: has`, (member) => count(member) === names.length)
      await describe(talk, `${label}: in the end`, groupId)
    }
  },
}

const assignors: Script = {
  name: 'assignors of the server',
  run: async (talk) => {
    const topics = ['assign-a', 'assign-b']
    for (const topic of topics) await talk.topic(topic, 3)
    for (const assignor of ['range', 'uniform', null]) {
      const groupId = `assign-${assignor}`
      const members: ConsumerMember[] = []
      for (const name of ['m1', 'm2', 'm3']) {
        const member = await ConsumerMember.connect(talk, groupId, `${assignor}-${name}`)
        await member.join(topics, { serverAssignor: assignor })
        members.push(member)
      }
      await talk.until(
        `${assignor} is stable`,
        async () => {
          for (const member of members) await member.beat({ topicPartitions: member.owned })
          return assignor === 'range' ? members.map((member) => member.owned) : []
        },
        () => members.every((member) => count(member) === 2),
      )
      if (assignor === 'range') await describe(talk, assignor, groupId)
      await members[1]?.leave()
      const rest = members.filter((_, at) => at !== 1)
      await talk.until(
        `${assignor} without one`,
        async () => {
          for (const member of rest) await member.beat({ topicPartitions: member.owned })
          return assignor === 'range' ? rest.map((member) => member.owned) : []
        },
        () => rest.reduce((sum, member) => sum + count(member), 0) === 6,
      )
    }
    const groupId = 'assign-votes'
    const [x, y, z] = [
      await ConsumerMember.connect(talk, groupId, 'vote-x'),
      await ConsumerMember.connect(talk, groupId, 'vote-y'),
      await ConsumerMember.connect(talk, groupId, 'vote-z'),
    ]
    await x.join(topics, { serverAssignor: 'range', rackId: 'r1' })
    const chosen = async (label: string) => {
      const { groups } = await talk.askQuietly(DESCRIBE_CONSUMERS, 1, {
        groupIds: [groupId],
        includeAuthorizedOperations: false,
      })
      talk.note(
        label,
        groups.map(({ assignorName, groupState, groupEpoch, members }) => ({
          assignorName,
          groupState,
          groupEpoch,
          racks: members.map(({ memberId, rackId }) => [memberId, rackId]),
        })),
      )
    }
    await chosen('one for range')
    await y.join(topics, { serverAssignor: 'uniform' })
    await z.join(topics, { serverAssignor: 'uniform', rackId: 'r2' })
    await chosen('two for uniform')
    await z.beat({ serverAssignor: 'range', rackId: 'r3', topicPartitions: z.owned })
    await chosen('two for range')
  },
}

const upgrade: Script = {
  name: 'a classic group becomes a consumer group and back',
  run: async (talk) => {
    const topic = 'migration'
    const id = await talk.topic(topic, 4)
    const groupId = 'migration'
    const mine: [string, number[]][] = [[topic, [0, 1, 2, 3]]]
    const a = await ClassicMember.connect(talk, {
      groupId,
      name: 'a',
      protocols: [['range', subscription([topic])]],
    })
    talk.note('a joins', await a.joinFully())
    talk.note('a syncs', await a.sync([[a, assignment(mine)]]))
    const b = await ConsumerMember.connect(talk, groupId, 'migrate-b')
    talk.note('b joins', await b.join([topic]))
    await describe(talk, 'upgraded', groupId)
    await a.beatUntil('a is told', 27)
    const owning = (owned: [string, number[]][]) => ({
      protocols: [['range', subscription([topic], owned)] as const],
    })
    talk.note('a joins again', await a.join(owning(mine)))
    talk.note('a gets less', await a.sync())
    await describe(talk, 'while a revokes', groupId)
    talk.note('a beats', await a.beat())
    talk.note('a joins with less', await a.join(owning([[topic, [0, 1]]])))
    talk.note('a is given', await a.sync())
    talk.note('a beats in the end', await a.beat())
    await b.settle('b has the rest', (member) => count(member) === 2)
    await describe(talk, 'shared', groupId)
    await talk.ask('as a classic group', DESCRIBE, 6, { groups: [groupId] })
    const c = await ClassicMember.connect(talk, {
      groupId,
      name: 'c',
      protocols: [['range', subscription([topic])]],
    })
    talk.note('c joins', await c.joinFully())
    talk.note('c syncs', await c.sync())
    talk.note('c of another type', await c.join({ protocolType: 'connect' }))
    talk.note('a of an old generation', await a.beat({ generationId: 1 }))
    talk.note('b leaves', await b.leave())
    await describe(talk, 'no consumer any more', groupId)
    const again = await talk.askQuietly(DESCRIBE, 6, { groups: [groupId] })
    talk.note(
      'classic again',
      again.groups.map(({ members, ...group }) => ({
        ...group,
        // Who has which of them depends on the ids, which are made up.
        members: members.map(({ memberId }) => memberId),
      })),
    )
    talk.note('a beats', await a.beat())
    talk.note('everyone leaves', [await a.leave(), await c.leave()])
    await talk.ask('empty', DESCRIBE, 6, { groups: [groupId] })
    const d = await ConsumerMember.connect(talk, groupId, 'migrate-d')
    talk.note('a consumer in an empty classic group', await d.join([topic]))
    await describe(talk, 'a consumer group', groupId)
    talk.note('d leaves', await d.leave())
    talk.note('c in an empty consumer group', await c.join())
    const e = await ClassicMember.connect(talk, {
      groupId,
      name: 'e',
      protocols: [['range', subscription([topic])]],
    })
    talk.note('e in an empty consumer group', await e.joinFully())
    talk.note('e syncs', await e.sync([[e, assignment(mine)]]))
    await talk.ask('classic once more', DESCRIBE, 6, { groups: [groupId] })
    talk.note('topic', id)
  },
}

const noUpgrade: Script = {
  name: 'a consumer cannot join groups of other kinds',
  run: async (talk) => {
    const topic = 'no-upgrade'
    await talk.topic(topic, 1)
    const worker = await ClassicMember.connect(talk, {
      groupId: 'no-upgrade',
      name: 'worker',
      protocolType: 'connect',
      protocols: [['x', subscription([])]],
    })
    talk.note('a worker', await worker.joinFully())
    const consumer = await ConsumerMember.connect(talk, 'no-upgrade', 'no-upgrade-b')
    talk.note('refused', await consumer.join([topic]))
    talk.note('an epoch', await consumer.beat({ memberEpoch: 3 }))
    talk.note('leaves', await consumer.leave())
    const mixed = await ConsumerMember.connect(talk, 'no-downgrade', 'no-downgrade-a')
    talk.note('a consumer', await mixed.join([topic]))
    const other = await ClassicMember.connect(talk, {
      groupId: 'no-downgrade',
      name: 'other',
      protocolType: 'connect',
      protocols: [['x', subscription([])]],
    })
    talk.note('a worker in a consumer group', await other.joinFully())
    const beat = await other.beat({ generationId: 1 })
    talk.note('it beats', beat)
    talk.note('it syncs', await other.sync())
    talk.note('it leaves', await other.leave())
  },
}

/** The scripts. */
export const consumerScripts: readonly Script[] = [
  lifeCycle(0),
  lifeCycle(1),
  refusals,
  staticMembers,
  expressions,
  assignors,
  upgrade,
  noUpgrade,
]
