// Declares the tests of a list of clients: two brokers for all of them, one test each.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaAbsence } from '../kafka/kafka.ts'
import type { Client } from './client.ts'
import { type Comparison, compareClient } from './comparison.ts'
import { isUpdate, keepClient, missingFromPage, toUpdate } from './compatibility.ts'
import { type KnownDifference, knownDifferences } from './known-differences.ts'
import { type Peer, startKafkaPeer, startOwnPeer } from './peers.ts'

/** Why nothing can be compared here; undefined when it can. */
export const absence = kafkaAbsence()

/** What is put behind the name of a test that is left out. */
export const skipped = (reason: string | undefined): string =>
  reason === undefined ? '' : ` (skipped: ${reason})`

/** The two brokers; use it within tests. */
export type Peers = () => { readonly kafka: Peer; readonly millrace: Peer }

/** Declares that each client must see the same broker in Kafka and in Millrace. CLIENTS_REPORT=DIR writes what differs. */
export function testClients(clients: readonly Client[]): Peers {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-clients-'))
  const running: Peer[] = []
  beforeAll(async () => {
    if (absence !== undefined) return
    const starts = await Promise.allSettled([startKafkaPeer(scratch), startOwnPeer(scratch)])
    for (const start of starts) if (start.status === 'fulfilled') running.push(start.value)
    for (const start of starts) if (start.status === 'rejected') throw start.reason
  }, 300_000)
  afterAll(async () => {
    await Promise.all(running.map((peer) => peer.stop()))
    rmSync(scratch, { recursive: true, force: true })
  })
  const peers = () => {
    const [kafka, millrace] = running
    if (kafka === undefined || millrace === undefined) throw new Error('No brokers')
    return { kafka, millrace }
  }
  const known = new Set<KnownDifference>()
  let compared = 0
  for (const client of clients) {
    const missing = absence ?? client.absence()
    const name = `${client.title} sees the same broker in Kafka and in Millrace${skipped(missing)}`
    const run = async () => {
      for (const one of (await testClient(client, peers())).known) known.add(one)
      compared += 1
    }
    test.skipIf(missing !== undefined)(name, run, 300_000)
  }
  test.skipIf(absence !== undefined)(
    'Each known difference is still one, where its client was seen',
    () => {
      // A row for all clients is judged by none of the lists alone.
      const seen = ({ client }: KnownDifference) =>
        client.source !== '^' && clients.some(({ name }) => client.test(name))
      const stale = knownDifferences.filter((one) => seen(one) && !known.has(one))
      if (compared === clients.length) expect(stale.map(({ reason }) => reason)).toEqual([])
    },
  )
  return peers
}

async function testClient(
  client: Client,
  { kafka, millrace }: ReturnType<Peers>,
): Promise<Comparison> {
  const comparison = await compareClient(client, kafka, millrace)
  const report = process.env['CLIENTS_REPORT']
  if (report !== undefined) writeFileSync(join(report, `${client.name}.txt`), lines(comparison))
  expect(comparison.scenarios.length).toBeGreaterThan(5)
  expect(comparison.broken).toEqual([])
  expect(comparison.unexpected, lines(comparison)).toEqual([])
  if (isUpdate) keepClient(client.name, client.title, comparison)
  expect(missingFromPage(client.name, comparison.versions), toUpdate).toEqual([])
  return comparison
}

const lines = ({ unexpected }: Comparison): string =>
  unexpected
    .map(({ scenario, path, kafka, millrace }) => {
      const show = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 400)
      return `${scenario}: ${path}\n  kafka    ${show(kafka)}\n  millrace ${show(millrace)}\n`
    })
    .join('')
