// Metadata that is only in a snapshot: a real Kafka starts from ours, and we start from Kafka's.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { MetadataImage } from '#src/metadata/image.ts'
import { replayMetadata } from '#src/metadata/replay.ts'
import { imageRecords } from '#src/metadata/snapshot.ts'
import {
  listSnapshots,
  readSnapshot,
  storedRecords,
} from '#src/partitions/metadata-snapshot-file.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { nodeFiles } from '#storage/fs/node-files.ts'
import { type BrokerProcess, startBrokerProcess } from '../process/broker-process.ts'
import { createTopics, kafkaAbsence, type RealKafka, readBack, startKafka } from './kafka.ts'

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
  300_000,
)

test.skipIf(absence !== undefined)(
  `Kafka's own snapshots make the image that its log makes${suffix}`,
  async () => {
    const directory = join(scratch, 'of-kafka')
    const kafka = await startKafka(directory, {
      config: { 'metadata.log.max.record.bytes.between.snapshots': '1000' },
    })
    kafkas.add(kafka)
    for (const round of [1, 2, 3]) {
      const names = Array.from({ length: 15 }, (_, index) => `of-${round}-${index}`)
      await createTopics(
        kafka,
        names.map((name) => `${name},2,retention.ms=${round}000000`),
      )
    }
    await kafka.stop()
    const log = join(directory, '__cluster_metadata-0')
    const bytes = new Uint8Array(readFileSync(join(log, `${'0'.repeat(20)}.log`)))
    const stored = Array.from(readBatches(bytes)).flatMap((batch) => [...storedRecords(batch)])
    const snapshots = listSnapshots(nodeFiles, log).filter(({ endOffset }) => endOffset > 0)
    expect(snapshots.length).toBeGreaterThan(1)
    for (const id of snapshots) {
      const { image } = replayMetadata(readSnapshot(nodeFiles, log, id))
      const ofLog = replayMetadata(stored.filter(({ offset }) => offset < id.endOffset)).image
      expect([image.offset, image.epoch]).toEqual([ofLog.offset, ofLog.epoch])
      expect(textsOf(image)).toEqual(textsOf(ofLog))
    }
  },
  300_000,
)

/** Kafka has the features of a broker in the order of a hash map. */
const textsOf = (image: MetadataImage) =>
  Array.from(imageRecords(image), ({ type, version, data }) => {
    const features = 'features' in data ? data.features.map((one) => JSON.stringify(one)) : []
    return JSON.stringify({ type, version, ...data, features: features.toSorted() })
  }).toSorted()
