// Every admin request is answered as Kafka answers it, field by field; error messages, ids and clocks aside.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ZERO_UUID } from '../../storage/base/uuid.ts'
import { kafkaAbsence } from '../kafka/kafka.ts'
import { adminQuestions } from './admin-questions.ts'
import { type Peer, startKafkaPeer, startOwnPeer } from './peers.ts'
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

async function answersOf(peer: Peer): Promise<unknown[]> {
  const client = await RawClient.connect(peer.bootstrap)
  const answers: unknown[] = []
  try {
    for (const question of adminQuestions) answers.push(comparable(await question.ask(client)))
  } finally {
    client.close()
  }
  return answers
}

test.skipIf(absence !== undefined)(
  `Admin requests are answered as Kafka answers them${suffix}`,
  async () => {
    const peers = await Promise.all([startKafkaPeer(scratch), startOwnPeer(scratch)])
    try {
      const [kafka = [], millrace = []] = await Promise.all(peers.map(answersOf))
      for (const [at, { name }] of adminQuestions.entries()) {
        expect.soft(millrace[at], `${at}: ${name}`).toEqual(kafka[at])
      }
      expect(kafka).toHaveLength(adminQuestions.length)
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()))
    }
  },
  120_000,
)
