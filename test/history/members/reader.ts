// Reads every partition from its beginning to its end, and writes that down. The argument is a plan; producers have ended.
import { randomUUID } from 'node:crypto'
import { Consumer } from '@platformatic/kafka'
import { HistoryWriter, type SeenRecord } from '../history.ts'
import { Fetches } from './fetches.ts'
import { plan } from './plan.ts'

const consumer = new Consumer({
  clientId: 'reader',
  bootstrapBrokers: [plan.bootstrap],
  groupId: randomUUID(),
})
const history = new HistoryWriter(plan.directory, 'reader')
const fetches = new Fetches(consumer, plan.topic)
for (let partition = 0; partition < plan.partitionCount; partition++) {
  const records: SeenRecord[] = []
  for (let position = 0, end = Number.POSITIVE_INFINITY; position < end; ) {
    const [fetched] = await fetches.fetch(new Map([[partition, position]]))
    if (fetched === undefined) throw new Error(`Nothing came of ${partition}`)
    records.push(...fetched.records)
    end = fetched.highWatermark
    position = (records.at(-1)?.[0] ?? -1) + 1
  }
  const end = (records.at(-1)?.[0] ?? -1) + 1
  history.write({ op: 'log', partition, start: 0, end, records })
}
await consumer.close(true)
