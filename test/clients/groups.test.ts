// Groups answer as Kafka's do: every group API in all its versions, in the words of scripts that are said to both brokers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaAbsence } from '../kafka/kafka.ts'
import { differences } from './compare.ts'
import { classicScripts } from './groups/classic-scripts.ts'
import { consumerScripts } from './groups/consumer-scripts.ts'
import { COMMIT, FIND } from './groups/exchanges.ts'
import { listingScripts } from './groups/listing-scripts.ts'
import { offsetScripts } from './groups/offset-scripts.ts'
import { runScript, Talk } from './groups/talk.ts'
import { type KnownDifference, knownDifference, knownDifferences } from './known-differences.ts'
import { type Peer, startKafkaPeer, startOwnPeer } from './peers.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-clients-'))
const report = process.env['CLIENTS_REPORT']
/** ORACLE=1 compares Kafka with itself: a script whose answers differ from run to run says nothing. */
const isOracleOnly = process.env['ORACLE'] === '1'
const scripts = [...classicScripts, ...offsetScripts, ...listingScripts, ...consumerScripts]
const known = new Set<KnownDifference>()
let compared = 0
let peers: readonly Peer[] = []

beforeAll(async () => {
  if (absence !== undefined) return
  const starts = [startKafkaPeer(join(scratch, 'a'))]
  starts.push(isOracleOnly ? startKafkaPeer(join(scratch, 'b')) : startOwnPeer(scratch))
  peers = await Promise.all(starts)
  await Promise.all(peers.map(({ bootstrap }) => warmUp(bootstrap)))
}, 300_000)

afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.stop()))
  rmSync(scratch, { recursive: true, force: true })
})

/** Until the coordinator is there. */
async function warmUp(bootstrap: string): Promise<void> {
  const talk = new Talk(bootstrap)
  const find = () => talk.askQuietly(FIND, 3, { key: 'warm-up', keyType: 0 })
  await talk.until('', find, ({ errorCode }) => errorCode === 0)
  await talk.topic('warm-up', 1)
  const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }]
  const topics = [{ name: 'warm-up', partitions }]
  const commit = () => talk.askQuietly(COMMIT, 6, { groupId: 'warm-up', memberId: '', topics })
  await talk.until('', commit, (answer) => answer.topics[0]?.partitions[0]?.errorCode === 0)
  talk.close()
}

test.skipIf(absence !== undefined).each(scripts)(
  `Groups, by raw requests: $name${suffix}`,
  async (script) => {
    const [kafka, ours] = await Promise.all(
      peers.map(({ bootstrap }) => runScript(script, bootstrap)),
    )
    const found = differences(kafka, ours).filter((difference) => {
      const row = knownDifference('raw', script.name, difference)
      if (row !== undefined) known.add(row)
      return row === undefined
    })
    compared += 1
    if (report !== undefined)
      for (const [who, said] of [
        ['kafka', kafka],
        ['ours', ours],
        ['differences', found],
      ] as const) {
        const file = join(report, `${script.name.replaceAll(' ', '-')}.${who}.json`)
        writeFileSync(file, JSON.stringify(said, undefined, 1))
      }
    expect(found).toEqual([])
  },
  300_000,
)

test.skipIf(absence !== undefined)('Each known difference in raw requests is still one', () => {
  const rows = knownDifferences.filter(({ client }) => client.source === '^raw$')
  const stale = rows.filter((row) => !known.has(row))
  if (compared === scripts.length && !isOracleOnly) expect(stale).toEqual([])
})
