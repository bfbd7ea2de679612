// Groups over the lives of a broker: what was answered is there after a stop and after a power loss, on a simulated disk.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import type { Broker } from '#src/broker/broker.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { type SimulatedBroker, simulatedBroker } from '../../routes/kafka/handlers/exchange.ts'
import { at, commit, fetchOffsets } from '../../routes/kafka/handlers/offset-client.ts'
import { settle } from '../../simulation/virtual-clock.ts'

const config = { 'offsets.topic.num.partitions': '4' }
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAA'
const GROUPS = ['g', 'h', 'i', 'j', 'k', 'l']

/** A broker with topics `t` and `u`, in which six groups have committed and one has a member. */
async function worked(): Promise<SimulatedBroker> {
  const simulated = await simulatedBroker({ config })
  const { broker } = simulated
  await broker.createTopic(ANONYMOUS, { name: 't', partitionCount: 2 })
  await broker.createTopic(ANONYMOUS, { name: 'u', partitionCount: 1 })
  await broker.groups.findCoordinator(ANONYMOUS, 'g')
  await settle()
  for (const groupId of GROUPS) {
    await commit(broker, [{ name: 't', partitions: [at(0, 1), at(1, 2)] }], { groupId })
    await commit(broker, [{ name: 'u', partitions: [at(0, 3)] }], { groupId })
  }
  return simulated
}

/** The next life on what a stop or a power loss left. */
async function next({ running, disk, clock }: SimulatedBroker, how: 'stop' | 'power loss') {
  if (how === 'stop') await running.stop()
  const left = how === 'stop' ? disk : disk.afterCrash(3)
  const again = await simulatedBroker({ disk: left, clock, config })
  await settle()
  return again
}

async function beat(broker: Broker, memberEpoch: number) {
  const isFirst = memberEpoch === 0
  return await broker.groups.consumerHeartbeat(
    ANONYMOUS,
    {
      groupId: 'consumers',
      memberId: MEMBER,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: isFirst ? 60_000 : -1,
      subscribedTopicNames: isFirst ? ['t'] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: isFirst ? [] : null,
    },
    1,
  )
}

const offsetsOf = async (broker: Broker, groupId: string) =>
  (await fetchOffsets(broker, null, { groupId })).partitions.toSorted()

test.each(['stop', 'power loss'] as const)('Every group is as it was after a %s', async (how) => {
  const first = await worked()
  let { memberEpoch } = await beat(first.broker, 0)
  await first.clock.run(1500)
  memberEpoch = (await beat(first.broker, memberEpoch)).memberEpoch
  const described = await first.broker.groups.describeConsumer(ANONYMOUS, 'consumers')
  const second = await next(first, how)
  for (const groupId of GROUPS) {
    expect(await offsetsOf(second.broker, groupId)).toEqual([
      't-0: 1 -1  NONE',
      't-1: 2 -1  NONE',
      'u-0: 3 -1  NONE',
    ])
  }
  expect(await second.broker.groups.describeConsumer(ANONYMOUS, 'consumers')).toEqual(described)
  expect((await beat(second.broker, memberEpoch)).memberEpoch).toBe(memberEpoch)
  const all = await second.broker.groups.list(ANONYMOUS, { states: [], types: [] })
  expect(all.map(({ groupId }) => groupId).sort()).toEqual(['consumers', ...GROUPS])
})

test.each(['stop', 'power loss'] as const)(
  'The offsets of a deleted topic are gone, at once and after a %s',
  async (how) => {
    const first = await worked()
    await first.broker.deleteTopic(ANONYMOUS, 't')
    const second = await next(first, how)
    await settle()
    for (const groupId of GROUPS) {
      expect(await offsetsOf(second.broker, groupId)).toEqual(['u-0: 3 -1  NONE'])
    }
    // Also where only the log is asked: a topic of the same name has no offsets.
    await second.broker.createTopic(ANONYMOUS, { name: 't', partitionCount: 2 })
    const third = await next(second, 'stop')
    expect(await offsetsOf(third.broker, 'g')).toEqual(['u-0: 3 -1  NONE'])
  },
)

test('A deleted group does not come back, and its offsets neither', async () => {
  const first = await worked()
  await first.broker.groups.delete(ANONYMOUS, 'g')
  const second = await next(first, 'power loss')
  expect(await offsetsOf(second.broker, 'g')).toEqual([])
  const all = await second.broker.groups.list(ANONYMOUS, { states: [], types: [] })
  expect(all.map(({ groupId }) => groupId).sort()).toEqual(GROUPS.slice(1))
})

test('RunningBroker.stop() answers a parked join instead of waiting for the other members', async () => {
  const { broker, running } = await worked()
  const request = {
    groupId: 'waiting',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: 'static',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array([0, 0, 0, 0, 0, 0]) }],
    reason: null,
  }
  const joined = broker.groups.join(ANONYMOUS, request, 9).then(
    ({ errorCode }) => errorCode,
    (error: unknown) => (error instanceof KafkaError ? error.code : String(error)),
  )
  await settle()
  await running.stop()
  expect([16, 'NOT_COORDINATOR']).toContain(await joined)
})
