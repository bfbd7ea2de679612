// REST v3: consumer groups, their consumers, what these are assigned, and how far behind they are.
import { type Context, Hono } from 'hono'
import type {
  GroupDescription,
  GroupMemberDescription,
  GroupOffsetDescription,
  GroupPartition,
} from '#src/broker/group-admin/group-description.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { type Door, type Env, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { groupOf } from './groups.ts'
import { partitionOf, topicOf } from './parameters.ts'
import { Resources } from './v3-resource.ts'

/** Share and streams groups are not consumer groups. */
const TYPES = ['classic', 'consumer']

/** REST v3 consumer groups, under /v3/clusters/{id}/consumer-groups. */
export function v3GroupRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>().basePath('/v3/clusters/:cluster/consumer-groups')
  routes.get('/', async (c) => {
    const resources = new Resources(door, c)
    const groups = await describeAll(door, c)
    const data = groups.map((group) => groupResource(resources, group))
    return c.json(resources.list('KafkaConsumerGroupList', ['consumer-groups'], data))
  })
  routes.get('/:group', async (c) => {
    const resources = new Resources(door, c)
    return c.json(groupResource(resources, await describe(door, c)))
  })
  mountConsumers(door, routes)
  mountLags(door, routes)
  return routes
}

function mountConsumers(door: Door, routes: Hono<Env>): void {
  routes.get('/:group/consumers', async (c) => {
    const resources = new Resources(door, c)
    const { groupId, members } = await describe(door, c)
    const data = members.map((member) => consumerResource(resources, groupId, member))
    const path = ['consumer-groups', groupId, 'consumers']
    return c.json(resources.list('KafkaConsumerList', path, data))
  })
  routes.get('/:group/consumers/:consumer', async (c) => {
    const resources = new Resources(door, c)
    const group = await describe(door, c)
    return c.json(consumerResource(resources, group.groupId, memberOf(c, group)))
  })
  routes.get('/:group/consumers/:consumer/assignments', async (c) => {
    const resources = new Resources(door, c)
    const group = await describe(door, c)
    const { groupId } = group
    const member = memberOf(c, group)
    const data = member.assignment.map((at) => assignmentResource(resources, groupId, member, at))
    const path = ['consumer-groups', groupId, 'consumers', member.memberId, 'assignments']
    return c.json(resources.list('KafkaConsumerAssignmentList', path, data))
  })
  routes.get('/:group/consumers/:consumer/assignments/:topic/partitions/:partition', async (c) => {
    const resources = new Resources(door, c)
    const group = await describe(door, c)
    const member = memberOf(c, group)
    const at = { topic: topicOf(c), partition: partitionOf(c) }
    const found = member.assignment.some(
      ({ topic, partition }) => topic === at.topic && partition === at.partition,
    )
    if (found) return c.json(assignmentResource(resources, group.groupId, member, at))
    const detail = `Consumer ${member.memberId} is not assigned ${at.topic}-${at.partition}`
    throw new HttpError(404, detail)
  })
}

function mountLags(door: Door, routes: Hono<Env>): void {
  routes.get('/:group/lag-summary', async (c) => {
    const resources = new Resources(door, c)
    return c.json(lagSummary(resources, await describe(door, c)))
  })
  routes.get('/:group/lags', async (c) => {
    const resources = new Resources(door, c)
    const group = await describe(door, c)
    const data = lagsOf(group).map((lag) => lagResource(resources, group, lag))
    const path = ['consumer-groups', group.groupId, 'lags']
    return c.json(resources.list('KafkaConsumerLagList', path, data))
  })
  routes.get('/:group/lags/:topic/partitions/:partition', async (c) => {
    const resources = new Resources(door, c)
    const group = await describe(door, c)
    const [topic, partition] = [topicOf(c), partitionOf(c)]
    const lag = lagsOf(group).find((one) => one.topic === topic && one.partition === partition)
    if (lag) return c.json(lagResource(resources, group, lag))
    const detail = `Group ${group.groupId} has committed nothing of ${topic}-${partition}`
    throw new HttpError(404, detail)
  })
}

async function describe(door: Door, c: Context<Env>): Promise<GroupDescription> {
  return await door.broker.groups.describe(sessionOf(door, c), groupOf(c))
}

/** Sorted; without groups that go meanwhile. */
async function describeAll(door: Door, c: Context<Env>): Promise<GroupDescription[]> {
  const { groups } = door.broker
  const session = sessionOf(door, c)
  const described: GroupDescription[] = []
  for (const { groupId } of await groups.list(session, { states: [], types: TYPES })) {
    try {
      described.push(await groups.describe(session, groupId))
    } catch (error) {
      if (!(error instanceof KafkaError && error.code === 'GROUP_ID_NOT_FOUND')) throw error
    }
  }
  return described.sort((left, right) => (left.groupId < right.groupId ? -1 : 1))
}

