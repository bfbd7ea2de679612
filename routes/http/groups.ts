// Groups: who is in them, how far they have read, and where they go on.
import { type Context, Hono } from 'hono'
import type {
  GroupDescription,
  GroupMemberDescription,
  GroupOffsetDescription,
} from '#src/broker/group-admin/group-description.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { readChecked } from './checked-body.ts'
import { type Door, type Env, sessionOf } from './door.ts'
import { HttpError } from './errors.ts'
import { resetCall, scopeOf } from './group-reset.ts'

const TYPES = ['classic', 'consumer', 'share', 'streams']
const STATES = [
  'Empty',
  'PreparingRebalance',
  'CompletingRebalance',
  'Assigning',
  'Reconciling',
  'Stable',
  'Dead',
]

/** `/groups` and what lies under it. */
export function groupRoutes(door: Door): Hono<Env> {
  const { groups } = door.broker
  const routes = new Hono<Env>()
  routes.get('/groups', async (c) => {
    const filter = { states: filterOf(c, 'state', STATES), types: filterOf(c, 'type', TYPES) }
    const listed = await groups.list(sessionOf(door, c), filter)
    const sorted = listed.toSorted((left, right) => (left.groupId < right.groupId ? -1 : 1))
    return c.json({
      groups: sorted.map(({ groupId, groupType, protocolType, groupState }) => ({
        group_id: groupId,
        type: groupType,
        protocol_type: protocolType,
        state: groupState,
      })),
    })
  })
  routes.get('/groups/:group', async (c) =>
    c.json(groupResource(await groups.describe(sessionOf(door, c), groupOf(c)))),
  )
  routes.delete('/groups/:group', async (c) => {
    const session = sessionOf(door, c)
    // Tells a group that is not there apart from one whose coordinator is not there.
    await groups.describe(session, groupOf(c))
    await groups.delete(session, groupOf(c))
    return c.body(null, 204)
  })
  routes.post('/groups/:group/reset', async (c) => {
    const body = await readChecked(door, c.req.raw, 'ResetOffsets')
    const call = resetCall(groupOf(c), body, door.clock.now())
    const { partitions, members } = await groups.resetOffsets(sessionOf(door, c), call)
    return c.json({
      group_id: call.groupId,
      dry_run: call.isDryRun,
      members,
      read_again: sum(partitions.map(({ readAgain }) => readAgain)),
      skipped: sum(partitions.map(({ skipped }) => skipped)),
      partitions: partitions.map(
        ({ logStartOffset, logEndOffset, isClamped, readAgain, ...at }) => ({
          topic: at.topic,
          partition: at.partition,
          from: at.from,
          to: at.to,
          clamped: isClamped,
          read_again: readAgain,
          skipped: at.skipped,
          log_start_offset: logStartOffset,
          log_end_offset: logEndOffset,
        }),
      ),
    })
  })
  routes.delete('/groups/:group/offsets', async (c) => {
    const scope = scopeOf(await readChecked(door, c.req.raw, 'ForgetOffsets'))
    if (scope === undefined) {
      throw new HttpError(422, 'Name topics or partitions; to forget all, delete the group')
    }
    const call = { groupId: groupOf(c), scope }
    return c.json({ offsets: await groups.forgetOffsets(sessionOf(door, c), call) })
  })
  return routes
}

/** The group in the path. */
export function groupOf(c: Context<Env>): string {
  return c.req.param('group') ?? ''
}

function filterOf(c: Context<Env>, name: string, known: readonly string[]): readonly string[] {
  const wanted = (c.req.query(name) ?? '').split(',').filter((one) => one !== '')
  for (const one of wanted) {
    if (known.some((each) => each.toLowerCase() === one.toLowerCase())) continue
    throw new HttpError(400, `${name}=${one} is none of ${known.join(', ')}`)
  }
  return wanted
}

function groupResource(group: GroupDescription): object {
  return {
    group_id: group.groupId,
    type: group.type,
    protocol_type: group.protocolType,
    state: group.state,
    coordinator: group.coordinator,
    epoch: group.epoch,
    assignment_epoch: group.assignmentEpoch,
    assignor: group.assignor,
    lag: sum(group.offsets.map(({ lag }) => lag)),
    members: group.members.map(memberResource),
    offsets: group.offsets.map(offsetResource),
  }
}

function memberResource(member: GroupMemberDescription): object {
  return {
    member_id: member.memberId,
    instance_id: member.instanceId,
    client_id: member.clientId,
    host: member.host,
    rack: member.rack,
    protocol: member.protocol,
    epoch: member.epoch,
    topics: member.subscribedTopics,
    topic_pattern: member.subscribedPattern,
    assignment: member.assignment,
    target_assignment: member.targetAssignment,
  }
}

function offsetResource(offset: GroupOffsetDescription): object {
  const { committed } = offset
  return {
    topic: offset.topic,
    partition: offset.partition,
    offset: committed?.offset ?? null,
    metadata: committed?.metadata ?? null,
    committed_at: committed ? int64Json(committed.timestamp) : null,
    log_start_offset: offset.logStartOffset,
    log_end_offset: offset.logEndOffset,
    lag: offset.lag,
    member_id: offset.memberId,
  }
}

function sum(counts: readonly (number | null)[]): number {
  return counts.reduce<number>((total, count) => total + (count ?? 0), 0)
}

const int64Json = (value: Int64): number | string =>
  typeof value === 'bigint' ? String(value) : value
