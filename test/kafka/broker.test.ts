// Kafka accepts a whole data directory of a running broker: its logs in every codec, its metadata log, its small files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BrokerProcess, startBrokerProcess } from '../process/broker-process.ts'
import { type DumpReport, dumpLogSegments, kafkaAbsence } from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const withKafka = test.skipIf(absence !== undefined)
const scratch = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
const data = join(scratch, 'data')
const codecs = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd', 'producer']
const running = new Set<BrokerProcess>()
afterAll(async () => {
  for (const broker of running) await broker.kill()
  rmSync(scratch, { recursive: true, force: true })
})

let report: DumpReport | undefined
beforeAll(async () => {
  if (absence !== undefined) return
  const broker = await start()
  const { data: clusters } = await (await broker.get('/v3/clusters')).json()
  const topics = `${broker.url}/v3/clusters/${clusters[0].cluster_id}/topics`
  for (const codec of codecs) await createTopic(topics, codec)
  for (let round = 0; round < 30; round++) {
    const values = Array.from(
      { length: 20 },
      (_, index) => `${round}.${index} ${'z'.repeat(index * 9)}`,
    )
    for (const codec of codecs) await broker.produce(`in-${codec}`, values, round % 2 ? 'all' : '1')
  }
  await broker.produce('made-by-producing', ['first'])
  const deletion = await fetch(`${topics}/in-producer`, { method: 'DELETE' })
  expect(deletion.status).toBeLessThan(300)
  await broker.terminate()
  running.delete(broker)
  // A second life: recovered logs, another leadership of the metadata log.
  const again = await start()
  await again.produce('in-gzip', ['after the restart'])
  await again.terminate()
  running.delete(again)
  report = await dumpLogSegments(data)
}, 300_000)

withKafka(`DumpLogSegments accepts every file of a broker's data directory${suffix}`, () => {
  expect(report?.problems).toEqual([])
  expect(report?.fileCount).toBeGreaterThan(20)
})

withKafka(`DumpLogSegments finds every record in the codec of its topic${suffix}`, () => {
  for (const codec of codecs.slice(0, -1)) {
    const lines = [0, 1].flatMap((partition) => linesOf(`in-${codec}-${partition}/`))
    const batches = lines.filter((line) => line.startsWith('baseOffset:'))
    const name = codec === 'uncompressed' ? 'none' : codec
    expect(batches.every((line) => line.includes(`compresscodec: ${name}`))).toBe(true)
    const records = lines.filter((line) => line.startsWith('|')).length
    expect(records).toBe(codec === 'gzip' ? 601 : 600)
  }
})

withKafka(`DumpLogSegments decodes the metadata log${suffix}`, () => {
  const text = linesOf('__cluster_metadata-0/').join('\n')
  for (const sign of [
    'LeaderChange: {',
    'KRaftVoters {',
    '"type":"FEATURE_LEVEL_RECORD"',
    '"type":"REGISTER_BROKER_RECORD"',
    '"type":"TOPIC_RECORD","version":0,"data":{"name":"in-gzip"',
    '"type":"PARTITION_RECORD"',
    '"name":"compression.type","value":"zstd"',
    '"type":"REMOVE_TOPIC_RECORD"',
  ])
    expect(text).toContain(sign)
})

async function start(): Promise<BrokerProcess> {
  const settings = { 'num.partitions': '2', 'log.index.interval.bytes': '512' }
  const broker = await startBrokerProcess({ data, settings })
  running.add(broker)
  return broker
}

async function createTopic(topics: string, codec: string): Promise<void> {
  const answer = await fetch(topics, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      topic_name: `in-${codec}`,
      partitions_count: 2,
      configs: [
        { name: 'compression.type', value: codec },
        { name: 'index.interval.bytes', value: '256' },
      ],
    }),
  })
  expect(answer.status, await answer.text()).toBe(201)
}

function linesOf(prefix: string): string[] {
  const files = [...(report?.output ?? [])].filter(([file]) => file.startsWith(prefix))
  return files.flatMap(([, lines]) => lines)
}
