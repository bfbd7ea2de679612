// What members of classic groups say: joins, syncs, heartbeats, leaves, in every version, rightly and wrongly.
import { BEAT, DELETE, DESCRIBE, FIND, JOIN, LEAVE, LIST, SYNC } from './exchanges.ts'
import { bytes, ClassicMember, subscription } from './members.ts'
import type { Script, Talk } from './talk.ts'

const versions = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at)

async function find(talk: Talk): Promise<void> {
  for (const version of versions(0, 3)) {
    const body = { key: 'find', keyType: version === 0 ? undefined : 0 }
    await talk.ask(`group v${version}`, FIND, version, { key: body.key, keyType: 0 })
  }
  for (const version of versions(1, 3))
    await talk.ask(`unknown key type v${version}`, FIND, version, { key: 'find', keyType: 7 })
  for (const version of versions(4, 6)) {
    await talk.ask(`two groups v${version}`, FIND, version, {
      keyType: 0,
      coordinatorKeys: ['find', 'find-too', ''],
    })
    await talk.ask(`no keys v${version}`, FIND, version, { keyType: 0, coordinatorKeys: [] })
    await talk.ask(`unknown key type v${version}`, FIND, version, {
      keyType: 7,
      coordinatorKeys: ['find'],
    })
  }
  await talk.ask('share group v5', FIND, 5, { keyType: 2, coordinatorKeys: ['a:b:0'] })
}

const describe = (talk: Talk, label: string, groupId: string, version = 6) =>
  talk.ask(label, DESCRIBE, version, {
    groups: [groupId],
    includeAuthorizedOperations: version > 2,
  })

/** Two members, from the first join to the last leave. */
function lifeCycle(version: number): Script {
  return {
    name: `classic life cycle with JoinGroup v${version}`,
    run: async (talk) => {
      const groupId = `life-${version}`
      const [a, b] = [
        await ClassicMember.connect(talk, { groupId, name: 'a', version }),
        await ClassicMember.connect(talk, { groupId, name: 'b', version }),
      ]
      const describeVersion = Math.min(version, 6)
      await describe(talk, 'before there is a group', groupId, describeVersion)
      talk.note('a joins', await a.join())
      if (version >= 4) {
        const groups = [groupId]
        // Nothing is written for a pending member: Kafka shows the group a little later.
        await talk.until(
          'while a is pending',
          () => talk.askQuietly(DESCRIBE, describeVersion, { groups }),
          (answer) => answer.groups[0]?.groupState === 'Empty',
        )
        talk.note('a joins with its id', await a.join())
      }
      await describe(talk, 'before a syncs', groupId, describeVersion)
      talk.note('a beats before its sync', await a.beat())
      talk.note('a syncs', await a.sync([[a, bytes('all for a')]]))
      talk.note('a beats', await a.beat())
      await describe(talk, 'with a', groupId, describeVersion)
      if (version >= 4) talk.note('b joins', await b.join())
      const joined = b.join()
      await a.beatUntil('a is told of b', 27)
      await describe(talk, 'while preparing', groupId, describeVersion)
      talk.note('a syncs in between', await a.sync())
      talk.note('a joins again', await a.join())
      talk.note('b has joined', await joined)
      const synced = b.sync()
      talk.note('a beats while b waits', await a.beat())
      talk.note(
        'a syncs for both',
        await a.sync([
          [b, bytes('b half')],
          [a, bytes('a half')],
        ]),
      )
      talk.note('b has synced', await synced)
      talk.note('b beats', await b.beat())
      await describe(talk, 'with both', groupId, describeVersion)
      talk.note('b syncs again', await b.sync())
      talk.note('b joins again, as before', await b.join())
      talk.note('b beats in an old generation', await b.beat({ generationId: 1 }))
      talk.note('b syncs in an old generation', await b.sync([], { generationId: 1 }))
      await talk.ask('group is not empty', DELETE, 2, { groupsNames: [groupId] })
      talk.note('a leaves', await a.leave())
      talk.note('a leaves again', await a.leave())
      talk.note('a beats afterwards', await a.beat())
      await b.beatUntil('b is told', 27)
      talk.note('b leads', await b.join())
      talk.note('b syncs alone', await b.sync([[b, bytes('all for b')]]))
      talk.note('b leaves', await b.leave())
      await describe(talk, 'empty', groupId, describeVersion)
      await talk.ask('group is deleted', DELETE, 1, { groupsNames: [groupId] })
      await talk.ask('and was', DELETE, 0, { groupsNames: [groupId] })
      await describe(talk, 'afterwards', groupId, describeVersion)
    },
  }
}

