// ListGroups, DescribeGroups and DeleteGroups: what an administrator sees of groups, and how they go.
import { expect, test } from 'vitest'
import { describeGroups } from '../../../../routes/kafka/handlers/15-describe-groups.ts'
import { listGroups } from '../../../../routes/kafka/handlers/16-list-groups.ts'
import { deleteGroups } from '../../../../routes/kafka/handlers/42-delete-groups.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '../../../../src/protocol/messages/15-describe-groups.ts'
import {
  ListGroupsRequest,
  ListGroupsResponse,
} from '../../../../src/protocol/messages/16-list-groups.ts'
import {
  DeleteGroupsRequest,
  DeleteGroupsResponse,
} from '../../../../src/protocol/messages/42-delete-groups.ts'
import { nameOf } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'
import { at, commit, fetchOffsets, groupBroker } from './offset-client.ts'

const LIST = { api: listGroups, request: ListGroupsRequest, response: ListGroupsResponse }
const DESCRIBE = {
  api: describeGroups,
  request: DescribeGroupsRequest,
  response: DescribeGroupsResponse,
}
const DELETE = { api: deleteGroups, request: DeleteGroupsRequest, response: DeleteGroupsResponse }
const COMMITTED = [{ name: 't', partitions: [at(0, 5)] }]

/** A member of the consumer protocol joins a group. */
async function joinConsumer(broker: Broker, groupId: string): Promise<void> {
  await broker.groups.consumerHeartbeat(
    { ...ANONYMOUS, clientId: 'c', clientAddress: '127.0.0.1' },
    {
      groupId,
      memberId: 'AAAAAAAAAAAAAAAAAAAAAA',
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ['t'],
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: [],
    },
    1,
  )
}

test('ListGroups names every group with its kind, and takes filters in any case', async () => {
  const { broker } = await groupBroker()
  await commit(broker, COMMITTED, { groupId: 'simple' })
  await joinConsumer(broker, 'new')
  const list = async (states: string[], types: string[]) => {
    const request = { statesFilter: states, typesFilter: types }
    const answer = await exchange(broker, LIST, request, { version: 5 })
    return answer?.groups.map(({ groupId }) => groupId).sort()
  }
  const all = await exchange(broker, LIST, {}, { version: 5 })
  expect(all?.groups.toSorted((left, right) => (left.groupId < right.groupId ? -1 : 1))).toEqual([
    { groupId: 'new', protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' },
    { groupId: 'simple', protocolType: '', groupState: 'Empty', groupType: 'classic' },
  ])
  expect(await list(['EMPTY'], [])).toEqual(['simple'])
  expect(await list([], ['Consumer'])).toEqual(['new'])
  expect(await list(['stable', 'empty'], ['classic', 'share'])).toEqual(['simple'])
  expect(await list([], ['nothing'])).toEqual([])
  const old = await exchange(broker, LIST, {}, { version: 0 })
  expect(old?.groups.map(({ groupId }) => groupId).sort()).toEqual(['new', 'simple'])
})

test('ListGroups of a broker that never had a group is empty', async () => {
  const { broker } = await simulatedBroker()
  expect(await exchange(broker, LIST, {}, { version: 4 })).toMatchObject({
    errorCode: 0,
    groups: [],
  })
})

test('DescribeGroups knows classic groups; all others are dead, from v6 on with an error', async () => {
  const { broker } = await groupBroker()
  await commit(broker, COMMITTED, { groupId: 'simple' })
  await joinConsumer(broker, 'new')
  const describe = async (version: number) => {
    const includeAuthorizedOperations = version >= 3
    const request = { groups: ['simple', 'new', 'none'], includeAuthorizedOperations }
    const answer = await exchange(broker, DESCRIBE, request, { version })
    return answer?.groups.map(
      ({ groupId, groupState, errorCode, authorizedOperations }) =>
        `${groupId} ${groupState} ${nameOf(errorCode)} ${authorizedOperations > 0}`,
    )
  }
  expect(await describe(0)).toEqual([
    'simple Empty NONE false',
    'new Dead NONE false',
    'none Dead NONE false',
  ])
  expect(await describe(5)).toEqual([
    'simple Empty NONE true',
    'new Dead NONE true',
    'none Dead NONE true',
  ])
  expect(await describe(6)).toEqual([
    'simple Empty NONE true',
    'new Dead GROUP_ID_NOT_FOUND false',
    'none Dead GROUP_ID_NOT_FOUND false',
  ])
})

test('DeleteGroups removes empty groups with their offsets, for good', async () => {
  const { broker } = await groupBroker()
  await commit(broker, COMMITTED, { groupId: 'simple' })
  await joinConsumer(broker, 'busy')
  const groupsNames = ['simple', 'busy', 'none', 'simple']
  const answer = await exchange(broker, DELETE, { groupsNames }, { version: 2 })
  expect(
    answer?.results.map(({ groupId, errorCode }) => `${groupId} ${nameOf(errorCode)}`),
  ).toEqual(['simple NONE', 'busy NON_EMPTY_GROUP', 'none GROUP_ID_NOT_FOUND'])
  const left = await exchange(broker, LIST, {}, { version: 5 })
  expect(left?.groups.map(({ groupId }) => groupId)).toEqual(['busy'])
  const kept = await fetchOffsets(broker, null, { groupId: 'simple' })
  expect(kept.partitions).toEqual([])
})