function memberOf(c: Context<Env>, { groupId, members }: GroupDescription): GroupMemberDescription {
  const asked = c.req.param('consumer') ?? ''
  const member = members.find(({ memberId }) => memberId === asked)
  if (member) return member
  throw new HttpError(404, `Group ${groupId} has no consumer ${asked}`)
}

function groupResource(resources: Resources, group: GroupDescription): object {
  const { groupId, type, members } = group
  const path = ['consumer-groups', groupId] as const
  return resources.resource('KafkaConsumerGroup', [path], {
    consumer_group_id: groupId,
    is_simple: type === 'classic' && group.protocolType === '',
    partition_assignor: group.assignor ?? '',
    // As an enum of Java: PREPARING_REBALANCE.
    state: group.state.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase(),
    type: type.toUpperCase(),
    is_mixed_consumer_group:
      type === 'consumer' && members.some(({ protocol }) => protocol === 'classic'),
    coordinator: resources.related('brokers', group.coordinator),
    consumers: resources.related(...path, 'consumers'),
    lag_summary: resources.related(...path, 'lag-summary'),
  })
}

function consumerResource(
  resources: Resources,
  groupId: string,
  { memberId, instanceId, clientId }: GroupMemberDescription,
): object {
  const parts = [
    ['consumer-groups', groupId],
    ['consumers', memberId],
  ] as const
  return resources.resource('KafkaConsumer', parts, {
    consumer_group_id: groupId,
    consumer_id: memberId,
    instance_id: instanceId,
    client_id: clientId,
    assignments: resources.related(...parts.flat(), 'assignments'),
  })
}

function assignmentResource(
  resources: Resources,
  groupId: string,
  { memberId }: GroupMemberDescription,
  { topic, partition }: GroupPartition,
): object {
  const parts = [
    ['consumer-groups', groupId],
    ['consumers', memberId],
    ['assignments', topic],
    ['partitions', partition],
  ] as const
  return resources.resource('KafkaConsumerAssignment', parts, {
    consumer_group_id: groupId,
    consumer_id: memberId,
    topic_name: topic,
    partition_id: partition,
    partition: resources.related('topics', topic, 'partitions', partition),
    lag: resources.related('consumer-groups', groupId, 'lags', topic, 'partitions', partition),
  })
}

/** A partition of which something is committed. */
interface Lag extends GroupOffsetDescription {
  readonly committed: NonNullable<GroupOffsetDescription['committed']>
  readonly lag: number
}

/** The partitions with a lag, the largest first. */
function lagsOf({ offsets }: GroupDescription): Lag[] {
  return offsets
    .filter((one): one is Lag => one.committed !== null && one.lag !== null)
    .sort((left, right) => right.lag - left.lag)
}

/** Whoever has the partition, in REST Proxy's words: empty where nobody does. */
function consumerOf({ members }: GroupDescription, { memberId }: Lag) {
  const member = members.find((one) => one.memberId === memberId)
  return {
    consumer_id: memberId ?? '',
    instance_id: member?.instanceId ?? null,
    client_id: member?.clientId ?? '',
  }
}

function lagResource(resources: Resources, group: GroupDescription, lag: Lag): object {
  const parts = [
    ['consumer-groups', group.groupId],
    ['lags', lag.topic],
    ['partitions', lag.partition],
  ] as const
  return resources.resource('KafkaConsumerLag', parts, {
    consumer_group_id: group.groupId,
    topic_name: lag.topic,
    partition_id: lag.partition,
    ...consumerOf(group, lag),
    current_offset: lag.committed.offset,
    log_end_offset: lag.logEndOffset,
    lag: lag.lag,
  })
}

/** Throws 404 when the group has committed nothing. */
function lagSummary(resources: Resources, group: GroupDescription): object {
  const { groupId } = group
  const lags = lagsOf(group)
  const [most] = lags
  if (most === undefined) throw new HttpError(404, `Group ${groupId} has committed nothing`)
  const { topic, partition } = most
  const consumer = consumerOf(group, most)
  return {
    kind: 'KafkaConsumerGroupLagSummary',
    metadata: {
      self: resources.url('consumer-groups', groupId, 'lag-summary'),
      resource_name: `crn:///kafka=${resources.clusterId}/consumer-group=${groupId}/lag-summary`,
    },
    cluster_id: resources.clusterId,
    consumer_group_id: groupId,
    max_lag_consumer_id: consumer.consumer_id,
    max_lag_instance_id: consumer.instance_id,
    max_lag_client_id: consumer.client_id,
    max_lag_topic_name: topic,
    max_lag_partition_id: partition,
    max_lag: most.lag,
    total_lag: lags.reduce((total, { lag }) => total + lag, 0),
    max_lag_consumer: resources.related(
      ...['consumer-groups', groupId, 'consumers', consumer.consumer_id],
    ),
    max_lag_partition: resources.related('topics', topic, 'partitions', partition),
  }
}
