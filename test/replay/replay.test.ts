// Recorded conversations of real clients with a real Kafka, said to ours: answers are compared field by field.
import { expect, test } from 'vitest'
import { startBroker } from '../../mod.ts'
import { readConversations, SETTINGS } from './conversations.ts'
import { EXPECTED, isExpected } from './expected-differences.ts'
import { Replayer } from './replayer.ts'

test('Recorded clients get from ours what Kafka gave them', async () => {
  const conversations = readConversations()
  const config = { ...SETTINGS, listeners: 'PLAINTEXT://127.0.0.1:0' }
  const broker = await startBroker({ config })
  const replayer = new Replayer(Number(broker.kafka?.split(':').at(-1)))
  try {
    for (const conversation of conversations) await replayer.replay(conversation)
  } finally {
    await broker.stop()
  }
  const { report } = replayer
  expect(report.compared).toBeGreaterThan(100)
  const unexpected = report.differences.filter((found) => !isExpected(found))
  expect(unexpected).toEqual([])
  // What no longer differs must not stay in the table.
  const unused = EXPECTED.filter((row) => !report.differences.some((found) => row.matches(found)))
  expect(unused.map(({ why }) => why)).toEqual([])
  // What real clients write is what our declarations write.
  expect(report.rewritten).toEqual([])
}, 300_000)