const wrongJoins: Script = {
  name: 'classic joins that are refused',
  run: async (talk) => {
    const groupId = 'wrong-joins'
    const body = {
      groupId,
      sessionTimeoutMs: 20_000,
      rebalanceTimeoutMs: 20_000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription(['m']) }],
    }
    const join = (label: string, changes: Partial<typeof body>, versions: readonly number[]) =>
      Promise.all(versions).then(async (all) => {
        for (const version of all)
          await talk.ask(`${label} v${version}`, JOIN, version, { ...body, ...changes })
      })
    const some = [0, 2, 5, 6, 7, 9]
    await join('no group id', { groupId: '' }, some)
    await join('short session', { sessionTimeoutMs: 99 }, some)
    await join('long session', { sessionTimeoutMs: 1_800_001 }, some)
    await join('unknown member', { memberId: 'nobody' }, some)
    await join('no protocols', { protocols: [] }, some)
    await join('no protocol type', { protocolType: '' }, some)
    await describe(talk, 'still no group', groupId)
    const a = await ClassicMember.connect(talk, { groupId, name: 'a' })
    talk.note('a', await a.joinFully())
    talk.note('a syncs', await a.sync([[a, bytes('x')]]))
    await join('unknown member of a group', { memberId: 'nobody' }, some)
    await join('other protocol type', { protocolType: 'connect' }, some)
    await join(
      'other protocols',
      { protocols: [{ name: 'x', metadata: subscription(['m']) }] },
      some,
    )
    await join('no protocols in a group', { protocols: [] }, some)
    await talk.ask('static member with a wrong id', JOIN, 9, {
      ...body,
      memberId: 'nobody',
      groupInstanceId: 'nobody',
    } as never)
    talk.note('a beats', await a.beat())
    for (const [label, id, memberId, generationId] of [
      ['no group', 'no-such-group', 'nobody', 1],
      ['no group id', '', 'nobody', 1],
      ['no member', groupId, 'nobody', 1],
      ['no member id', groupId, '', 1],
      ['generation -1', groupId, a.memberId, -1],
      ['generation 2', groupId, a.memberId, 2],
    ] as const) {
      for (const version of [0, 3, 4])
        await talk.ask(`beat: ${label} v${version}`, BEAT, version, {
          groupId: id,
          memberId,
          generationId,
        })
      for (const version of [0, 3, 5])
        await talk.ask(`sync: ${label} v${version}`, SYNC, version, {
          groupId: id,
          memberId,
          generationId,
          protocolType: 'consumer',
          protocolName: 'range',
          assignments: [],
        })
      for (const version of [0, 2])
        await talk.ask(`leave: ${label} v${version}`, LEAVE, version, {
          groupId: id,
          memberId: 'x',
        })
      for (const version of [3, 5])
        await talk.ask(`leave: ${label} v${version}`, LEAVE, version, {
          groupId: id,
          members: [{ memberId: 'x' }, { memberId: '', groupInstanceId: 'nobody' }],
        })
    }
    await talk.ask('leave: nobody', LEAVE, 5, { groupId, members: [] })
    talk.note('sync: other type', await a.sync([], { protocolType: 'connect' }))
    talk.note('sync: other protocol', await a.sync([], { protocolName: 'sticky' }))
    talk.note('beat: unknown instance', await a.beat({ instance: 'nobody' }))
    talk.note('a leaves', await a.leave())
    talk.note('a joins with its old id', await a.join())
  },
}

