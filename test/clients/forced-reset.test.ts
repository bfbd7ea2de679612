// A consumer of Kafka's protocol that a forced reset puts out of its group comes back, and reads from there.
import kafkajs from 'kafkajs'
import { afterAll, expect, test, vi } from 'vitest'
import { type RunningBroker, startBroker } from '../../mod.ts'

const WAIT = { timeout: 20_000, interval: 20 }
const END = { 't-0': 10, 't-1': 10 }

let broker: RunningBroker | undefined
let consumer: kafkajs.Consumer | undefined
afterAll(async () => {
  await consumer?.disconnect()
  await broker?.stop()
})

async function reset(body: object): Promise<{ status: number; text: string }> {
  const request = new Request('http://localhost/groups/g/reset', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const response = await broker?.fetch(request)
  return { status: response?.status ?? 0, text: (await response?.text()) ?? '' }
}

async function committed(): Promise<Record<string, number | null>> {
  const response = await broker?.fetch(new Request('http://localhost/groups/g'))
  const { offsets } = JSON.parse((await response?.text()) ?? '') as {
    offsets: { topic: string; partition: number; offset: number | null }[]
  }
  return Object.fromEntries(
    offsets.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]),
  )
}

test('A forced reset sends a kafkajs consumer that commits by itself back', async () => {
  const config = { 'group.initial.rebalance.delay.ms': '0', 'num.partitions': '2' }
  broker = await startBroker({ http: false, config })
  const records = Array.from({ length: 20 }, (_, index) => ({ value: 'v', partition: index % 2 }))
  await broker.produce('t', records)
  const brokers = [broker.kafka ?? '']
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  consumer = kafka.consumer({ groupId: 'g', heartbeatInterval: 200, sessionTimeout: 6_000 })
  const seen: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: ['t'], fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 100,
    eachMessage: ({ partition, message }) => {
      seen.push(`${partition}:${message.offset}`)
      return Promise.resolve()
    },
  })
  await vi.waitFor(async () => expect(await committed()).toEqual(END), WAIT)
  expect(seen.length).toBe(20)

  const back = { to: 'offset', offset: 7 }
  const refused = await reset(back)
  expect(refused.status).toBe(409)
  expect(refused.text).toContain('1 active member: kafkajs at 127.0.0.1')
  expect((await reset({ ...back, force: true })).status).toBe(200)

  await vi.waitFor(() => expect(seen.length).toBe(26), WAIT)
  expect(seen.slice(20).sort()).toEqual(['0:7', '0:8', '0:9', '1:7', '1:8', '1:9'])
  await vi.waitFor(async () => expect(await committed()).toEqual(END), WAIT)
}, 300_000)
