// Every transition of a classic group on its way to a generation.
import { expect, test } from 'vitest'
import { Scene } from './classic-scene.ts'
import { pending, strangers, table } from './classic-table.ts'

/** Who knows an id that was handed out. */
async function withPending(scene: Scene): Promise<string> {
  const asked = scene.join('P', { memberId: '' })
  await scene.tell(asked)
  return asked.answer?.memberId ?? ''
}

const born = ['generation 0 nobody']

table('unknown', [
  {
    request: 'join a new member of v3',
    ask: (s) => s.join('N', { memberId: '', version: 3 }),
    answer: 'parked',
    next: 'PreparingRebalance',
    records: born,
  },
  {
    request: 'join a new member',
    ask: (s) => s.join('N', { memberId: '' }),
    answer: pending,
    next: 'Empty',
    records: born,
  },
  {
    request: 'join a static member',
    ask: (s) => s.join('S', { memberId: '' }),
    answer: 'parked',
    next: 'PreparingRebalance',
    records: born,
  },
  {
    request: 'join with an id',
    ask: (s) => s.join('X', { memberId: 'x' }),
    answer: 'UNKNOWN_MEMBER_ID for x',
    next: 'none',
  },
  {
    request: 'join without a protocol',
    ask: (s) => s.join('N', { memberId: '', protocols: [] }),
    answer: 'INCONSISTENT_GROUP_PROTOCOL',
    next: 'none',
  },
  {
    request: 'join without a protocol type',
    ask: (s) => s.join('N', { memberId: '', protocolType: '' }),
    answer: 'INCONSISTENT_GROUP_PROTOCOL',
    next: 'none',
  },
  {
    request: 'join a group without an id',
    ask: (s) => s.join('N', { memberId: '', groupId: '' }),
    answer: 'INVALID_GROUP_ID',
    next: 'none',
  },
  {
    request: 'join with too short a session',
    ask: (s) => s.join('N', { memberId: 'x', sessionTimeoutMs: 5_999 }),
    answer: 'INVALID_SESSION_TIMEOUT for x',
    next: 'none',
  },
  {
    request: 'join with too long a session',
    ask: (s) => s.join('N', { memberId: '', sessionTimeoutMs: 1_800_001 }),
    answer: 'INVALID_SESSION_TIMEOUT',
    next: 'none',
  },
  { request: 'sync', ask: (s) => s.sync('x'), answer: 'UNKNOWN_MEMBER_ID', next: 'none' },
  {
    request: 'sync a group without an id',
    ask: (s) => s.sync('x', { groupId: '' }),
    answer: 'INVALID_GROUP_ID',
    next: 'none',
  },
  {
    request: 'take a heartbeat',
    ask: (s) => s.heartbeat('x'),
    answer: 'UNKNOWN_MEMBER_ID',
    next: 'none',
  },
  {
    request: 'take a heartbeat for a group without an id',
    ask: (s) => s.heartbeat('x', { groupId: '' }),
    answer: 'INVALID_GROUP_ID',
    next: 'none',
  },
  {
    request: 'let someone leave',
    ask: (s) => s.shard.leave({ memberId: 'x' }),
    answer: 'UNKNOWN_MEMBER_ID',
    next: 'none',
  },
])