const protocolSelection: Script = {
  name: 'classic protocols are voted for',
  run: async (talk) => {
    const groupId = 'protocols'
    const x = subscription(['x'])
    const a = await ClassicMember.connect(talk, {
      groupId,
      name: 'a',
      protocols: [
        ['sticky', subscription(['a-sticky'])],
        ['range', subscription(['a-range'])],
        ['mine', x],
      ],
    })
    const b = await ClassicMember.connect(talk, {
      groupId,
      name: 'b',
      protocols: [
        ['range', subscription(['b-range'])],
        ['sticky', subscription(['b-sticky'])],
      ],
    })
    const c = await ClassicMember.connect(talk, {
      groupId,
      name: 'c',
      protocols: [
        ['range', subscription(['c-range'])],
        ['other', x],
        ['sticky', subscription(['c-sticky'])],
      ],
    })
    talk.note('a alone', await a.joinFully())
    talk.note('a syncs', await a.sync([[a, x]], { protocolName: 'sticky' }))
    await b.join()
    await c.join()
    const joins = [b.join(), c.join()]
    await a.beatUntil('a is told', 27)
    joins.push(a.join())
    talk.note('all three', await Promise.all(joins))
    const syncs = [b.sync(), c.sync()]
    talk.note('b, too', await a.sync([[b, x]], { protocolName: 'range' }))
    talk.note('synced', await Promise.all(syncs))
    await describe(talk, 'range it is', groupId)
    talk.note('b wants something else', await b.join({ protocols: [['odd', x]] }))
    const changed = b.join({ protocols: [['sticky', subscription(['b-changed'])]] })
    await a.beatUntil('a is told again', 27)
    const again = [changed, c.join(), a.join()]
    talk.note('all again', await Promise.all(again))
    await talk.ask('all leave at once', LEAVE, 5, {
      groupId,
      members: [a, b, c].map(({ memberId }) => ({ memberId, reason: 'test' })),
    })
    await describe(talk, 'empty', groupId)
  },
}

const staticMembers: Script = {
  name: 'classic static members',
  run: async (talk) => {
    const groupId = 'static'
    const member = (name: string, instance: string, version = 9) =>
      ClassicMember.connect(talk, { groupId, name, instance, version })
    const a = await member('a', 'one')
    talk.note('a joins', await a.join())
    talk.note('a syncs', await a.sync([[a, bytes('a')]]))
    const b = await member('b', 'two')
    const joined = b.join()
    await a.beatUntil('a is told', 27)
    talk.note('a again', await a.join())
    talk.note('b joins', await joined)
    const synced = b.sync()
    talk.note(
      'a syncs for both',
      await a.sync([
        [a, bytes('for a')],
        [b, bytes('for b')],
      ]),
    )
    talk.note('b syncs', await synced)
    await describe(talk, 'both', groupId)
    const b2 = await member('b2', 'two')
    talk.note('b restarts', await b2.join())
    talk.note('b has its assignment', await b2.sync())
    talk.note('a noticed nothing', await a.beat())
    talk.note('the old b is fenced in a beat', await b.beat())
    talk.note('the old b is fenced in a sync', await b.sync())
    talk.note('the old b is fenced in a join', await b.join())
    talk.note('the old b is fenced when it leaves', await b.leave())
    const a2 = await member('a2', 'one', 8)
    talk.note('the leader restarts, v8', await a2.join())
    const a3 = await member('a3', 'one')
    talk.note('the leader restarts, v9', await a3.join())
    talk.note('the leader syncs', await a3.sync())
    talk.note('b still beats', await b2.beat())
    const changed = await ClassicMember.connect(talk, {
      groupId,
      name: 'b3',
      instance: 'two',
      protocols: [['range', subscription(['another'])]],
    })
    talk.note('b restarts with another subscription', await changed.join())
    const rejoined = a3.join()
    await changed.beatUntil('b is told', 27)
    talk.note('b joins once more', await changed.join())
    talk.note('a joined with it', await rejoined)
    const pending = changed.sync()
    const b4 = await member('b4', 'two')
    const replacing = b4.join()
    await a3.beatUntil('a replaced member while completing', 27)
    talk.note('the pending sync', await pending)
    talk.note('a in the end', await a3.join())
    talk.note('b in the end', await replacing)
    await a3.sync([[b4, bytes('yours')]])
    talk.note('b synced', await b4.sync())
    await talk.ask('leave by instance, wrong member', LEAVE, 5, {
      groupId,
      members: [{ memberId: 'nobody', groupInstanceId: 'two' }],
    })
    await talk.ask('leave by instance', LEAVE, 3, {
      groupId,
      members: [{ memberId: '', groupInstanceId: 'two' }],
    })
    await describe(talk, 'a is alone', groupId)
    await talk.ask('leave', LEAVE, 4, {
      groupId,
      members: [{ memberId: a3.memberId, groupInstanceId: 'one' }],
    })
    await describe(talk, 'nobody', groupId, 4)
  },
}

