// reassignPartitions on partitions that came from a cluster.
import { expect, test } from 'vitest'
import { DIRECTORY_ID } from '../provider-fixture.ts'
import { OTHER_DIRECTORY_ID, type PartitionState, startWithPartition } from './partition-fixture.ts'

async function reassign(
  state: PartitionState,
  replicas: readonly number[] | null,
  mayChangeReplicationFactor = true,
) {
  const { provider, partition } = await startWithPartition(state)
  const partitions = [{ topic: 't', partition: 0, replicas }]
  const kind = 'reassignPartitions'
  const [result] = await provider.submit({ kind, partitions, mayChangeReplicationFactor })
  return { error: result?.error?.code, partition: partition() }
}

test('reassignPartitions gives replicas elsewhere up', async () => {
  const { error, partition } = await reassign({ replicas: [2, 1], isr: [1] }, [1])
  expect(error).toBeUndefined()
  const after = { replicas: [1], isr: [1], directories: [DIRECTORY_ID], leader: 1 }
  expect(partition).toMatchObject({ ...after, leaderEpoch: 5, partitionEpoch: 8 })
})

test('reassignPartitions changes the order of replicas, with their directories', async () => {
  const { error, partition } = await reassign({ isr: [1, 2], isOtherRegistered: true }, [2, 1])
  expect(error).toBeUndefined()
  const directories = [OTHER_DIRECTORY_ID, DIRECTORY_ID]
  expect(partition).toMatchObject({ replicas: [2, 1], isr: [1, 2], directories, leader: 1 })
})

test('reassignPartitions ends what a cluster left unfinished', async () => {
  const state = { replicas: [1, 2], isr: [1], addingReplicas: [2], removingReplicas: [] }
  const { error, partition } = await reassign(state, null)
  expect(error).toBeUndefined()
  expect(partition).toMatchObject({ replicas: [1], isr: [1], addingReplicas: [] })
})

test('reassignPartitions writes nothing where the replicas are the same', async () => {
  const { error, partition } = await reassign({ isOtherRegistered: true }, [1, 2])
  expect(error).toBeUndefined()
  expect(partition?.partitionEpoch).toBe(7)
})

test.each<{
  why: string
  state?: PartitionState
  replicas: number[] | null
  isFixed?: boolean
  code: string
}>([
  { why: 'nobody', replicas: [], code: 'INVALID_REPLICA_ASSIGNMENT' },
  { why: 'a broker twice', replicas: [1, 1], code: 'INVALID_REPLICA_ASSIGNMENT' },
  { why: 'a stranger', replicas: [1, 3], code: 'INVALID_REPLICA_ASSIGNMENT' },
  {
    why: 'a broker that has nothing of it',
    state: { replicas: [2], isr: [2], leader: 2 },
    replicas: [1],
    code: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'a broker that is down',
    state: { isr: [1, 2], isOtherRegistered: true },
    replicas: [2],
    code: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'fewer replicas where that may not be',
    replicas: [1],
    isFixed: true,
    code: 'INVALID_REPLICATION_FACTOR',
  },
  { why: 'what it was before nothing began', replicas: null, code: 'NO_REASSIGNMENT_IN_PROGRESS' },
])(
  'reassignPartitions does not give a partition to $why',
  async ({ state = {}, replicas, isFixed = false, code }) => {
    const { error, partition } = await reassign(state, replicas, !isFixed)
    expect(error).toBe(code)
    expect(partition?.partitionEpoch).toBe(7)
  },
)
