// A group of twelve, of four clients, works while members come and go and the broker is killed: no record and no position is lost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { mortalMillrace } from '../history/brokers.ts'
import { killAndRoll, membersOf, producersOf } from '../history/disturbances.ts'
import { runGroup } from '../history/group-run.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-group-history-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('Broker loses nothing of a group of twelve when it is killed, again while members are restarted one by one', async () => {
  const { verdict, diary } = await runGroup({
    broker: await mortalMillrace(scratch),
    folder: scratch,
    protocol: 'classic',
    members: membersOf('classic'),
    producers: producersOf(),
    disturb: killAndRoll,
  })
  expect(verdict.anomalies, diary).toEqual([])
  // A history in which little happened would prove little.
  expect(verdict.seen.acknowledged, diary).toBeGreaterThan(1000)
  expect(verdict.seen.redelivered, diary).toBeGreaterThan(0)
  expect(verdict.seen.committed, diary).toBeGreaterThan(50)
  expect(verdict.seen.positions, diary).toBeGreaterThan(200)
  expect(verdict.seen.assigned, diary).toBeGreaterThan(40)
}, 300_000)
