// The compiled loads against a broker: what they count is what is there, and a refusal is an error. In the long run, because
// a compiler that has built nothing before builds its own library first.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../../../bench/peers/child.ts'
import { buildRaw, buildRdkafka } from '../../../bench/peers/native-loads.ts'
import { loadLine } from '../../../bench/peers/tool-output.ts'
import { kafkaPort } from '../../clients/peers.ts'
import { type BrokerProcess, startBrokerProcess } from '../../process/broker-process.ts'

const raw = buildRaw()
const rdkafka = buildRdkafka()
const deadline = { deadlineMs: 60_000 }

const data = mkdtempSync(join(tmpdir(), 'millrace-loads-'))
let broker: BrokerProcess
let bootstrap = ''
beforeAll(async () => {
  broker = await startBrokerProcess({ data, settings: { 'auto.create.topics.enable': 'true' } })
  bootstrap = `127.0.0.1:${kafkaPort(broker)}`
})
afterAll(async () => {
  await broker.kill()
  rmSync(data, { recursive: true, force: true })
})

describe.skipIf('absence' in raw)(
  `The raw client${'absence' in raw ? ` (${raw.absence})` : ''}`,
  () => {
    const path = 'path' in raw ? raw.path : ''
    const run = async (mode: string, topic: string, ...flags: readonly string[]) =>
      loadLine(
        await runProgram(
          path,
          [mode, '-bootstrap', bootstrap, '-topic', topic, ...flags],
          deadline,
        ),
      )

    test('produces batches that the broker takes, and reads all of them back', async () => {
      await broker.produce('raw', ['first'])
      const flags = ['-records', '2000', '-connections', '3', '-batch', '2000', '-acks', '-1']
      const { records = 0 } = await run('produce', 'raw', ...flags)
      expect(records).toBeGreaterThanOrEqual(2000)
      const all = await broker.readAll('raw', 0)
      expect(all.length).toBe(records + 1)
      const fetched = await run(
        'fetch',
        'raw',
        '-crc',
        '-connections',
        '1',
        '-max-bytes',
        '20000',
        '-records',
        `${all.length}`,
      )
      expect(fetched).toMatchObject({ records: all.length })
      expect(fetched['requests']).toBeGreaterThan(1)
    })

    test('measures from the sending of a record to its arrival', async () => {
      await broker.produce('latency', ['first'])
      const measured = await run(
        'latency',
        'latency',
        '-records',
        '20',
        '-warmup',
        '5',
        '-batch',
        '1',
      )
      expect(measured['records']).toBe(20)
      expect(measured['p50Us']).toBeGreaterThan(0)
      expect(measured['p50Us']).toBeLessThanOrEqual(measured['maxUs'] ?? 0)
      expect(measured['ackP50Us']).toBeGreaterThan(0)
    })

    test('reads the tail and old records while it produces', async () => {
      await broker.produce('new', ['first'])
      await broker.produce('old', ['first', 'second'])
      const readers = ['-old-topic', 'old', '-tails', '1', '-catchups', '1', '-rate', '5000']
      const measured = await run('mixed', 'new', ...readers, '-records', '2000', '-batch', '1000')
      expect(measured['tailP50Us']).toBeGreaterThan(0)
      expect(measured['catchupRecordsPerSecond']).toBeGreaterThan(0)
    })

    test('ends in time though not everything is produced', async () => {
      await broker.produce('timed', ['first'])
      const slow = ['-rate', '1000', '-batch', '1', '-records', '1000000']
      const measured = await run('produce', 'timed', ...slow, '-seconds', '0.5')
      expect(measured['records']).toBeGreaterThan(0)
      expect(measured['records']).toBeLessThan(1_000_000)
      expect((await broker.readAll('timed', 0)).length).toBe((measured['records'] ?? 0) + 1)
    })

    test('ends with the error of a refused batch, also with many in flight', async () => {
      await expect(run('produce', 'raw', '-per-request', '2', '-partitions', '2')).rejects.toThrow(
        'partition 1 was refused with error 3',
      )
      await expect(run('fetch', 'nowhere')).rejects.toThrow('was refused with error 3')
    })
  },
)

describe.skipIf('absence' in rdkafka)(
  `The load on librdkafka${'absence' in rdkafka ? ` (${rdkafka.absence})` : ''}`,
  () => {
    const path = 'path' in rdkafka ? rdkafka.path : ''

    test('produces and consumes as many records as it is told', async () => {
      await broker.produce('rdkafka', ['first'])
      const produce = ['produce', bootstrap, 'rdkafka', '500', '100', 'acks=all']
      expect(loadLine(await runProgram(path, produce, deadline))).toMatchObject({ records: 500 })
      expect((await broker.readAll('rdkafka', 0)).length).toBe(501)
      const consume = ['consume', bootstrap, 'rdkafka', '501']
      const consumed = loadLine(await runProgram(path, consume, deadline))
      expect(consumed['records']).toBe(501)
      expect(consumed['requests']).toBeGreaterThan(0)
    })

    test('says which setting it does not know', async () => {
      const argv = ['produce', bootstrap, 'rdkafka', '1', '1', 'no.such=1']
      await expect(runProgram(path, argv, deadline)).rejects.toThrow('no.such')
    })
  },
)
