// Every declared message by name. A file of src/protocol/messages/ that is missing here fails a test.
import type { Message } from '../../../../src/protocol/codec/message.ts'
import * as produce from '../../../../src/protocol/messages/00-produce.ts'
import * as fetch from '../../../../src/protocol/messages/01-fetch.ts'
import * as listOffsets from '../../../../src/protocol/messages/02-list-offsets.ts'
import * as metadata from '../../../../src/protocol/messages/03-metadata.ts'
import * as offsetCommit from '../../../../src/protocol/messages/08-offset-commit.ts'
import * as offsetFetch from '../../../../src/protocol/messages/09-offset-fetch.ts'
import * as findCoordinator from '../../../../src/protocol/messages/10-find-coordinator.ts'
import * as joinGroup from '../../../../src/protocol/messages/11-join-group.ts'
import * as heartbeat from '../../../../src/protocol/messages/12-heartbeat.ts'
import * as leaveGroup from '../../../../src/protocol/messages/13-leave-group.ts'
import * as syncGroup from '../../../../src/protocol/messages/14-sync-group.ts'
import * as describeGroups from '../../../../src/protocol/messages/15-describe-groups.ts'
import * as listGroups from '../../../../src/protocol/messages/16-list-groups.ts'
import * as saslHandshake from '../../../../src/protocol/messages/17-sasl-handshake.ts'
import * as apiVersions from '../../../../src/protocol/messages/18-api-versions.ts'
import * as createTopics from '../../../../src/protocol/messages/19-create-topics.ts'
import * as deleteTopics from '../../../../src/protocol/messages/20-delete-topics.ts'
import * as deleteRecords from '../../../../src/protocol/messages/21-delete-records.ts'
import * as initProducerId from '../../../../src/protocol/messages/22-init-producer-id.ts'
import * as offsetForLeaderEpoch from '../../../../src/protocol/messages/23-offset-for-leader-epoch.ts'
import * as addPartitionsToTxn from '../../../../src/protocol/messages/24-add-partitions-to-txn.ts'
import * as addOffsetsToTxn from '../../../../src/protocol/messages/25-add-offsets-to-txn.ts'
import * as endTxn from '../../../../src/protocol/messages/26-end-txn.ts'
import * as writeTxnMarkers from '../../../../src/protocol/messages/27-write-txn-markers.ts'
import * as txnOffsetCommit from '../../../../src/protocol/messages/28-txn-offset-commit.ts'
import * as describeAcls from '../../../../src/protocol/messages/29-describe-acls.ts'
import * as createAcls from '../../../../src/protocol/messages/30-create-acls.ts'
import * as deleteAcls from '../../../../src/protocol/messages/31-delete-acls.ts'
import * as describeConfigs from '../../../../src/protocol/messages/32-describe-configs.ts'
import * as alterConfigs from '../../../../src/protocol/messages/33-alter-configs.ts'
import * as alterReplicaLogDirs from '../../../../src/protocol/messages/34-alter-replica-log-dirs.ts'
import * as describeLogDirs from '../../../../src/protocol/messages/35-describe-log-dirs.ts'
import * as saslAuthenticate from '../../../../src/protocol/messages/36-sasl-authenticate.ts'
import * as createPartitions from '../../../../src/protocol/messages/37-create-partitions.ts'
import * as createDelegationToken from '../../../../src/protocol/messages/38-create-delegation-token.ts'
import * as renewDelegationToken from '../../../../src/protocol/messages/39-renew-delegation-token.ts'
import * as expireDelegationToken from '../../../../src/protocol/messages/40-expire-delegation-token.ts'
import * as describeDelegationToken from '../../../../src/protocol/messages/41-describe-delegation-token.ts'
import * as deleteGroups from '../../../../src/protocol/messages/42-delete-groups.ts'
import * as electLeaders from '../../../../src/protocol/messages/43-elect-leaders.ts'
import * as incrementalAlterConfigs from '../../../../src/protocol/messages/44-incremental-alter-configs.ts'
import * as alterPartitionReassignments from '../../../../src/protocol/messages/45-alter-partition-reassignments.ts'
import * as listPartitionReassignments from '../../../../src/protocol/messages/46-list-partition-reassignments.ts'
import * as offsetDelete from '../../../../src/protocol/messages/47-offset-delete.ts'
import * as describeClientQuotas from '../../../../src/protocol/messages/48-describe-client-quotas.ts'
import * as alterClientQuotas from '../../../../src/protocol/messages/49-alter-client-quotas.ts'
import * as describeUserScramCredentials from '../../../../src/protocol/messages/50-describe-user-scram-credentials.ts'
import * as alterUserScramCredentials from '../../../../src/protocol/messages/51-alter-user-scram-credentials.ts'
import * as vote from '../../../../src/protocol/messages/52-vote.ts'
import * as beginQuorumEpoch from '../../../../src/protocol/messages/53-begin-quorum-epoch.ts'
import * as endQuorumEpoch from '../../../../src/protocol/messages/54-end-quorum-epoch.ts'
import * as describeQuorum from '../../../../src/protocol/messages/55-describe-quorum.ts'
import * as alterPartition from '../../../../src/protocol/messages/56-alter-partition.ts'
import * as updateFeatures from '../../../../src/protocol/messages/57-update-features.ts'
import * as envelope from '../../../../src/protocol/messages/58-envelope.ts'
import * as fetchSnapshot from '../../../../src/protocol/messages/59-fetch-snapshot.ts'
import * as describeCluster from '../../../../src/protocol/messages/60-describe-cluster.ts'
import * as describeProducers from '../../../../src/protocol/messages/61-describe-producers.ts'
import * as brokerRegistration from '../../../../src/protocol/messages/62-broker-registration.ts'
import * as brokerHeartbeat from '../../../../src/protocol/messages/63-broker-heartbeat.ts'
import * as unregisterBroker from '../../../../src/protocol/messages/64-unregister-broker.ts'
import * as describeTransactions from '../../../../src/protocol/messages/65-describe-transactions.ts'
import * as listTransactions from '../../../../src/protocol/messages/66-list-transactions.ts'
import * as allocateProducerIds from '../../../../src/protocol/messages/67-allocate-producer-ids.ts'
import * as consumerGroupHeartbeat from '../../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import * as consumerGroupDescribe from '../../../../src/protocol/messages/69-consumer-group-describe.ts'
import * as controllerRegistration from '../../../../src/protocol/messages/70-controller-registration.ts'
import * as getTelemetrySubscriptions from '../../../../src/protocol/messages/71-get-telemetry-subscriptions.ts'
import * as pushTelemetry from '../../../../src/protocol/messages/72-push-telemetry.ts'
import * as assignReplicasToDirs from '../../../../src/protocol/messages/73-assign-replicas-to-dirs.ts'
import * as listConfigResources from '../../../../src/protocol/messages/74-list-config-resources.ts'
import * as describeTopicPartitions from '../../../../src/protocol/messages/75-describe-topic-partitions.ts'
import * as shareGroupHeartbeat from '../../../../src/protocol/messages/76-share-group-heartbeat.ts'
import * as shareGroupDescribe from '../../../../src/protocol/messages/77-share-group-describe.ts'
import * as shareFetch from '../../../../src/protocol/messages/78-share-fetch.ts'
import * as shareAcknowledge from '../../../../src/protocol/messages/79-share-acknowledge.ts'
import * as addRaftVoter from '../../../../src/protocol/messages/80-add-raft-voter.ts'
import * as removeRaftVoter from '../../../../src/protocol/messages/81-remove-raft-voter.ts'
import * as updateRaftVoter from '../../../../src/protocol/messages/82-update-raft-voter.ts'
import * as initializeShareGroupState from '../../../../src/protocol/messages/83-initialize-share-group-state.ts'
import * as readShareGroupState from '../../../../src/protocol/messages/84-read-share-group-state.ts'
import * as writeShareGroupState from '../../../../src/protocol/messages/85-write-share-group-state.ts'
import * as deleteShareGroupState from '../../../../src/protocol/messages/86-delete-share-group-state.ts'
import * as readShareGroupStateSummary from '../../../../src/protocol/messages/87-read-share-group-state-summary.ts'
import * as streamsGroupHeartbeat from '../../../../src/protocol/messages/88-streams-group-heartbeat.ts'
import * as streamsGroupDescribe from '../../../../src/protocol/messages/89-streams-group-describe.ts'
import * as describeShareGroupOffsets from '../../../../src/protocol/messages/90-describe-share-group-offsets.ts'
import * as alterShareGroupOffsets from '../../../../src/protocol/messages/91-alter-share-group-offsets.ts'
import * as deleteShareGroupOffsets from '../../../../src/protocol/messages/92-delete-share-group-offsets.ts'
import * as headers from '../../../../src/protocol/messages/headers.ts'

