// The table of the APIs that are served, a line each. What is not in it is not advertised, and closes the connection.
import type { Api, ApiRange } from './api.ts'
import { produce } from './handlers/00-produce.ts'
import { fetch } from './handlers/01-fetch.ts'
import { listOffsets } from './handlers/02-list-offsets.ts'
import { metadata } from './handlers/03-metadata.ts'
import { offsetCommit } from './handlers/08-offset-commit.ts'
import { offsetFetch } from './handlers/09-offset-fetch.ts'
import { findCoordinator } from './handlers/10-find-coordinator.ts'
import { joinGroup } from './handlers/11-join-group.ts'
import { heartbeat } from './handlers/12-heartbeat.ts'
import { leaveGroup } from './handlers/13-leave-group.ts'
import { syncGroup } from './handlers/14-sync-group.ts'
import { describeGroups } from './handlers/15-describe-groups.ts'
import { listGroups } from './handlers/16-list-groups.ts'
import { apiVersions } from './handlers/18-api-versions.ts'
import { createTopics } from './handlers/19-create-topics.ts'
import { deleteTopics } from './handlers/20-delete-topics.ts'
import { deleteRecords } from './handlers/21-delete-records.ts'
import { initProducerId } from './handlers/22-init-producer-id.ts'
import { offsetForLeaderEpoch } from './handlers/23-offset-for-leader-epoch.ts'
import { describeConfigs } from './handlers/32-describe-configs.ts'
import { alterConfigs } from './handlers/33-alter-configs.ts'
import { alterReplicaLogDirs } from './handlers/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from './handlers/35-describe-log-dirs.ts'
import { createPartitions } from './handlers/37-create-partitions.ts'
import { deleteGroups } from './handlers/42-delete-groups.ts'
import { electLeaders } from './handlers/43-elect-leaders.ts'
import { incrementalAlterConfigs } from './handlers/44-incremental-alter-configs.ts'
import { alterPartitionReassignments } from './handlers/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from './handlers/46-list-partition-reassignments.ts'
import { offsetDelete } from './handlers/47-offset-delete.ts'
import { describeQuorum } from './handlers/55-describe-quorum.ts'
import { updateFeatures } from './handlers/57-update-features.ts'
import { describeCluster } from './handlers/60-describe-cluster.ts'
import { describeProducers } from './handlers/61-describe-producers.ts'
import { consumerGroupHeartbeat } from './handlers/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from './handlers/69-consumer-group-describe.ts'
import { listConfigResources } from './handlers/74-list-config-resources.ts'
import { describeTopicPartitions } from './handlers/75-describe-topic-partitions.ts'

/** Every API that is served. */
export const APIS: readonly Api[] = [
  // One line each, in the order of their keys.
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  describeConfigs,
  alterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  createPartitions,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeQuorum,
  updateFeatures,
  describeCluster,
  describeProducers,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  listConfigResources,
  describeTopicPartitions,
]

/** APIs by key, and what clients are told of them. */
export class ApiTable {
  readonly ranges: readonly ApiRange[]
  readonly #byKey: ReadonlyMap<number, Api>

  constructor(apis: readonly Api[]) {
    this.#byKey = new Map(apis.map((one) => [one.key, one]))
    this.ranges = apis
      .map(({ key, advertised: [minVersion, maxVersion] }) => ({ key, minVersion, maxVersion }))
      .sort((left, right) => left.key - right.key)
  }

  get(key: number): Api | undefined {
    return this.#byKey.get(key)
  }
}
