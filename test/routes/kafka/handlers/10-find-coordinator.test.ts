// FindCoordinator: who coordinates a group, from a broker that has never heard of one.
import { expect, test } from 'vitest'
import { findCoordinator } from '../../../../routes/kafka/handlers/10-find-coordinator.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../../../src/protocol/messages/10-find-coordinator.ts'
import { nameOf } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'

const FIND = {
  api: findCoordinator,
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,
}
const HERE = { nodeId: 1, host: 'broker.test', port: 9092 }
const NOBODY = { nodeId: -1, host: '', port: -1 }

test.each([0, 1, 2, 3])(
  'FindCoordinator v%i makes the topic of the groups and names this broker',
  async (version) => {
    const { broker } = await simulatedBroker({ config: { 'auto.create.topics.enable': 'false' } })
    const answer = await exchange(broker, FIND, { key: 'g' }, { version })
    expect(answer).toMatchObject({ errorCode: 0, ...HERE })
    const topic = broker.describeTopic(ANONYMOUS, '__consumer_offsets')
    expect(topic.partitions).toHaveLength(50)
    const configs = broker.describeConfigs(ANONYMOUS, { type: 'topic', name: topic.name })
    const setting = (name: string) => configs.find((entry) => entry.name === name)?.value
    expect(setting('cleanup.policy')).toBe('compact')
    expect(setting('segment.bytes')).toBe('104857600')
  },
)

test.each([4, 5, 6])(
  'FindCoordinator v%i answers each of its keys, asked for by many at a time',
  async (version) => {
    const { broker } = await simulatedBroker({ config: { 'offsets.topic.num.partitions': '3' } })
    const ask = () => exchange(broker, FIND, { coordinatorKeys: ['g', '', 'h'] }, { version })
    for (const answer of await Promise.all([ask(), ask(), ask()])) {
      expect(answer?.coordinators).toEqual(
        ['g', '', 'h'].map((key) => ({ key, ...HERE, errorCode: 0, errorMessage: '' })),
      )
    }
    expect(broker.describeTopic(ANONYMOUS, '__consumer_offsets').partitions).toHaveLength(3)
  },
)

test('FindCoordinator refuses for good what has no coordinator yet', async () => {
  const { broker } = await simulatedBroker()
  const old = await exchange(broker, FIND, { key: 't', keyType: 1 }, { version: 2 })
  expect(old).toMatchObject(NOBODY)
  expect(nameOf(old?.errorCode ?? 0)).toBe('UNSUPPORTED_VERSION')
  expect(old?.errorMessage).toContain('transactions')
  const codes = async (keyType: number, version: number) => {
    const answer = await exchange(
      broker,
      FIND,
      { keyType, coordinatorKeys: ['x', 'y'] },
      { version },
    )
    return answer?.coordinators.map(({ errorCode }) => nameOf(errorCode))
  }
  expect(await codes(1, 4)).toEqual(['UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'])
  expect(await codes(2, 6)).toEqual(['UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'])
  expect(await codes(2, 5)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  expect(await codes(9, 6)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
})

test('FindCoordinator says COORDINATOR_NOT_AVAILABLE when the topic can not be made', async () => {
  const { broker } = await simulatedBroker({ config: { 'offsets.topic.replication.factor': '3' } })
  const answer = await exchange(broker, FIND, { coordinatorKeys: ['g'] }, { version: 4 })
  expect(answer?.coordinators[0]).toMatchObject(NOBODY)
  expect(nameOf(answer?.coordinators[0]?.errorCode ?? 0)).toBe('COORDINATOR_NOT_AVAILABLE')
})
