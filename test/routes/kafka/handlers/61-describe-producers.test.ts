// DescribeProducers: what a partition knows of those who write to it.
import { expect, test } from 'vitest'
import { describeProducers } from '../../../../routes/kafka/handlers/61-describe-producers.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../../../../src/protocol/messages/61-describe-producers.ts'
import { batchOf, nameOf, send, sequenced } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'

const DESCRIBE = {
  api: describeProducers,
  request: DescribeProducersRequest,
  response: DescribeProducersResponse,
}

test('DescribeProducers tells epoch, last sequence and time of each producer, and refuses what is not there', async () => {
  const { broker } = await simulatedBroker()
  await broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount: 2 })
  await send(
    broker,
    'orders',
    sequenced(9_007_199_254_740_993n, { epoch: 2, sequence: 0, count: 3 }),
  )
  await send(broker, 'orders', sequenced(7, { sequence: 5 }))
  await send(broker, 'orders', batchOf(['nobody']))
  const topics = [
    { name: 'orders', partitionIndexes: [0, 1, 2] },
    { name: 'x', partitionIndexes: [0] },
  ]
  const answer = await exchange(broker, DESCRIBE, { topics }, { version: 0 })
  const [orders, unknown] = answer?.topics ?? []
  const known = {
    coordinatorEpoch: -1,
    currentTxnStartOffset: -1,
    lastTimestamp: 1_704_067_200_000,
  }
  expect(orders?.partitions[0]?.activeProducers).toEqual([
    { producerId: 9_007_199_254_740_993n, producerEpoch: 2, lastSequence: 2, ...known },
    { producerId: 7, producerEpoch: 0, lastSequence: 5, ...known },
  ])
  expect(orders?.partitions[1]).toMatchObject({ errorCode: 0, activeProducers: [] })
  expect(nameOf(orders?.partitions[2]?.errorCode ?? 0)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(nameOf(unknown?.partitions[0]?.errorCode ?? 0)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})
