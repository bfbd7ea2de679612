// Every transition of a classic group whose generation has begun.
import { protocol } from './classic-shard.ts'
import { changed, pending, strangers, table } from './classic-table.ts'

table('CompletingRebalance', [
  ...strangers('CompletingRebalance'),
  {
    request: 'join a follower that has not heard of it',
    ask: (s) => s.join('F'),
    answer: 'F in 1 by range led by L',
    next: 'CompletingRebalance',
  },
  {
    request: 'join a leader that has not heard of it',
    ask: (s) => s.join('L'),
    answer: 'L in 1 by range led by L of FLS',
    next: 'CompletingRebalance',
  },
  {
    request: 'join a follower that wants something else',
    ask: (s) => s.join('F', { protocols: changed }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
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
    next: 'CompletingRebalance',
  },
  {
    request: 'join a static member that is back',
    ask: (s) => s.join('S', { memberId: '' }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'sync a follower',
    ask: (s) => s.sync('F'),
    answer: 'parked',
    next: 'CompletingRebalance',
  },
  {
    request: 'sync the leader',
    ask: (s) => s.assign(),
    answer: 'assigned L',
    next: 'Stable',
    records: ['generation 1 range led by L: L=L F=F S='],
  },
  {
    request: 'sync a leader that sends its assignment twice',
    ask: (s) => {
      s.shard.isHolding = true
      s.assign()
      return s.sync('L')
    },
    answer: 'parked',
    next: 'CompletingRebalance',
    records: ['generation 1 range led by L: L=L F=F S='],
  },
  {
    request: 'sync with what was chosen',
    ask: (s) => s.sync('F', { protocolType: 'consumer', protocolName: 'range' }),
    answer: 'parked',
    next: 'CompletingRebalance',
  },
  {
    request: 'sync with a protocol that was not chosen',
    ask: (s) => s.sync('F', { protocolName: 'sticky' }),
    answer: 'INCONSISTENT_GROUP_PROTOCOL',
    next: 'CompletingRebalance',
  },
  {
    request: 'sync with another protocol type',
    ask: (s) => s.sync('F', { protocolType: 'connect' }),
    answer: 'INCONSISTENT_GROUP_PROTOCOL',
    next: 'CompletingRebalance',
  },
  {
    request: 'take a heartbeat',
    ask: (s) => s.heartbeat('F'),
    answer: 'ok',
    next: 'CompletingRebalance',
  },
  {
    request: 'let one leave',
    ask: (s) => s.shard.leave({ memberId: s.id('F') }),
    answer: 'ok',
    next: 'PreparingRebalance',
  },
])

table('Stable', [
  ...strangers('Stable'),
  {
    request: 'join the leader',
    ask: (s) => s.join('L'),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join a follower that says the same',
    ask: (s) => s.join('F'),
    answer: 'F in 1 by range led by L',
    next: 'Stable',
  },
  {
    request: 'join a follower that says something else',
    ask: (s) => s.join('F', { protocols: changed }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
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
    next: 'Stable',
  },
  {
    request: 'join a static member that is new',
    ask: (s) => s.join('N', { memberId: '', groupInstanceId: 'n' }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  {
    request: 'join a static member that is back',
    ask: (s) => s.join('S', { memberId: '' }),
    answer: 'new in 1 by range led by L',
    next: 'Stable',
    records: ['generation 1 range led by L: L=L F=F new='],
  },
  {
    request: 'join a static member that is back and wants something else of the same',
    ask: (s) => s.join('S', { memberId: '', protocols: changed }),
    answer: 'new in 1 by range led by L',
    next: 'Stable',
    records: ['generation 1 range led by L: L=L F=F new='],
  },
  {
    request: 'join a static member that is back and lets another protocol win',
    ask: (s) => s.join('S', { memberId: '', protocols: [protocol('sticky')] }),
    answer: 'parked',
    next: 'PreparingRebalance',
  },
  { request: 'sync a member', ask: (s) => s.sync('F'), answer: 'assigned F', next: 'Stable' },
  {
    request: 'sync a member that got nothing',
    ask: (s) => s.sync('S'),
    answer: 'assigned ',
    next: 'Stable',
  },
  {
    request: 'sync with a protocol that was not chosen',
    ask: (s) => s.sync('F', { protocolName: 'sticky' }),
    answer: 'INCONSISTENT_GROUP_PROTOCOL',
    next: 'Stable',
  },
  { request: 'take a heartbeat', ask: (s) => s.heartbeat('F'), answer: 'ok', next: 'Stable' },
  {
    request: 'let one leave',
    ask: (s) => s.shard.leave({ memberId: s.id('F') }),
    answer: 'ok',
    next: 'PreparingRebalance',
  },
  {
    request: 'let a static member leave by its instance',
    ask: (s) => s.shard.leave({ groupInstanceId: 's' }),
    answer: 'ok',
    next: 'PreparingRebalance',
  },
  {
    request: 'let a member leave twice',
    ask: (s) => s.shard.leave({ memberId: s.id('F') }, { memberId: s.id('F') }),
    answer: 'ok UNKNOWN_MEMBER_ID',
    next: 'PreparingRebalance',
  },
  {
    request: 'let all leave',
    ask: (s) => s.shard.leave(...['L', 'F', 'S'].map((name) => ({ memberId: s.id(name) }))),
    answer: 'ok ok ok',
    next: 'Empty',
    records: ['generation 2 nobody'],
  },
])
