// What a member says to its coordinator, heartbeat by heartbeat, when the coordinator does not answer as it should.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { Membership } from '#src/broker/consumers/membership.ts'
import type { ConsumerGroupHeartbeatRequest } from '#src/protocol/messages/68-consumer-group-heartbeat.ts'
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'

const TOPIC = 'AAAAAAAAAAAAAAAAAAAAAw'

/** What the coordinator says to one heartbeat: a refusal, or the next epoch, perhaps with partitions. */
type Saying = KafkaErrorName | { readonly epoch: number; readonly partitions?: readonly number[] }

/** A member of a coordinator that says these things, and the last of them again and again. */
function memberOf(...sayings: readonly Saying[]) {
  const clock = new VirtualClock()
  const heard: ConsumerGroupHeartbeatRequest[] = []
  const told: string[] = []
  const membership = new Membership({
    groups: {
      consumerHeartbeat: (_session, request) => {
        heard.push(request)
        const saying = sayings[Math.min(heard.length, sayings.length) - 1] ?? 'UNKNOWN_SERVER_ERROR'
        if (typeof saying === 'string') return Promise.reject(new KafkaError(saying, saying))
        const { epoch, partitions } = saying
        return Promise.resolve({
          throttleTimeMs: 0,
          errorCode: 0,
          errorMessage: null,
          memberId: request.memberId,
          memberEpoch: epoch,
          heartbeatIntervalMs: 5_000,
          assignment: partitions
            ? { topicPartitions: [{ topicId: TOPIC, partitions: [...partitions] }] }
            : null,
        })
      },
    },
    session: ANONYMOUS,
    clock,
    memberId: 'm',
    groupId: 'g',
    instanceId: null,
    rebalanceTimeoutMs: 60_000,
    onAssigned: (partitions) => told.push(`+${partitions.map(({ partition }) => partition)}`),
    onRevoked: (partitions) => {
      told.push(`-${partitions.map(({ partition }) => partition)}`)
      return Promise.resolve()
    },
    onLost: () => told.push('lost'),
  })
  const join = () => membership.join({ topics: ['t'], pattern: null })
  return { clock, heard, told, membership, join }
}

const owned = ({ topicPartitions }: ConsumerGroupHeartbeatRequest) =>
  topicPartitions?.flatMap(({ partitions }) => partitions) ?? null

test('Membership waits for a coordinator that is not there yet', async () => {
  const { clock, heard, told, join } = memberOf(
    'COORDINATOR_LOAD_IN_PROGRESS',
    'NOT_COORDINATOR',
    { epoch: 1, partitions: [0] },
    { epoch: 1 },
  )
  const joined = join()
  await clock.run(1_000)
  await joined
  expect(heard.slice(0, 3).map(({ memberEpoch }) => memberEpoch)).toEqual([0, 0, 0])
  expect(told).toEqual(['+0'])
})

test('Membership tells who joins when no coordinator answers in time, and goes on trying', async () => {
  const { clock, heard, join } = memberOf('NOT_COORDINATOR')
  const joined = expect(join()).rejects.toMatchObject({ code: 'COORDINATOR_NOT_AVAILABLE' })
  await clock.run(31_000)
  await joined
  const before = heard.length
  await clock.run(1_000)
  expect(heard.length).toBeGreaterThan(before)
})

test('Membership says what it owns once, and everything again after an answer that went astray', async () => {
  const { clock, heard, join } = memberOf(
    { epoch: 1, partitions: [0, 1] },
    { epoch: 1 },
    'REQUEST_TIMED_OUT',
    { epoch: 1, partitions: [0, 1] },
    { epoch: 1 },
  )
  void join()
  await clock.run(2_000)
  expect(heard.slice(0, 6).map(owned)).toEqual([[], [0, 1], null, [0, 1], [0, 1], null])
  expect(heard[3]).toMatchObject({ subscribedTopicNames: ['t'], rebalanceTimeoutMs: 60_000 })
  expect(heard[5]).toMatchObject({ subscribedTopicNames: null, rebalanceTimeoutMs: -1 })
})

test('Membership gives back before it takes, and says so in between', async () => {
  const { clock, heard, told, join } = memberOf(
    { epoch: 1, partitions: [0, 1] },
    { epoch: 1 },
    { epoch: 1, partitions: [1] },
    { epoch: 2, partitions: [1, 2] },
    { epoch: 2 },
  )
  void join()
  await clock.run(2_000)
  expect(told).toEqual(['+0,1', '-0', '+2'])
  expect(heard[3] && owned(heard[3])).toEqual([1])
})

test.each(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'] as const)(
  'Membership joins again with nothing in its hands after %s',
  async (refusal) => {
    const { clock, heard, told, membership, join } = memberOf(
      { epoch: 5, partitions: [0] },
      { epoch: 5 },
      refusal,
      { epoch: 6, partitions: [1] },
      { epoch: 6 },
    )
    void join()
    await clock.run(2_000)
    expect(heard[3]).toMatchObject({
      memberEpoch: 0,
      topicPartitions: [],
      subscribedTopicNames: ['t'],
    })
    expect(told).toEqual(['+0', 'lost', '+1'])
    expect(membership.epoch).toBe(6)
  },
)

test('Membership ends with a refusal that does not pass, and leaves where it was a member', async () => {
  const { clock, heard, told, membership, join } = memberOf(
    { epoch: 1, partitions: [0] },
    { epoch: 1 },
    'GROUP_AUTHORIZATION_FAILED',
    { epoch: -1 },
  )
  await Promise.all([join(), clock.run(5_000)])
  expect(membership.failure?.code).toBe('GROUP_AUTHORIZATION_FAILED')
  expect(told).toEqual(['+0', 'lost'])
  expect(heard.map(({ memberEpoch }) => memberEpoch)).toEqual([0, 1, 1, -1])
  await expect(join()).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
})

test('Membership beats soon after news, and twice a second when there is none', async () => {
  const { clock, heard, join } = memberOf({ epoch: 1, partitions: [0] }, { epoch: 1 })
  void join()
  await clock.run(100)
  expect(heard.length).toBeGreaterThan(3)
  await clock.run(5_000)
  const before = heard.length
  await clock.run(10_000)
  expect(heard.length - before).toBe(20)
})

test('Membership.close() leaves once, and says nothing more', async () => {
  const { clock, heard, membership, join } = memberOf({ epoch: 1 })
  await Promise.all([join(), clock.run(1_000)])
  await membership.close()
  await membership.close()
  const said = heard.length
  await clock.run(10_000)
  expect([heard.at(-1)?.memberEpoch, heard.length]).toEqual([-1, said])
})
