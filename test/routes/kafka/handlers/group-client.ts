// What members of a classic group say, through the handlers.
import { findCoordinator } from '../../../../routes/kafka/handlers/10-find-coordinator.ts'
import { joinGroup } from '../../../../routes/kafka/handlers/11-join-group.ts'
import { heartbeat } from '../../../../routes/kafka/handlers/12-heartbeat.ts'
import { leaveGroup } from '../../../../routes/kafka/handlers/13-leave-group.ts'
import { syncGroup } from '../../../../routes/kafka/handlers/14-sync-group.ts'
import type { InferInput } from '../../../../src/protocol/codec/message.ts'
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../../../src/protocol/messages/10-find-coordinator.ts'
import {
  JoinGroupRequest,
  JoinGroupResponse,
} from '../../../../src/protocol/messages/11-join-group.ts'
import {
  HeartbeatRequest,
  HeartbeatResponse,
} from '../../../../src/protocol/messages/12-heartbeat.ts'
import {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../../../src/protocol/messages/13-leave-group.ts'
import {
  SyncGroupRequest,
  SyncGroupResponse,
} from '../../../../src/protocol/messages/14-sync-group.ts'
import { type Exchange, exchange, type SimulatedBroker, simulatedBroker } from './exchange.ts'

/** JoinGroup, as `exchange` takes it. */
export const JOIN_GROUP = { api: joinGroup, request: JoinGroupRequest, response: JoinGroupResponse }
/** Heartbeat, as `exchange` takes it. */
export const HEARTBEAT = { api: heartbeat, request: HeartbeatRequest, response: HeartbeatResponse }
/** LeaveGroup, as `exchange` takes it. */
export const LEAVE_GROUP = {
  api: leaveGroup,
  request: LeaveGroupRequest,
  response: LeaveGroupResponse,
}
/** SyncGroup, as `exchange` takes it. */
export const SYNC_GROUP = { api: syncGroup, request: SyncGroupRequest, response: SyncGroupResponse }

/** A broker that coordinates groups: its `__consumer_offsets` is there. */
export async function groupBroker(
  config: Readonly<Record<string, string>> = {},
): Promise<SimulatedBroker> {
  const simulated = await simulatedBroker({
    config: { 'offsets.topic.num.partitions': '2', ...config },
  })
  const { broker, clock } = simulated
  const messages = {
    api: findCoordinator,
    request: FindCoordinatorRequest,
    response: FindCoordinatorResponse,
  }
  await through(clock, exchange(broker, messages, { key: 'g' }, { version: 2 }))
  await through(clock, join(simulated, { memberId: 'nobody' }, { version: 3 }))
  return simulated
}

/** A join as a consumer without a past makes it. */
export function join(
  { broker }: SimulatedBroker,
  said: Partial<InferInput<typeof JoinGroupRequest>>,
  how: Exchange,
) {
  const request = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Uint8Array.of(1, 2, 3) }],
    ...said,
  }
  return exchange(broker, JOIN_GROUP, request, how)
}

/** Lets time pass until the answer is there. */
export async function through<T>(
  clock: SimulatedBroker['clock'],
  answer: Promise<T | undefined>,
): Promise<T> {
  const settled = { isDone: false }
  const watched = answer.finally(() => {
    settled.isDone = true
  })
  for (let round = 0; round < 200 && !settled.isDone; round++) await clock.run(100)
  const value = await watched
  if (value === undefined) throw new Error('There is no answer')
  return value
}