const timeouts: Script = {
  name: 'classic members that say nothing',
  run: async (talk) => {
    const groupId = 'silent'
    const a = await ClassicMember.connect(talk, { groupId, name: 'a', sessionTimeoutMs: 400 })
    talk.note('a pends', await a.join())
    const list = async () => {
      const all = await talk.askQuietly(LIST, 5, {})
      return all.groups.find((group) => group.groupId === groupId) ?? null
    }
    await talk.until('listed', list, () => true)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    talk.note('a comes too late', await a.join())
    const b = await ClassicMember.connect(talk, { groupId, name: 'b', sessionTimeoutMs: 1500 })
    talk.note('b joins', await b.joinFully())
    talk.note('b syncs', await b.sync([[b, bytes('b')]]))
    await talk.until('b goes', list, (group) => group?.groupState === 'Empty')
    talk.note('b is unknown', await b.beat())
    await describe(talk, 'without b', groupId)
    const c = await ClassicMember.connect(talk, { groupId, name: 'c', rebalanceTimeoutMs: 1500 })
    talk.note('c joins', await c.joinFully())
    talk.note('c syncs', await c.sync([[c, bytes('c')]]))
    const d = await ClassicMember.connect(talk, { groupId, name: 'd', rebalanceTimeoutMs: 1500 })
    talk.note('d joins without c', await d.joinFully())
    talk.note('c is unknown', await c.beat())
    await talk.until('d does not sync', list, (group) => group?.groupState === 'Empty')
    talk.note('d is unknown', await d.sync())
    await describe(talk, 'nobody', groupId)
  },
}

const otherTypes: Script = {
  name: 'classic groups of other kinds',
  run: async (talk) => {
    const groupId = 'connect-cluster'
    const protocols = [['sessioned', bytes('worker')]] as const
    const options = { groupId, name: 'a', protocolType: 'connect', protocols, version: 6 }
    const a = await ClassicMember.connect(talk, options)
    talk.note('joins', await a.joinFully())
    talk.note('syncs', await a.sync([[a, bytes('tasks')]], { protocolType: 'connect' }))
    await describe(talk, 'described', groupId)
    for (const version of versions(0, 5)) {
      const all = await talk.askQuietly(LIST, version, {})
      talk.note(
        `listed v${version}`,
        all.groups.filter((group) => group.groupId === groupId),
      )
    }
    talk.note('leaves', await a.leave())
    await describe(talk, 'empty', groupId)
  },
}

/** The scripts. */
export const classicScripts: readonly Script[] = [
  { name: 'coordinators are found', run: find },
  ...versions(0, 9).map(lifeCycle),
  wrongJoins,
  protocolSelection,
  staticMembers,
  timeouts,
  otherTypes,
]
