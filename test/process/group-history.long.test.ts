// Groups of twelve, disturbed in every way, on a real Kafka and on ours: what is clean there must be clean here.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { mortalKafka, mortalMillrace } from '../history/brokers.ts'
import * as disturbances from '../history/disturbances.ts'
import { type GroupRunOptions, runGroup } from '../history/group-run.ts'
import { kafkaAbsence } from '../kafka/kafka.ts'
import { runtimeCommand } from './broker-process.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-group-histories-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const absence = kafkaAbsence()
const skipped = absence === undefined ? '' : ` (skipped: ${absence})`

const brokers = [
  { name: 'Kafka', start: (folder: string) => mortalKafka(folder) },
  ...(['bun', 'deno', 'node'] as const)
    .filter((runtime) => runtimeCommand(runtime) !== undefined)
    .map((runtime) => ({
      name: `Millrace on ${runtime}`,
      start: (folder: string) => mortalMillrace(folder, runtime),
    })),
]

const { membersOf, killAndRoll, killBrokerOften, killMembers, pauseMembers } = disturbances
const runs: readonly (Pick<GroupRunOptions, 'members' | 'protocol' | 'disturb'> & {
  readonly what: string
})[] = [
  ...(['classic', 'consumer'] as const).flatMap((protocol) => {
    const members = membersOf(protocol)
    return [
      { what: 'the broker is killed', protocol, members, disturb: killAndRoll },
      { what: 'the broker is killed often', protocol, members, disturb: killBrokerOften },
      { what: 'members are killed', protocol, members, disturb: killMembers },
      { what: 'members stand still', protocol, members, disturb: pauseMembers },
    ]
  }),
  {
    what: 'members change to the other protocol and back',
    protocol: 'classic',
    members: membersOf('consumer'),
    disturb: disturbances.upgradeAndDowngrade,
  },
]

let count = 0
for (const broker of brokers)
  for (const { what, ...run } of runs)
    test.skipIf(absence !== undefined)(
      `${broker.name} loses nothing of a ${run.protocol} group when ${what}${skipped}`,
      async () => {
        const folder = join(scratch, String(count++))
        mkdirSync(folder)
        const { verdict, diary } = await runGroup({
          ...run,
          broker: await broker.start(folder),
          folder,
          producers: disturbances.producersOf(),
        })
        expect(verdict.anomalies, diary).toEqual([])
        expect(verdict.seen.acknowledged, diary).toBeGreaterThan(500)
        expect(verdict.seen.committed, diary).toBeGreaterThan(30)
        expect(verdict.seen.positions, diary).toBeGreaterThan(100)
      },
      300_000,
    )
