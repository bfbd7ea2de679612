// DescribeLogDirs and AlterReplicaLogDirs: what lies where, and that it stays there.
import { expect, test } from 'vitest'
import { startBroker } from '../../../../mod.ts'
import { alterReplicaLogDirs } from '../../../../routes/kafka/handlers/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../../../routes/kafka/handlers/35-describe-log-dirs.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../../../src/protocol/messages/34-alter-replica-log-dirs.ts'
import {
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
} from '../../../../src/protocol/messages/35-describe-log-dirs.ts'
import { SimulatedDisk } from '../../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'
import { ask, create, topicToCreate } from './admin-client.ts'
import { batchOf, nameOf, send } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const DESCRIBE = {
  api: describeLogDirs,
  request: DescribeLogDirsRequest,
  response: DescribeLogDirsResponse,
}
const PLACE = {
  api: alterReplicaLogDirs,
  request: AlterReplicaLogDirsRequest,
  response: AlterReplicaLogDirsResponse,
}

test('DescribeLogDirs tells sizes and room, and nothing of the metadata log', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, [topicToCreate('a', { numPartitions: 2 })])
  const batch = batchOf(['x'])
  await send(broker, 'a', batch, { partition: 1 })
  const { errorCode, results } = await ask(broker, DESCRIBE, { topics: null })
  expect(errorCode).toBe(0)
  expect(results.length).toBe(1)
  const [directory] = results
  expect(directory).toMatchObject({ errorCode: 0, logDir: '/data', isCordoned: false })
  expect(directory?.totalBytes).toBeGreaterThan(0)
  expect(directory?.usableBytes).toBeLessThanOrEqual(directory?.totalBytes ?? 0)
  expect(directory?.topics).toEqual([
    {
      name: 'a',
      partitions: [0, batch.length].map((partitionSize, partitionIndex) => ({
        partitionIndex,
        partitionSize,
        offsetLag: 0,
        isFutureKey: false,
      })),
    },
  ])
})

test('DescribeLogDirs tells of the partitions that were asked for', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, [topicToCreate('a', { numPartitions: 2 }), 'b'])
  const topics = [
    { topic: 'a', partitions: [1, 9] },
    { topic: 'nope', partitions: [0] },
  ]
  const { results } = await ask(broker, DESCRIBE, { topics })
  const found = results[0]?.topics.map(({ name, partitions }) => [
    name,
    partitions.map(({ partitionIndex }) => partitionIndex),
  ])
  expect(found).toEqual([['a', [1]]])
  expect((await ask(broker, DESCRIBE, { topics: [] })).results[0]?.topics).toEqual([])
})

test('DescribeLogDirs says of a directory that failed that it is offline', async () => {
  const { broker, disk } = await simulatedBroker()
  await create(broker, ['a'])
  disk.fail({ on: 'sync', path: '/a-0/', code: 'EIO' })
  await send(broker, 'a', batchOf(['x']))
  const { results } = await ask(broker, DESCRIBE, { topics: null })
  expect(nameOf(results[0]?.errorCode ?? 0)).toBe('KAFKA_STORAGE_ERROR')
  expect(results[0]).toMatchObject({ logDir: '/data', topics: [], totalBytes: -1 })
})

test.each([1, 2, 3, 4, 5])('DescribeLogDirs is served in version %i', async (version) => {
  const { broker } = await simulatedBroker()
  const { results } = await ask(broker, DESCRIBE, { topics: null }, version)
  expect(results[0]?.logDir).toBe('/data')
  expect((results[0]?.totalBytes ?? -1) > 0).toBe(version >= 4)
})

test.each([1, 2])(
  'AlterReplicaLogDirs confirms in version %i where a partition is, and moves none',
  async (version) => {
    const data = ['/one', '/two']
    const files = new SimulatedDisk()
    const clock = new VirtualClock()
    const running = await startBroker({ http: false, kafka: false, data, files, clock })
    const { broker } = running
    try {
      await create(broker, ['a'])
      const [home] = broker.admin.logDirs
        .describe(ANONYMOUS)
        .filter(({ logs }) => logs.length > 0)
        .map(({ path }) => path)
      const away = data.find((path) => path !== home) ?? ''
      const place = async (path: string, partition = 0) => {
        const dirs = [{ path, topics: [{ name: 'a', partitions: [partition] }] }]
        const { results } = await ask(broker, PLACE, { dirs }, version)
        return nameOf(results[0]?.partitions[0]?.errorCode ?? 0)
      }
      expect(await place(home ?? '')).toBe('NONE')
      expect(await place(away)).toBe('OPERATION_NOT_ATTEMPTED')
      expect(await place('/nowhere')).toBe('LOG_DIR_NOT_FOUND')
      expect(await place(away, 9)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    } finally {
      await running.stop()
    }
  },
)
