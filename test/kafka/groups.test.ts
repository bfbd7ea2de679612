// Groups move with the directory: what we wrote of them a real Kafka reads, and goes on with; what it wrote, we do.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type RunningBroker, startBroker } from '../../mod.ts'
import {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '../../src/protocol/messages/08-offset-commit.ts'
import {
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '../../src/protocol/messages/09-offset-fetch.ts'
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../src/protocol/messages/10-find-coordinator.ts'
import { JoinGroupRequest, JoinGroupResponse } from '../../src/protocol/messages/11-join-group.ts'
import { SyncGroupRequest, SyncGroupResponse } from '../../src/protocol/messages/14-sync-group.ts'
import {
  ListGroupsRequest,
  ListGroupsResponse,
} from '../../src/protocol/messages/16-list-groups.ts'
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../src/protocol/messages/69-consumer-group-describe.ts'
import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../src/protocol/messages/76-share-group-heartbeat.ts'
import { RawClient } from '../clients/raw-client.ts'
import { dumpLogSegments, kafkaAbsence, type RealKafka, startKafka } from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-groups-'))
const data = join(scratch, 'data')
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAA'
const OFFSETS = { request: OffsetFetchRequest, response: OffsetFetchResponse }
const kafkas = new Set<RealKafka>()
const brokers = new Set<RunningBroker>()
afterAll(async () => {
  for (const broker of brokers) await broker.stop()
  for (const kafka of kafkas) await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
})

/** Runs `work` with a client of our broker, which stops cleanly behind it. */
async function withUs<T>(work: (client: RawClient) => Promise<T>): Promise<T> {
  const config = { 'offsets.topic.num.partitions': '3', 'group.initial.rebalance.delay.ms': '0' }
  const broker = await startBroker({ data, http: false, config })
  brokers.add(broker)
  const client = await RawClient.connect(broker.kafka ?? '')
  try {
    await findCoordinator(client)
    return await work(client)
  } finally {
    client.close()
    await broker.stop()
    brokers.delete(broker)
  }
}

/** The same with Kafka. */
async function withKafka<T>(work: (client: RawClient, kafka: RealKafka) => Promise<T>): Promise<T> {
  const kafka = await startKafka(data)
  kafkas.add(kafka)
  const client = await RawClient.connect(kafka.bootstrap)
  try {
    await findCoordinator(client)
    return await work(client, kafka)
  } finally {
    client.close()
    await kafka.stop()
    kafkas.delete(kafka)
  }
}

async function findCoordinator(client: RawClient): Promise<void> {
  const find = { request: FindCoordinatorRequest, response: FindCoordinatorResponse }
  await until(async () => {
    const { coordinators } = await client.ask(find, { coordinatorKeys: ['simple'] }, 4)
    return coordinators[0]?.errorCode === 0 && (await isLoaded(client))
  })
}

/** Kafka leaves out of its list what it has not begun to load. */
async function isLoaded(client: RawClient): Promise<boolean> {
  const groups = ['simple', 'classic', 'consumer', 'of-kafka'].map((groupId) => ({
    groupId,
    memberId: null,
    memberEpoch: -1,
    topics: null,
  }))
  const answer = await client.ask(OFFSETS, { groups }, 9)
  return answer.groups.every(({ errorCode }) => errorCode === 0)
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await isDone()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('It took too long')
}

async function commit(client: RawClient, groupId: string, offset: number): Promise<void> {
  const partition = { partitionIndex: 1, committedOffset: offset, committedMetadata: 'här' }
  const topics = [{ name: 't', partitions: [{ ...partition, committedLeaderEpoch: 0 }] }]
  const messages = { request: OffsetCommitRequest, response: OffsetCommitResponse }
  const answer = await client.ask(messages, { groupId, memberId: '', topics }, 9)
  expect(answer.topics[0]?.partitions).toEqual([{ partitionIndex: 1, errorCode: 0 }])
}

async function committed(client: RawClient, groupId: string): Promise<string | undefined> {
  const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: null }]
  const answer = await client.ask(OFFSETS, { groups }, 9)
  const [found] = answer.groups[0]?.topics[0]?.partitions ?? []
  return found && `${found.committedOffset} ${found.committedLeaderEpoch} ${found.metadata}`
}

async function listed(client: RawClient): Promise<string[]> {
  const list = { request: ListGroupsRequest, response: ListGroupsResponse }
  const { groups } = await client.ask(list, {}, 5)
  return groups.map((one) => `${one.groupId} ${one.groupType} ${one.protocolType}`).toSorted()
}

