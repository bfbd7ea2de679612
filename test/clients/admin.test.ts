// Every admin request is answered as Kafka answers it, field by field; error messages, ids and clocks aside.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ZERO_UUID } from '../../storage/base/uuid.ts'
import { kafkaAbsence } from '../kafka/kafka.ts'
import { adminQuestions, type Question } from './admin-questions.ts'
import { startKafkaPeer, startOwnPeer } from './peers.ts'
import { RawClient } from './raw-client.ts'

const absence = kafkaAbsence()
const scratch = mkdtempSync(join(tmpdir(), 'millrace-clients-'))
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Fields that differ from one broker to the next, and what is left of them. */
const settled: Readonly<Record<string, (value: unknown) => unknown>> = {
  errorMessage: () => 'a sentence, or none',
  documentation: () => 'a sentence, or none',
  topicId: (id) => id === ZERO_UUID,
  replicaDirectoryId: (id) => id === ZERO_UUID,
  clusterId: (id) => typeof id === 'string' && id !== '',
  host: () => 'a host',
  port: (port) => port !== 0,
  logDir: () => 'a directory',
  leaderEpoch: (epoch) => Number(epoch) >= 0,
  highWatermark: (offset) => Number(offset) > 0,
  logEndOffset: (offset) => Number(offset) > 0,
  lastFetchTimestamp: (time) => Number(time) > 0,
  lastCaughtUpTimestamp: (time) => Number(time) > 0,
  totalBytes: (bytes) => Number(bytes) > 0,
  usableBytes: (bytes) => Number(bytes) > 0,
}

/** What must be the same: settled fields, and lists without their order. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(comparable)
    return items.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      const settle = settled[name]
      return [name, settle ? settle(field) : comparable(field)]
    }),
  )
}

const TRIES = 200

/** Kafka's answer to a question of which ours is known. What Kafka has made it may not show at once: so it is asked again. */
async function kafkaAnswer(client: RawClient, { ask, name }: Question, ours: unknown) {
  const expected = JSON.stringify(ours)
  let answer = comparable(await ask(client))
  const isRepeatable = /^(Metadata|Describe|List)/.test(name)
  for (let tries = 0; isRepeatable && tries < TRIES; tries++) {
    if (JSON.stringify(answer) === expected) return answer
    answer = comparable(await ask(client))
  }
  return answer
}

test.skipIf(absence !== undefined)(
  `Admin requests are answered as Kafka answers them${suffix}`,
  async () => {
    const peers = await Promise.all([startKafkaPeer(scratch), startOwnPeer(scratch)])
    const [kafka, millrace] = await Promise.all([
      RawClient.connect(peers[0].bootstrap),
      RawClient.connect(peers[1].bootstrap),
    ])
    try {
      for (const question of adminQuestions) {
        const ours = comparable(await question.ask(millrace))
        expect.soft(ours, question.name).toEqual(await kafkaAnswer(kafka, question, ours))
      }
    } finally {
      kafka.close()
      millrace.close()
      await Promise.all(peers.map((peer) => peer.stop()))
    }
  },
  300_000,
)
