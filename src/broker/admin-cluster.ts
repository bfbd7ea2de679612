// The cluster: elections, reassignments, features, and the quorum behind it.
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Session } from '../access/session.ts'
import type {
  ChangeOptions,
  ClusterAdmin,
  FeatureChange,
  PartitionName,
  PartitionOutcome,
  QuorumState,
} from './admin.ts'
import type { AdminParts } from './admin-parts.ts'
import { withinTime } from './time-limit.ts'

/** CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE: a bit each. */
const ALL_CLUSTER_OPERATIONS = 0b1_1111_1010_0000

/** The cluster, for admins. */
export class AdminCluster implements ClusterAdmin {
  readonly #parts: AdminParts

  constructor(parts: AdminParts) {
    this.#parts = parts
  }

  authorizedOperations(_session: Session): number {
    return ALL_CLUSTER_OPERATIONS
  }

  electLeaders(
    _session: Session,
    {
      electionType,
      partitions,
      timeoutMs,
    }: {
      readonly electionType: 'preferred' | 'unclean'
      readonly partitions: readonly PartitionName[] | null
      readonly timeoutMs: number
    },
  ): Promise<readonly PartitionOutcome[]> {
    const { clock, provider } = this.#parts
    return withinTime(clock, timeoutMs, async () => {
      const results = await provider.submit({
        kind: 'electLeaders',
        electionType,
        partitions: partitions ?? this.#allPartitions(),
      })
      if (partitions) return results
      return results.filter(({ error }) => error?.code !== 'ELECTION_NOT_NEEDED')
    })
  }

  reassign(
    _session: Session,
    {
      partitions,
      mayChangeReplicationFactor,
      timeoutMs,
    }: {
      readonly partitions: readonly (PartitionName & {
        readonly replicas: readonly number[] | null
      })[]
      readonly mayChangeReplicationFactor: boolean
      readonly timeoutMs: number
    },
  ): Promise<readonly PartitionOutcome[]> {
    const { clock, provider } = this.#parts
    const kind = 'reassignPartitions'
    return withinTime(clock, timeoutMs, () =>
      provider.submit({ kind, partitions, mayChangeReplicationFactor }),
    )
  }

  reassignments(_session: Session, partitions: readonly PartitionName[] | null) {
    const { image } = this.#parts.provider
    return (partitions ?? this.#allPartitions()).flatMap(({ topic, partition }) => {
      const found = image.partition({ topic, partition })
      if (!found) return []
      const { replicas, addingReplicas, removingReplicas } = found
      if (addingReplicas.length === 0 && removingReplicas.length === 0) return []
      return [{ topic, partition, replicas, addingReplicas, removingReplicas }]
    })
  }

  updateFeatures(
    _session: Session,
    updates: readonly FeatureChange[],
    { timeoutMs, validateOnly = false }: ChangeOptions,
  ): Promise<void> {
    const { clock, provider } = this.#parts
    return withinTime(clock, timeoutMs, () =>
      provider.submit({ kind: 'updateFeatures', updates, validateOnly }),
    )
  }

  quorum(_session: Session): QuorumState {
    const { broker, clock, provider } = this.#parts
    const { offset, epoch, state } = provider.image
    const { leaderId, voters } = state.quorum
    const highWatermark = offset + 1
    const known = voters ?? [{ voterId: broker.nodeId, voterDirectoryId: ZERO_UUID, endpoints: [] }]
    return {
      leaderId,
      leaderEpoch: epoch,
      highWatermark,
      voters: known.map(({ voterId, voterDirectoryId, endpoints }) => ({
        id: voterId,
        directoryId: voterDirectoryId,
        logEndOffset: voterId === broker.nodeId ? highWatermark : -1,
        lastCaughtUpMs: voterId === broker.nodeId ? clock.now() : -1,
        endpoints: endpoints.map(({ name, host, port }) => ({ name, host, port })),
      })),
    }
  }

  #allPartitions(): PartitionName[] {
    return Array.from(this.#parts.provider.image.topics()).flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition })),
    )
  }
}