/** One static member joins and gets its assignment. */
async function joinClassic(client: RawClient): Promise<void> {
  const groupId = 'classic'
  const groupInstanceId = 'instance'
  const joined = await client.ask(
    { request: JoinGroupRequest, response: JoinGroupResponse },
    {
      groupId,
      groupInstanceId,
      memberId: '',
      sessionTimeoutMs: 1_800_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'connect',
      protocols: [{ name: 'sessioned', metadata: Uint8Array.of(1, 2) }],
    },
    9,
  )
  const { memberId, generationId } = joined
  const assignments = [{ memberId, assignment: Uint8Array.of(3, 4) }]
  const synced = await client.ask(
    { request: SyncGroupRequest, response: SyncGroupResponse },
    { groupId, groupInstanceId, memberId, generationId, assignments },
    4,
  )
  expect([...synced.assignment]).toEqual([3, 4])
}

async function beat(client: RawClient, memberEpoch: number) {
  const isFirst = memberEpoch === 0
  return await client.ask(
    { request: ConsumerGroupHeartbeatRequest, response: ConsumerGroupHeartbeatResponse },
    {
      groupId: 'consumer',
      memberId: MEMBER,
      memberEpoch,
      rebalanceTimeoutMs: isFirst ? 60_000 : -1,
      subscribedTopicNames: isFirst ? ['t'] : null,
      topicPartitions: isFirst ? [] : null,
    },
    1,
  )
}

/** The member's epoch and what it owns, as an administrator is told. */
async function consumerGroup(client: RawClient): Promise<string> {
  const messages = {
    request: ConsumerGroupDescribeRequest,
    response: ConsumerGroupDescribeResponse,
  }
  const request = { groupIds: ['consumer'], includeAuthorizedOperations: false }
  const [group] = (await client.ask(messages, request, 1)).groups
  const [member] = group?.members ?? []
  const owned = member?.assignment.topicPartitions.map(
    ({ topicName, partitions }) => `${topicName} ${partitions.toSorted().join()}`,
  )
  return `${group?.groupState} ${group?.groupEpoch} ${member?.memberEpoch} ${owned}`
}

async function joinShare(client: RawClient): Promise<void> {
  const messages = { request: ShareGroupHeartbeatRequest, response: ShareGroupHeartbeatResponse }
  const member = { groupId: 'share', memberId: 'BAAAAAAAAAAAAAAAAAAAAA', memberEpoch: 0 }
  const answer = await client.ask(messages, { ...member, subscribedTopicNames: ['t'] }, 1)
  expect(answer.errorCode).toBe(0)
}

const OURS = ['classic classic connect', 'consumer consumer consumer', 'simple classic ']

test.skipIf(absence !== undefined)(
  `Groups and their offsets go from us to Kafka and back, and members go on where they were${suffix}`,
  async () => {
    let epoch = 0
    const described = await withUs(async (client) => {
      const broker = [...brokers][0]
      await broker?.broker.createTopic(
        { principal: 'User:ANONYMOUS', clientId: '', clientAddress: '' },
        { name: 't', partitionCount: 2 },
      )
      await commit(client, 'simple', 11)
      await joinClassic(client)
      epoch = (await beat(client, 0)).memberEpoch
      await until(async () => {
        epoch = (await beat(client, epoch)).memberEpoch
        return (await consumerGroup(client)).startsWith('Stable')
      })
      expect(await listed(client)).toEqual(OURS)
      return await consumerGroup(client)
    })
    const report = await dumpLogSegments(data)
    expect(report.problems).toEqual([])
    const printed = [...report.output].filter(([file]) => file.startsWith('__consumer_offsets-'))
    const lines = printed.flatMap(([, dump]) => dump).join('\n')
    for (const text of ['"group":"simple"', '"metadata":"här"', '"groupInstanceId":"instance"']) {
      expect(lines).toContain(text)
    }

    await withKafka(async (client) => {
      expect(await committed(client, 'simple')).toBe('11 0 här')
      expect(await listed(client)).toEqual(OURS)
      expect(await consumerGroup(client)).toBe(described)
      expect((await beat(client, epoch)).errorCode).toBe(0)
      await commit(client, 'simple', 12)
      await commit(client, 'of-kafka', 13)
      await joinShare(client)
    })
    await withUs(async (client) => {
      expect(await committed(client, 'simple')).toBe('12 0 här')
      expect(await committed(client, 'of-kafka')).toBe('13 0 här')
      expect(await listed(client)).toEqual(
        [...OURS, 'of-kafka classic ', 'share share share'].toSorted(),
      )
      expect(await consumerGroup(client)).toBe(described)
      expect((await beat(client, epoch)).errorCode).toBe(0)
      await commit(client, 'simple', 14)
    })
    await withKafka(async (client) => {
      expect(await committed(client, 'simple')).toBe('14 0 här')
      expect(await listed(client)).toContain('share share share')
    })
    expect(readdirSync(data).filter((name) => name.endsWith('-stray'))).toEqual([])
  },
  300_000,
)
