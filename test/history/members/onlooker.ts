// Asks again and again what is committed for a group, as an administrator would. The argument is a plan.
import kafkajs from 'kafkajs'
import { HistoryWriter, type Position } from '../history.ts'
import { ending, onEnd, plan, sleep } from './plan.ts'

const { Kafka, logLevel } = kafkajs
const { bootstrap, topic, group, directory } = plan
const history = new HistoryWriter(directory, 'onlooker')

async function look(): Promise<void> {
  while (!ending.isAsked) {
    const admin = new Kafka({
      clientId: 'onlooker',
      brokers: [bootstrap],
      logLevel: logLevel.NOTHING,
      retry: { retries: 2, initialRetryTime: 50 },
    }).admin()
    try {
      await admin.connect()
      while (!ending.isAsked) {
        const since = Date.now()
        const answer = await admin.fetchOffsets({ groupId: group, topics: [topic] })
        const offsets = answer.flatMap(({ partitions }) =>
          partitions.map(({ partition, offset }): Position => [partition, Number(offset)]),
        )
        history.write({ op: 'fetched', group, since, offsets })
        await sleep(300)
      }
    } catch {
      await sleep(300)
    } finally {
      await admin.disconnect()
    }
  }
}

const looking = look()
onEnd(() => looking)
