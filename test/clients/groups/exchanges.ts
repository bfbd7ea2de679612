// Requests and answers of the group APIs, in pairs, under short names.

import * as metadata from '../../../src/protocol/messages/03-metadata.ts'
import * as offsetCommit from '../../../src/protocol/messages/08-offset-commit.ts'
import * as offsetFetch from '../../../src/protocol/messages/09-offset-fetch.ts'
import * as findCoordinator from '../../../src/protocol/messages/10-find-coordinator.ts'
import * as joinGroup from '../../../src/protocol/messages/11-join-group.ts'
import * as heartbeat from '../../../src/protocol/messages/12-heartbeat.ts'
import * as leaveGroup from '../../../src/protocol/messages/13-leave-group.ts'
import * as syncGroup from '../../../src/protocol/messages/14-sync-group.ts'
import * as describeGroups from '../../../src/protocol/messages/15-describe-groups.ts'
import * as listGroups from '../../../src/protocol/messages/16-list-groups.ts'
import * as createTopics from '../../../src/protocol/messages/19-create-topics.ts'
import * as deleteTopics from '../../../src/protocol/messages/20-delete-topics.ts'
import * as describeConfigs from '../../../src/protocol/messages/32-describe-configs.ts'
import * as alterConfigs from '../../../src/protocol/messages/33-alter-configs.ts'
import * as createPartitions from '../../../src/protocol/messages/37-create-partitions.ts'
import * as deleteGroups from '../../../src/protocol/messages/42-delete-groups.ts'
import * as incremental from '../../../src/protocol/messages/44-incremental-alter-configs.ts'
import * as offsetDelete from '../../../src/protocol/messages/47-offset-delete.ts'
import * as consumerHeartbeat from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import * as consumerDescribe from '../../../src/protocol/messages/69-consumer-group-describe.ts'
import * as listConfigResources from '../../../src/protocol/messages/74-list-config-resources.ts'

/** OffsetCommit (8). */
export const COMMIT = {
  request: offsetCommit.OffsetCommitRequest,
  response: offsetCommit.OffsetCommitResponse,
}
/** OffsetFetch (9). */
export const FETCH = {
  request: offsetFetch.OffsetFetchRequest,
  response: offsetFetch.OffsetFetchResponse,
}
/** FindCoordinator (10). */
export const FIND = {
  request: findCoordinator.FindCoordinatorRequest,
  response: findCoordinator.FindCoordinatorResponse,
}
/** JoinGroup (11). */
export const JOIN = { request: joinGroup.JoinGroupRequest, response: joinGroup.JoinGroupResponse }
/** Heartbeat (12). */
export const BEAT = { request: heartbeat.HeartbeatRequest, response: heartbeat.HeartbeatResponse }
/** LeaveGroup (13). */
export const LEAVE = {
  request: leaveGroup.LeaveGroupRequest,
  response: leaveGroup.LeaveGroupResponse,
}
/** SyncGroup (14). */
export const SYNC = { request: syncGroup.SyncGroupRequest, response: syncGroup.SyncGroupResponse }
/** DescribeGroups (15). */
export const DESCRIBE = {
  request: describeGroups.DescribeGroupsRequest,
  response: describeGroups.DescribeGroupsResponse,
}
/** ListGroups (16). */
export const LIST = {
  request: listGroups.ListGroupsRequest,
  response: listGroups.ListGroupsResponse,
}
/** DeleteGroups (42). */
export const DELETE = {
  request: deleteGroups.DeleteGroupsRequest,
  response: deleteGroups.DeleteGroupsResponse,
}
/** OffsetDelete (47). */
export const FORGET = {
  request: offsetDelete.OffsetDeleteRequest,
  response: offsetDelete.OffsetDeleteResponse,
}
/** ConsumerGroupHeartbeat (68). */
export const CONSUME = {
  request: consumerHeartbeat.ConsumerGroupHeartbeatRequest,
  response: consumerHeartbeat.ConsumerGroupHeartbeatResponse,
}
/** ConsumerGroupDescribe (69). */
export const DESCRIBE_CONSUMERS = {
  request: consumerDescribe.ConsumerGroupDescribeRequest,
  response: consumerDescribe.ConsumerGroupDescribeResponse,
}
/** Metadata (3). */
export const METADATA = { request: metadata.MetadataRequest, response: metadata.MetadataResponse }
/** CreateTopics (19). */
export const CREATE_TOPICS = {
  request: createTopics.CreateTopicsRequest,
  response: createTopics.CreateTopicsResponse,
}
/** DeleteTopics (20). */
export const DELETE_TOPICS = {
  request: deleteTopics.DeleteTopicsRequest,
  response: deleteTopics.DeleteTopicsResponse,
}
/** CreatePartitions (37). */
export const GROW_TOPICS = {
  request: createPartitions.CreatePartitionsRequest,
  response: createPartitions.CreatePartitionsResponse,
}
/** DescribeConfigs (32). */
export const CONFIGS = {
  request: describeConfigs.DescribeConfigsRequest,
  response: describeConfigs.DescribeConfigsResponse,
}
/** AlterConfigs (33). */
export const SET_CONFIGS = {
  request: alterConfigs.AlterConfigsRequest,
  response: alterConfigs.AlterConfigsResponse,
}
/** IncrementalAlterConfigs (44). */
export const CHANGE_CONFIGS = {
  request: incremental.IncrementalAlterConfigsRequest,
  response: incremental.IncrementalAlterConfigsResponse,
}
/** ListConfigResources (74). */
export const CONFIG_RESOURCES = {
  request: listConfigResources.ListConfigResourcesRequest,
  response: listConfigResources.ListConfigResourcesResponse,
}
