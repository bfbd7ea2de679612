// Real Kafka clients go through the same scenarios against real Kafka and against us, and must see the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaAbsence } from '../kafka/kafka.ts'
import { clients } from './clients.ts'
import { type Comparison, compareClient } from './comparison.ts'
import { type Peer, startKafkaPeer, startOwnPeer } from './peers.ts'

const absence = kafkaAbsence()
const scratch = mkdtempSync(join(tmpdir(), 'millrace-clients-'))
const peers: Peer[] = []

beforeAll(async () => {
  if (absence !== undefined) return
  const starts = await Promise.allSettled([startKafkaPeer(scratch), startOwnPeer(scratch)])
  for (const start of starts) {
    if (start.status === 'fulfilled') peers.push(start.value)
  }
  for (const start of starts) if (start.status === 'rejected') throw start.reason
}, 120_000)

afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.stop()))
  rmSync(scratch, { recursive: true, force: true })
})

for (const client of clients) {
  const missing = absence ?? client.absence()
  const suffix = missing === undefined ? '' : ` (skipped: ${missing})`
  test.skipIf(missing !== undefined)(
    `${client.title} sees the same broker in Kafka and in Millrace${suffix}`,
    async () => {
      const [kafka, millrace] = peers
      if (kafka === undefined || millrace === undefined) throw new Error('No brokers')
      const comparison = await compareClient(client, kafka, millrace)
      const report = process.env['CLIENTS_REPORT']
      if (report !== undefined) writeFileSync(join(report, `${client.name}.txt`), lines(comparison))
      expect(comparison.scenarios.length).toBeGreaterThan(5)
      expect(comparison.unexpected, lines(comparison)).toEqual([])
    },
    120_000,
  )
}

const lines = ({ unexpected }: Comparison): string =>
  unexpected
    .map(({ scenario, path, kafka, millrace }) => {
      const show = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 400)
      return `${scenario}: ${path}\n  kafka    ${show(kafka)}\n  millrace ${show(millrace)}\n`
    })
    .join('')
