// A group of members over HTTP and of kafkajs works while members come and go and the broker is killed: nothing is lost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { mortalMillrace } from '../history/brokers.ts'
import { killAndRoll, producersOf } from '../history/disturbances.ts'
import { runGroup } from '../history/group-run.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-http-history-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('Broker loses nothing of a group over HTTP and Kafka’s protocol when it is killed while members are restarted', async () => {
  const { verdict, diary } = await runGroup({
    broker: await mortalMillrace(scratch),
    folder: scratch,
    protocol: 'classic',
    members: [
      ['http', { members: ['http-1', 'http-2', 'http-3'] }],
      ['kafkajs', { members: ['kafkajs-1', 'kafkajs-2'] }],
      ['http', { members: ['http-4'] }],
    ],
    producers: producersOf(),
    disturb: killAndRoll,
  })
  expect(verdict.anomalies, diary).toEqual([])
  expect(verdict.seen.acknowledged, diary).toBeGreaterThan(500)
  expect(verdict.seen.committed, diary).toBeGreaterThan(50)
  expect(verdict.seen.assigned, diary).toBeGreaterThan(20)
}, 300_000)
