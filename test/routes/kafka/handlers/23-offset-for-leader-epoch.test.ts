// OffsetForLeaderEpoch: the ends of epochs, over restarts that raise them.
import { expect, test } from 'vitest'
import { offsetForLeaderEpoch } from '../../../../routes/kafka/handlers/23-offset-for-leader-epoch.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../../../src/protocol/messages/23-offset-for-leader-epoch.ts'
import { batchOf, nameOf, send } from './clients.ts'
import { exchange, type SimulatedBroker, simulatedBroker } from './exchange.ts'

const EPOCH = {
  api: offsetForLeaderEpoch,
  request: OffsetForLeaderEpochRequest,
  response: OffsetForLeaderEpochResponse,
}

async function endOf(
  broker: Broker,
  leaderEpoch: number,
  { version = 4, currentLeaderEpoch = -1, topic = 'orders' } = {},
) {
  const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch }]
  const answer = await exchange(broker, EPOCH, { topics: [{ topic, partitions }] }, { version })
  const found = answer?.topics[0]?.partitions[0]
  return { error: nameOf(found?.errorCode ?? -1), epoch: found?.leaderEpoch, end: found?.endOffset }
}

/** Two records in epoch 0, one in epoch 1, the next epoch for what comes. */
async function threeEpochs(): Promise<SimulatedBroker> {
  const first = await simulatedBroker()
  await first.broker.createTopic(ANONYMOUS, { name: 'orders' })
  await send(first.broker, 'orders', batchOf(['a', 'b']), { acks: 1 })
  const second = await simulatedBroker({ disk: first.disk.afterKill() })
  await send(second.broker, 'orders', batchOf(['c']), { acks: 1 })
  return await simulatedBroker({ disk: second.disk.afterKill() })
}

test.each([
  { asked: 0, epoch: 0, end: 2 },
  { asked: 1, epoch: 1, end: 3 },
  { asked: 2, epoch: 2, end: 3 },
  { asked: 3, epoch: -1, end: -1 },
  { asked: -1, epoch: -1, end: -1 },
])(
  'OffsetForLeaderEpoch says that epoch $asked is $epoch and ends at $end',
  async ({ asked, epoch, end }) => {
    const { broker } = await threeEpochs()
    for (const version of [2, 3, 4]) {
      expect(await endOf(broker, asked, { version })).toEqual({ error: 'NONE', epoch, end })
    }
  },
)

test.each([
  { why: 'an older epoch', options: { currentLeaderEpoch: 1 }, error: 'FENCED_LEADER_EPOCH' },
  { why: 'a newer epoch', options: { currentLeaderEpoch: 3 }, error: 'UNKNOWN_LEADER_EPOCH' },
  { why: 'an unknown topic', options: { topic: 'x' }, error: 'UNKNOWN_TOPIC_OR_PARTITION' },
])('OffsetForLeaderEpoch refuses $why', async ({ options, error }) => {
  const { broker } = await threeEpochs()
  expect(await endOf(broker, 1, options)).toEqual({ error, epoch: -1, end: -1 })
})
