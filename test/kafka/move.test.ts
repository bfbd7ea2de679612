// Moving in and out: a real Kafka starts on our data directory and serves all of it, then we start on Kafka's, twice around.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type BrokerProcess, startBrokerProcess } from '../process/broker-process.ts'
import { kafkaAbsence, type RealKafka, readBack, startKafka } from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-move-'))
const data = join(scratch, 'data')
const brokers = new Set<BrokerProcess>()
const kafkas = new Set<RealKafka>()
afterAll(async () => {
  for (const broker of brokers) await broker.kill()
  for (const kafka of kafkas) await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
})

test.skipIf(absence !== undefined)(
  `A data directory goes from us to Kafka and back, twice, and loses nothing${suffix}`,
  async () => {
    const sent: string[] = []
    for (const round of ['first', 'second']) {
      const broker = await startBrokerProcess({ data, settings: { 'num.partitions': '2' } })
      brokers.add(broker)
      if (round === 'second') {
        const recovery = await (await broker.get('/recovery')).json()
        expect(recovery).toMatchObject({ had_clean_shutdown: true, findings: [] })
        expect(await valuesWithUs(broker)).toEqual(sent.toSorted())
      }
      for (let number = 0; number < 20; number++) {
        const value = `${round} round, number ${number}`
        await broker.produce('moving', [value])
        sent.push(value)
      }
      expect(await broker.terminate()).toBe(0)

      const kafka = await startKafka(data)
      kafkas.add(kafka)
      const read = join(scratch, round)
      await readBack(kafka, read)
      await kafka.stop()
      expect(valuesIn(read)).toEqual(sent.toSorted())
      expect(readdirSync(data).filter((name) => name.endsWith('-stray'))).toEqual([])
    }
  },
  180_000,
)

async function valuesWithUs(broker: BrokerProcess): Promise<unknown[]> {
  const pages = [await broker.readAll('moving', 0), await broker.readAll('moving', 1)]
  return pages
    .flat()
    .map(({ value }) => value)
    .toSorted()
}

/** The values in what Kafka's consumer read: JSON strings, as the HTTP door stored them. */
function valuesIn(directory: string): string[] {
  const files = readdirSync(directory).filter((name) => name.startsWith('moving-'))
  const lines = files.flatMap((name) =>
    readFileSync(join(directory, name), 'utf8').trimEnd().split('\n').slice(1),
  )
  const texts = lines.map((line) => Buffer.from(JSON.parse(line).value, 'base64').toString())
  return texts.map((text): string => JSON.parse(text)).toSorted()
}
