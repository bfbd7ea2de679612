// Makes consumer-offsets.log anew: what a real Kafka writes into `__consumer_offsets` for groups of every kind.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '../../../src/protocol/messages/08-offset-commit.ts'
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../../src/protocol/messages/10-find-coordinator.ts'
import {
  JoinGroupRequest,
  JoinGroupResponse,
} from '../../../src/protocol/messages/11-join-group.ts'
import {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../../src/protocol/messages/13-leave-group.ts'
import {
  SyncGroupRequest,
  SyncGroupResponse,
} from '../../../src/protocol/messages/14-sync-group.ts'
import {
  OffsetDeleteRequest,
  OffsetDeleteResponse,
} from '../../../src/protocol/messages/47-offset-delete.ts'
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../../src/protocol/messages/76-share-group-heartbeat.ts'
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../../src/protocol/messages/88-streams-group-heartbeat.ts'
import { ByteWriter } from '../../../storage/bytes/byte-writer.ts'
import { RawClient } from '../../clients/raw-client.ts'
import { createTopics, startKafka } from '../../kafka/kafka.ts'

const TOPIC = 'golden'
const here = fileURLToPath(new URL('.', import.meta.url))
const join11 = { request: JoinGroupRequest, response: JoinGroupResponse }
const sync = { request: SyncGroupRequest, response: SyncGroupResponse }
const leave = { request: LeaveGroupRequest, response: LeaveGroupResponse }
const commit = { request: OffsetCommitRequest, response: OffsetCommitResponse }
const consumer = {
  request: ConsumerGroupHeartbeatRequest,
  response: ConsumerGroupHeartbeatResponse,
}
const share = { request: ShareGroupHeartbeatRequest, response: ShareGroupHeartbeatResponse }
const streams = { request: StreamsGroupHeartbeatRequest, response: StreamsGroupHeartbeatResponse }

/** A ConsumerProtocolSubscription v0 of the topic, or with partitions a ConsumerProtocolAssignment v0. */
function embedded(partitions: readonly number[] | undefined): Uint8Array {
  const writer = new ByteWriter()
  writer.int16(0)
  writer.int32(1)
  const name = new TextEncoder().encode(TOPIC)
  writer.int16(name.length)
  writer.raw(name)
  if (partitions) writer.int32(partitions.length)
  for (const partition of partitions ?? []) writer.int32(partition)
  writer.int32(-1)
  return writer.written
}

/** Joins and syncs a classic group of one member; resolves with its member id. */
async function joinClassic(
  client: RawClient,
  groupId: string,
  groupInstanceId: string | null,
): Promise<string> {
  const request = {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    groupInstanceId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: embedded(undefined) }],
  }
  const first = await client.ask(join11, { ...request, memberId: '' }, 9)
  const joined =
    first.generationId >= 1
      ? first
      : await client.ask(join11, { ...request, memberId: first.memberId }, 9)
  const { memberId, generationId } = joined
  const assignments = [{ memberId, assignment: embedded([0, 1, 2, 3]) }]
  await client.ask(sync, { groupId, generationId, memberId, groupInstanceId, assignments }, 3)
  return memberId
}

/** Beats until the member owns something, twice more so that nothing is under way. */
async function joinConsumer(client: RawClient, groupId: string, regex: string | null) {
  const memberId = 'AAAAAAAAAAAAAAAAAAAAAA'
  let memberEpoch = 0
  for (let beat = 0; beat < 40; beat++) {
    const isFirst = memberEpoch === 0
    const answer = await client.ask(
      consumer,
      {
        groupId,
        memberId,
        memberEpoch,
        rackId: 'rack',
        rebalanceTimeoutMs: isFirst ? 60_000 : -1,
        subscribedTopicNames: isFirst && regex === null ? [TOPIC] : null,
        subscribedTopicRegex: isFirst ? regex : null,
        topicPartitions: isFirst ? [] : null,
      },
      1,
    )
    if (answer.errorCode !== 0) throw new Error(`${answer.errorCode} ${answer.errorMessage}`)
    memberEpoch = answer.memberEpoch
    await pause(100)
  }
  return { groupId, memberId, memberEpoch }
}