const modules: readonly object[] = [
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
  saslHandshake,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  writeTxnMarkers,
  txnOffsetCommit,
  describeAcls,
  createAcls,
  deleteAcls,
  describeConfigs,
  alterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  saslAuthenticate,
  createPartitions,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  vote,
  beginQuorumEpoch,
  endQuorumEpoch,
  describeQuorum,
  alterPartition,
  updateFeatures,
  envelope,
  fetchSnapshot,
  describeCluster,
  describeProducers,
  brokerRegistration,
  brokerHeartbeat,
  unregisterBroker,
  describeTransactions,
  listTransactions,
  allocateProducerIds,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  controllerRegistration,
  getTelemetrySubscriptions,
  pushTelemetry,
  assignReplicasToDirs,
  listConfigResources,
  describeTopicPartitions,
  shareGroupHeartbeat,
  shareGroupDescribe,
  shareFetch,
  shareAcknowledge,
  addRaftVoter,
  removeRaftVoter,
  updateRaftVoter,
  initializeShareGroupState,
  readShareGroupState,
  writeShareGroupState,
  deleteShareGroupState,
  readShareGroupStateSummary,
  streamsGroupHeartbeat,
  streamsGroupDescribe,
  describeShareGroupOffsets,
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  headers,
]

/** The messages by name: `ProduceRequest`, `ProduceResponse` … */
export const messages: ReadonlyMap<string, Message> = new Map(
  modules.flatMap((module) =>
    Object.entries(module).filter(
      (entry): entry is [string, Message] => typeof entry[1] === 'object',
    ),
  ),
)
