// The table of the APIs that are served, a line each. What is not in it is not advertised, and closes the connection.
import { lateModule } from '#storage/base/late-modules.ts'
import type { Api, ApiRange } from './api.ts'
import { produce } from './handlers/00-produce.ts'
import { fetch } from './handlers/01-fetch.ts'
import { listOffsets } from './handlers/02-list-offsets.ts'
import { metadata } from './handlers/03-metadata.ts'
import { apiVersions } from './handlers/18-api-versions.ts'
import { LateApi, type LateRange } from './late-api.ts'

/** Every API that is served. Those that every client asks for are here from the start. */
export const APIS: readonly Api[] = [
  // In the order of their keys. Of those that come late: name, key, versions, the first flexible one.
  produce,
  fetch,
  listOffsets,
  metadata,
  late('offsetCommit', 8, [2, 10], 8, () => import('./handlers/08-offset-commit.ts')),
  late('offsetFetch', 9, [1, 10], 6, () => import('./handlers/09-offset-fetch.ts')),
  late('findCoordinator', 10, [0, 6], 3, () => import('./handlers/10-find-coordinator.ts')),
  late('joinGroup', 11, [0, 9], 6, () => import('./handlers/11-join-group.ts')),
  late('heartbeat', 12, [0, 4], 4, () => import('./handlers/12-heartbeat.ts')),
  late('leaveGroup', 13, [0, 5], 4, () => import('./handlers/13-leave-group.ts')),
  late('syncGroup', 14, [0, 5], 4, () => import('./handlers/14-sync-group.ts')),
  late('describeGroups', 15, [0, 6], 5, () => import('./handlers/15-describe-groups.ts')),
  late('listGroups', 16, [0, 5], 3, () => import('./handlers/16-list-groups.ts')),
  apiVersions,
  late('createTopics', 19, [2, 7], 5, () => import('./handlers/19-create-topics.ts')),
  late('deleteTopics', 20, [1, 6], 4, () => import('./handlers/20-delete-topics.ts')),
  late('deleteRecords', 21, [0, 2], 2, () => import('./handlers/21-delete-records.ts')),
  late('initProducerId', 22, [0, 5], 2, () => import('./handlers/22-init-producer-id.ts')),
  late(
    'offsetForLeaderEpoch',
    23,
    [2, 4],
    4,
    () => import('./handlers/23-offset-for-leader-epoch.ts'),
  ),
  late('describeConfigs', 32, [1, 4], 4, () => import('./handlers/32-describe-configs.ts')),
  late('alterConfigs', 33, [0, 2], 2, () => import('./handlers/33-alter-configs.ts')),
  late(
    'alterReplicaLogDirs',
    34,
    [1, 2],
    2,
    () => import('./handlers/34-alter-replica-log-dirs.ts'),
  ),
  late('describeLogDirs', 35, [1, 5], 2, () => import('./handlers/35-describe-log-dirs.ts')),
  late('createPartitions', 37, [0, 3], 2, () => import('./handlers/37-create-partitions.ts')),
  late('deleteGroups', 42, [0, 2], 2, () => import('./handlers/42-delete-groups.ts')),
  late('electLeaders', 43, [0, 2], 2, () => import('./handlers/43-elect-leaders.ts')),
  late(
    'incrementalAlterConfigs',
    44,
    [0, 1],
    1,
    () => import('./handlers/44-incremental-alter-configs.ts'),
  ),
  late(
    'alterPartitionReassignments',
    45,
    [0, 1],
    0,
    () => import('./handlers/45-alter-partition-reassignments.ts'),
  ),
  late(
    'listPartitionReassignments',
    46,
    [0, 0],
    0,
    () => import('./handlers/46-list-partition-reassignments.ts'),
  ),
  late('offsetDelete', 47, [0, 0], Infinity, () => import('./handlers/47-offset-delete.ts')),
  late('describeQuorum', 55, [0, 2], 0, () => import('./handlers/55-describe-quorum.ts')),
  late('updateFeatures', 57, [0, 2], 0, () => import('./handlers/57-update-features.ts')),
  late('describeCluster', 60, [0, 2], 0, () => import('./handlers/60-describe-cluster.ts')),
  late('describeProducers', 61, [0, 0], 0, () => import('./handlers/61-describe-producers.ts')),
  late(
    'consumerGroupHeartbeat',
    68,
    [0, 1],
    0,
    () => import('./handlers/68-consumer-group-heartbeat.ts'),
  ),
  late(
    'consumerGroupDescribe',
    69,
    [0, 1],
    0,
    () => import('./handlers/69-consumer-group-describe.ts'),
  ),
  late(
    'listConfigResources',
    74,
    [0, 1],
    0,
    () => import('./handlers/74-list-config-resources.ts'),
  ),
  late(
    'describeTopicPartitions',
    75,
    [0, 0],
    0,
    () => import('./handlers/75-describe-topic-partitions.ts'),
  ),
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

/** An API that is the export `name` of a module. */
function late<Name extends string>(
  name: Name,
  key: number,
  versions: LateRange['versions'],
  flexible: number,
  load: () => Promise<Readonly<Record<Name, Api>>>,
): Api {
  const handlers = lateModule(load)
  return new LateApi({ key, versions, flexible }, async () => (await handlers())[name])
}