async function commitOffset(
  client: RawClient,
  groupId: string,
  { version, retentionTimeMs = -1 }: { version: number; retentionTimeMs?: number },
): Promise<void> {
  const partition = { partitionIndex: 0, committedOffset: 11, committedMetadata: 'note' }
  const topics = [{ name: TOPIC, partitions: [{ ...partition, committedLeaderEpoch: 0 }] }]
  await client.ask(commit, { groupId, memberId: '', retentionTimeMs, topics }, version)
}

async function writeAll(client: RawClient): Promise<void> {
  const find = { request: FindCoordinatorRequest, response: FindCoordinatorResponse }
  for (let tries = 0; tries < 100; tries++) {
    const { coordinators } = await client.ask(find, { keyType: 0, coordinatorKeys: ['any'] }, 4)
    if (coordinators[0]?.errorCode === 0) break
    await pause(100)
  }
  await commitOffset(client, 'simple', { version: 9 })
  await commitOffset(client, 'expiring', { version: 4, retentionTimeMs: 3_600_000 })
  await joinClassic(client, 'static', 'instance-1')
  const memberId = await joinClassic(client, 'classic', null)
  await client.ask(leave, { groupId: 'classic', members: [{ memberId }] }, 5)
  await commitOffset(client, 'classic', { version: 9 })
  await client.ask(
    { request: OffsetDeleteRequest, response: OffsetDeleteResponse },
    { groupId: 'classic', topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0 }] }] },
    0,
  )
  await joinConsumer(client, 'consumer', null)
  await joinConsumer(client, 'patterns', 'gol.*')
  const gone = await joinConsumer(client, 'left', null)
  await client.ask(consumer, { ...gone, memberEpoch: -1 }, 1)
  await joinClassic(client, 'upgraded', null)
  await joinConsumer(client, 'upgraded', null)
  await joinShare(client)
  await joinStreams(client)
}

async function joinShare(client: RawClient): Promise<void> {
  let memberEpoch = 0
  for (let beat = 0; beat < 30; beat++) {
    const subscribedTopicNames = memberEpoch === 0 ? [TOPIC] : null
    const member = { groupId: 'share', memberId: 'BAAAAAAAAAAAAAAAAAAAAA', memberEpoch }
    const answer = await client.ask(share, { ...member, subscribedTopicNames }, 1)
    if (answer.errorCode !== 0) throw new Error(`${answer.errorCode} ${answer.errorMessage}`)
    memberEpoch = answer.memberEpoch
    await pause(100)
  }
}

async function joinStreams(client: RawClient): Promise<void> {
  const topology = {
    epoch: 1,
    subtopologies: [
      {
        subtopologyId: '0',
        sourceTopics: [TOPIC],
        sourceTopicRegex: [],
        stateChangelogTopics: [],
        repartitionSinkTopics: [],
        repartitionSourceTopics: [],
        copartitionGroups: [],
      },
    ],
  }
  let memberEpoch = 0
  for (let beat = 0; beat < 30; beat++) {
    const isFirst = memberEpoch === 0
    const answer = await client.ask(
      streams,
      {
        groupId: 'streams',
        memberId: 'CAAAAAAAAAAAAAAAAAAAAA',
        memberEpoch,
        endpointInformationEpoch: 0,
        rebalanceTimeoutMs: isFirst ? 60_000 : -1,
        topology: isFirst ? topology : null,
        activeTasks: isFirst ? [] : null,
        standbyTasks: isFirst ? [] : null,
        warmupTasks: isFirst ? [] : null,
        processId: isFirst ? 'process' : null,
        userEndpoint: isFirst ? { host: 'localhost', port: 9000 } : null,
        clientTags: isFirst ? [{ key: 'zone', value: 'a' }] : null,
      },
      0,
    )
    if (answer.errorCode !== 0) throw new Error(`${answer.errorCode} ${answer.errorMessage}`)
    memberEpoch = answer.memberEpoch
    await pause(100)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-golden-'))
try {
  const directory = join(folder, 'data')
  const kafka = await startKafka(directory)
  try {
    await createTopics(kafka, [`${TOPIC},4`])
    const client = await RawClient.connect(kafka.bootstrap)
    await writeAll(client)
    client.close()
  } finally {
    await kafka.stop()
  }
  const log = join(directory, '__consumer_offsets-0', '00000000000000000000.log')
  copyFileSync(log, join(here, 'consumer-offsets.log'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
