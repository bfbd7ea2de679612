// Metadata that is only in a snapshot: a real Kafka starts from ours, and we start from Kafka's.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type BrokerProcess, startBrokerProcess } from '../process/broker-process.ts'
import { kafkaAbsence, type RealKafka, readBack, startKafka } from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-snapshot-'))
const data = join(scratch, 'data')
const brokers = new Set<BrokerProcess>()
const kafkas = new Set<RealKafka>()
afterAll(async () => {
  for (const broker of brokers) await broker.kill()
  for (const kafka of kafkas) await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
})

/** Sums the metadata up every few topics, and drops what came before at once. */
const settings = {
  'num.partitions': '1',
  'metadata.log.max.record.bytes.between.snapshots': '1000',
  'metadata.max.retention.bytes': '1',
  'internal.metadata.log.segment.bytes': '2048',
  'log.segment.delete.delay.ms': '1',
}
const metadata = () => readdirSync(join(data, '__cluster_metadata-0'))

test.skipIf(absence !== undefined)(
  `Kafka starts from our metadata snapshot alone, and we start on what it left${suffix}`,
  async () => {
    const broker = await startBrokerProcess({ data, settings })
    brokers.add(broker)
    const names = Array.from({ length: 20 }, (_, index) => `topic-${index}`)
    for (const name of names) await broker.produce(name, [`in ${name}`])
    expect(await broker.terminate()).toBe(0)
    expect(metadata().filter((name) => name.endsWith('.checkpoint')).length).toBe(2)
    expect(metadata()).not.toContain('00000000000000000000.log')

    const kafka = await startKafka(data)
    kafkas.add(kafka)
    const read = join(scratch, 'read')
    await readBack(kafka, read)
    await kafka.stop()
    const found = readdirSync(read).filter((name) => name.startsWith('topic-'))
    expect(found.length).toBe(names.length)
    expect(readdirSync(data).filter((name) => name.endsWith('-stray'))).toEqual([])

    const again = await startBrokerProcess({ data, settings })
    brokers.add(again)
    for (const name of names) {
      expect(await again.readAll(name, 0)).toMatchObject([{ value: `in ${name}` }])
    }
    expect(await again.terminate()).toBe(0)
  },
  120_000,
)
