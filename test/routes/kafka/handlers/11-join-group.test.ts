// JoinGroup and what follows it, in every version, through the handlers and a whole broker.
import { expect, test } from 'vitest'
import { JoinGroupRequest } from '../../../../src/protocol/messages/11-join-group.ts'
import { HeartbeatRequest } from '../../../../src/protocol/messages/12-heartbeat.ts'
import { LeaveGroupRequest } from '../../../../src/protocol/messages/13-leave-group.ts'
import { SyncGroupRequest } from '../../../../src/protocol/messages/14-sync-group.ts'
import { exchange, type SimulatedBroker } from './exchange.ts'
import { groupBroker, HEARTBEAT, join, LEAVE_GROUP, SYNC_GROUP, through } from './group-client.ts'

const INCONSISTENT_GROUP_PROTOCOL = 23
const UNKNOWN_MEMBER_ID = 25
const REBALANCE_IN_PROGRESS = 27
const MEMBER_ID_REQUIRED = 79
const COORDINATOR_NOT_AVAILABLE = 15

const versionsOf = ({ versions: [from, to] }: { versions: readonly [number, number] }) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** A group of one, stable. */
async function stableGroup(): Promise<SimulatedBroker & { memberId: string }> {
  const simulated = await groupBroker()
  const { broker, clock } = simulated
  const { memberId } = await through(clock, join(simulated, {}, { version: 3 }))
  const assignments = [{ memberId, assignment: Uint8Array.of(7) }]
  const request = { groupId: 'g', generationId: 1, memberId, assignments }
  await through(clock, exchange(broker, SYNC_GROUP, request, { version: 3 }))
  return { ...simulated, memberId }
}

test.each(versionsOf(JoinGroupRequest))(
  'JoinGroup v%i makes a client a member',
  async (version) => {
    const simulated = await groupBroker()
    const { clock } = simulated
    let memberId = ''
    if (version >= 4) {
      const told = await through(clock, join(simulated, {}, { version }))
      expect(told).toMatchObject({ errorCode: MEMBER_ID_REQUIRED, generationId: -1, members: [] })
      expect(told.protocolName).toBe(version >= 7 ? null : '')
      memberId = told.memberId
    }
    const answer = await through(clock, join(simulated, { memberId }, { version }))
    expect(answer.memberId).toMatch(/^test-[0-9a-f-]{36}$/)
    expect(answer).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      generationId: 1,
      protocolType: version >= 7 ? 'consumer' : null,
      protocolName: 'range',
      leader: answer.memberId,
      skipAssignment: false,
      memberId: answer.memberId,
      members: [
        {
          memberId: answer.memberId,
          groupInstanceId: null,
          metadata: Uint8Array.of(1, 2, 3),
        },
      ],
    })
  },
)

test.each(versionsOf(SyncGroupRequest))(
  'SyncGroup v%i brings and fetches an assignment',
  async (version) => {
    const { broker, clock, memberId } = await stableGroup()
    const chosen = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
    const ask = (generationId: number, said: object = chosen) => {
      const request = { groupId: 'g', generationId, memberId, assignments: [], ...said }
      return through(clock, exchange(broker, SYNC_GROUP, request, { version }))
    }
    expect(await ask(1)).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      protocolType: null,
      protocolName: null,
      assignment: Uint8Array.of(7),
      ...chosen,
    })
    expect(await ask(2)).toMatchObject({ errorCode: 22, assignment: new Uint8Array(0) })
    // Since v5 a member has to say what it believes to have been chosen.
    const silent = version >= 5 ? INCONSISTENT_GROUP_PROTOCOL : 0
    expect(await ask(1, {})).toMatchObject({ errorCode: silent })
    expect(await ask(1, { protocolType: 'consumer' })).toMatchObject({ errorCode: silent })
  },
)

test.each(versionsOf(HeartbeatRequest))(
  'Heartbeat v%i tells whether the generation still is',
  async (version) => {
    const simulated = await stableGroup()
    const { broker, clock, memberId } = simulated
    const beat = (id: string) =>
      through(
        clock,
        exchange(broker, HEARTBEAT, { groupId: 'g', generationId: 1, memberId: id }, { version }),
      )
    expect(await beat(memberId)).toEqual({ throttleTimeMs: 0, errorCode: 0 })
    expect(await beat('x')).toMatchObject({ errorCode: UNKNOWN_MEMBER_ID })
    const other = join(simulated, {}, { version: 3 })
    await clock.run(10)
    expect(await beat(memberId)).toMatchObject({ errorCode: REBALANCE_IN_PROGRESS })
    await through(clock, other)
  },
)

test.each(versionsOf(LeaveGroupRequest))(
  'LeaveGroup v%i answers for whom it names',
  async (version) => {
    const { broker, clock, memberId } = await stableGroup()
    const leave = (id: string) =>
      through(
        clock,
        exchange(
          broker,
          LEAVE_GROUP,
          version < 3
            ? { groupId: 'g', memberId: id, members: [] }
            : { groupId: 'g', memberId: '', members: [{ memberId: id, groupInstanceId: null }] },
          { version },
        ),
      )
    const of = (id: string, code: number) =>
      version < 3
        ? { throttleTimeMs: 0, errorCode: code, members: [] }
        : {
            throttleTimeMs: 0,
            errorCode: 0,
            members: [{ memberId: id, groupInstanceId: null, errorCode: code }],
          }
    expect(await leave('x')).toEqual(of('x', UNKNOWN_MEMBER_ID))
    expect(await leave(memberId)).toEqual(of(memberId, 0))
    expect(await leave(memberId)).toEqual(of(memberId, UNKNOWN_MEMBER_ID))
  },
)

test('JoinGroup ends with its connection, but the member stays', async () => {
  const simulated = await stableGroup()
  const { clock, memberId } = simulated
  const connection = new AbortController()
  const other = join(simulated, {}, { version: 3, signal: connection.signal })
  await clock.run(0)
  connection.abort()
  expect((await other)?.errorCode).toBe(COORDINATOR_NOT_AVAILABLE)
  const answer = await through(clock, join(simulated, { memberId }, { version: 3 }))
  expect([answer.generationId, answer.members.length]).toEqual([2, 2])
})

test('SyncGroup ends with its connection', async () => {
  const simulated = await stableGroup()
  const { broker, clock, memberId } = simulated
  const other = join(simulated, {}, { version: 3 })
  await through(clock, join(simulated, { memberId }, { version: 3 }))
  const follower = await through(clock, other)
  const request = {
    groupId: 'g',
    generationId: 2,
    memberId: follower.memberId,
    assignments: [],
  }
  const how = { version: 3, signal: AbortSignal.abort() }
  const sync = await exchange(broker, SYNC_GROUP, request, how)
  expect(sync?.errorCode).toBe(COORDINATOR_NOT_AVAILABLE)
})

test.each([0, 9])(
  'JoinGroup v%i without a group id is refused in its own form',
  async (version) => {
    const simulated = await groupBroker()
    const answer = await through(simulated.clock, join(simulated, { groupId: '' }, { version }))
    expect(answer).toMatchObject({ errorCode: 24, memberId: '', members: [] })
  },
)

test('Joins that wait when the broker stops are answered', async () => {
  const simulated = await groupBroker()
  const answer = join(simulated, {}, { version: 3 })
  await simulated.clock.run(10)
  const stopped = simulated.running.stop()
  expect((await through(simulated.clock, answer)).errorCode).toBe(16)
  await stopped
})