table('Empty', [
  {
    request: 'join a new member of v3',
    ask: (s) => s.join('N', { memberId: '', version: 3 }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join a new member',
    ask: (s) => s.join('N', { memberId: '' }),
    answer: pending,
    next: 'Empty',
  },
  {
    request: 'join a static member',
    ask: (s) => s.join('S', { memberId: '' }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join with another protocol type than before',
    ask: (s) => s.join('N', { memberId: '', version: 3, protocolType: 'connect' }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join without a protocol',
    ask: (s) => s.join('N', { memberId: '', protocols: [] }),
    answer: 'INCONSISTENT_GROUP_PROTOCOL',
    next: 'Empty',
  },
  {
    request: 'join a former member',
    ask: (s) => s.join('L'),
    answer: 'UNKNOWN_MEMBER_ID for L',
    next: 'Empty',
  },
  {
    request: 'sync a former member',
    ask: (s) => s.sync('L'),
    answer: 'UNKNOWN_MEMBER_ID',
    next: 'Empty',
  },
  {
    request: 'take a heartbeat of a former member',
    ask: (s) => s.heartbeat('L'),
    answer: 'UNKNOWN_MEMBER_ID',
    next: 'Empty',
  },
  {
    request: 'let a former member leave',
    ask: (s) => s.shard.leave({ memberId: s.id('L') }),
    answer: 'UNKNOWN_MEMBER_ID',
    next: 'Empty',
  },
])

table('initial', [
  {
    request: 'join another member of v3',
    ask: (s) => s.join('N', { memberId: '', version: 3 }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join another member',
    ask: (s) => s.join('N', { memberId: '' }),
    answer: pending,
    next: 'PreparingRebalance',
  },
  {
    request: 'join its first member again',
    ask: (s) => s.join('L'),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'let its first member leave',
    ask: (s) => s.shard.leave({ memberId: s.id('L') }),
    answer: 'ok',
    next: 'PreparingRebalance',
  },
])

table('PreparingRebalance', [
  ...strangers('PreparingRebalance'),
  {
    request: 'join a new member of v3',
    ask: (s) => s.join('N', { memberId: '', version: 3 }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join a new member',
    ask: (s) => s.join('N', { memberId: '' }),
    answer: pending,
    next: 'PreparingRebalance',
  },
  {
    request: 'join the leader',
    ask: (s) => s.join('L'),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join who waits already',
    ask: (s) => s.join('F'),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join a static member that is back',
    ask: (s) => s.join('S', { memberId: '' }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join the last one missing',
    ask: (s) => {
      s.join('L')
      return s.join('S')
    },
    answer: 'S in 2 by range led by L',
    next: 'CompletingRebalance',
  },
  {
    request: 'join the leader as the last one missing',
    ask: (s) => {
      s.join('S')
      return s.join('L')
    },
    answer: 'L in 2 by range led by L of FLS',
    next: 'CompletingRebalance',
  },
  {
    request: 'let those leave who have not joined',
    ask: (s) => s.shard.leave({ memberId: s.id('L') }, { groupInstanceId: 's' }),
    answer: 'ok ok',
    next: 'CompletingRebalance',
  },
  {
    request: 'let all leave',
    ask: (s) =>
      s.shard.leave({ memberId: s.id('L') }, { memberId: s.id('F') }, { groupInstanceId: 's' }),
    answer: 'ok ok ok',
    next: 'Empty',
    records: ['generation 2 nobody'],
  },
  {
    request: 'let one leave who has not joined',
    ask: (s) => s.shard.leave({ memberId: s.id('L') }),
    answer: 'ok',
    next: 'PreparingRebalance',
  },
  {
    request: 'sync a member',
    ask: (s) => s.sync('L'),
    answer: 'REBALANCE_IN_PROGRESS',
    next: 'PreparingRebalance',
  },
  {
    request: 'take a heartbeat',
    ask: (s) => s.heartbeat('L'),
    answer: 'REBALANCE_IN_PROGRESS',
    next: 'PreparingRebalance',
  },
])

test.each([
  { state: 'Empty', next: 'PreparingRebalance', left: 'Empty' },
  { state: 'initial', next: 'PreparingRebalance', left: 'PreparingRebalance' },
  { state: 'PreparingRebalance', next: 'PreparingRebalance', left: 'PreparingRebalance' },
  { state: 'CompletingRebalance', next: 'PreparingRebalance', left: 'PreparingRebalance' },
  { state: 'Stable', next: 'PreparingRebalance', left: 'PreparingRebalance' },
] as const)(
  'A group in $state lets in who joins with the id it was told, and forgets it when it leaves',
  async ({ state, next, left }) => {
    const scene = await Scene.at(state)
    const memberId = await withPending(scene)
    expect(await scene.tell(scene.join('P', { memberId }))).toBe('parked')
    expect(scene.state).toBe(next)

    const other = await Scene.at(state)
    const unused = await withPending(other)
    expect(await other.tell(other.shard.leave({ memberId: unused }))).toBe('ok')
    expect(other.state).toBe(left)
    expect(await other.tell(other.join('P', { memberId: unused }))).toMatch(/^UNKNOWN_MEMBER_ID/)
  },
)
