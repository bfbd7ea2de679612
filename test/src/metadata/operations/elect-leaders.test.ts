// electLeaders on partitions that came from a cluster.
import { expect, test } from 'vitest'
import { type PartitionState, startWithPartition } from './partition-fixture.ts'

async function elect(state: PartitionState, electionType: 'preferred' | 'unclean') {
  const { provider, partition } = await startWithPartition(state)
  const partitions = [{ topic: 't', partition: 0 }]
  const [result] = await provider.submit({ kind: 'electLeaders', electionType, partitions })
  return { error: result?.error?.code, partition: partition() }
}

test.each<{ why: string; state: PartitionState; code: string }>([
  { why: 'the preferred replica leads', state: {}, code: 'ELECTION_NOT_NEEDED' },
  {
    why: 'the preferred replica is on a broker that is gone',
    state: { replicas: [2, 1] },
    code: 'PREFERRED_LEADER_NOT_AVAILABLE',
  },
  {
    why: 'the preferred replica is not in sync',
    state: { isr: [2], leader: 2 },
    code: 'PREFERRED_LEADER_NOT_AVAILABLE',
  },
])('electLeaders keeps the leader where $why', async ({ state, code }) => {
  const { error, partition } = await elect(state, 'preferred')
  expect(error).toBe(code)
  expect(partition?.leader).toBe(state.leader ?? 1)
})

test('electLeaders has the preferred replica lead again', async () => {
  const { error, partition } = await elect({ isr: [1, 2], leader: 2 }, 'preferred')
  expect(error).toBeUndefined()
  expect(partition).toMatchObject({ leader: 1, leaderEpoch: 6, isr: [1, 2] })
})

test.each<{ why: string; state: PartitionState; code: string }>([
  { why: 'somebody leads', state: { leader: 2 }, code: 'ELECTION_NOT_NEEDED' },
  {
    why: 'no replica is up',
    state: { replicas: [2, 3], isr: [2], leader: -1 },
    code: 'ELIGIBLE_LEADERS_NOT_AVAILABLE',
  },
])('an unclean election changes nothing where $why', async ({ state, code }) => {
  const { error, partition } = await elect(state, 'unclean')
  expect(error).toBe(code)
  expect(partition?.leader).toBe(state.leader)
})

test('an unclean election has any replica lead that is up, alone', async () => {
  const state = { isr: [2], leader: -1, elr: [2], lastKnownElr: [2] }
  const { error, partition } = await elect(state, 'unclean')
  expect(error).toBeUndefined()
  const after = { leader: 1, isr: [1], elr: [], lastKnownElr: [], leaderRecoveryState: 0 }
  expect(partition).toMatchObject({ ...after, replicas: [1, 2] })
})
