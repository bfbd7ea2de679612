// Groups as the broker serves them, where the code of their shards is not to be had.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { BrokerGroups } from '#src/broker/broker-groups.ts'
import type { RecordReading } from '#src/broker/reading.ts'
import { BrokerConfig } from '#src/config/broker-config.ts'
import { loadGroupShards } from '#src/groups/group-shards.ts'
import { EMPTY_IMAGE } from '#src/metadata/image.ts'
import { EffectiveConfigs } from '#src/partitions/effective-configs.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

test('BrokerGroups.findCoordinator() asks clients to come again while its code can not be loaded, and tells why once', async () => {
  const problems: unknown[] = []
  let failure: Error | undefined
  const groups = new BrokerGroups({
    nodeId: 1,
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    partitions: {
      find: () => undefined,
      isPending: () => false,
      settled: () => Promise.resolve(),
    },
    configs: new EffectiveConfigs(1, BrokerConfig.load({ flags: {} })),
    image: () => EMPTY_IMAGE,
    reads: {} as RecordReading,
    ensureTopic: () => Promise.resolve(),
    loadShards: () => (failure ? Promise.reject(failure) : loadGroupShards()),
    onProblem: (error) => problems.push(error),
  })
  const find = async () => {
    const error: unknown = await groups.findCoordinator(ANONYMOUS, 'g').catch((cause) => cause)
    return error instanceof KafkaError ? error.code : String(error)
  }
  const tooMany = new Error('EMFILE: too many open files')
  failure = tooMany
  expect([await find(), await find()]).toEqual([
    'COORDINATOR_NOT_AVAILABLE',
    'COORDINATOR_NOT_AVAILABLE',
  ])
  expect(problems).toEqual([expect.objectContaining({ cause: tooMany })])
  failure = undefined
  // There is no topic.
  expect(await find()).toBe('NOT_COORDINATOR')
  failure = tooMany
  expect(await find()).toBe('COORDINATOR_NOT_AVAILABLE')
  expect(problems).toHaveLength(2)
})
