// Moving in and out, whole: twice round, stopped cleanly and killed, through compaction and recovery.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { dumpLogSegments, kafkaAbsence } from './kafka.ts'
import { type Ending, Moving, tearLastWrite } from './moving.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-move-'))
const all = new Set<Moving>()
afterAll(async () => {
  for (const moving of all) await moving.close()
  rmSync(scratch, { recursive: true, force: true })
})

async function begin(name: string): Promise<Moving> {
  const moving = await Moving.begin(join(scratch, name))
  all.add(moving)
  return moving
}

const endings: Ending[] = ['stopped', 'killed']

test.skipIf(absence !== undefined).each(endings)(
  `A data directory goes from Kafka to us and back, twice, and nobody notices: each time %s${suffix}`,
  async (how) => {
    const moving = await begin(`by-kafka-${how}`)
    await moving.start('kafka')
    await moving.tell('create')
    await moving.tell('fill')
    await moving.tell('transact')
    await moving.tell('go-on 50')
    for (let round = 0; round < 2; round++) {
      await moving.move(how, 'us')
      expect((await moving.recovery()).had_clean_shutdown).toBe(how === 'stopped')
      await moving.tell('fill')
      await moving.move(how, 'kafka')
      await moving.tell('fill')
      await moving.tell('transact')
    }
    await moving.move('stopped', 'us')
    await moving.end('stopped')
    expect((await dumpLogSegments(moving.data)).problems).toEqual([])
  },
  600_000,
)

test.skipIf(absence !== undefined)(
  `Kafka accepts every file of ours after compaction and after a recovery that cut something${suffix}`,
  async () => {
    const moving = await begin('compacted')
    await moving.start('us')
    await moving.tell('create')
    for (let round = 0; round < 3; round++) await moving.tell('fill')
    await moving.tell('go-on 50')
    await cleaned(moving)
    const before = await moving.state()
    await moving.end('stopped')
    const report = await dumpLogSegments(moving.data)
    expect(report.problems).toEqual([])

    await moving.start('us')
    await moving.tell('go-on 20')
    await moving.end('killed')
    for (const partition of ['going-on-0', 'codec-zstd-0', 'compacted-0']) {
      tearLastWrite(moving.data, partition)
    }
    await moving.start('us')
    const { findings } = await moving.recovery()
    expect(findings.filter(({ cut_bytes }) => cut_bytes > 0).length).toBe(3)
    await moving.tell('go-on 20')
    await moving.end('stopped')
    expect((await dumpLogSegments(moving.data)).problems).toEqual([])
    await moving.start('kafka')
    const after = await moving.state()
    const lost = before.filter((line) => line.startsWith('record') && !after.includes(line))
    expect(lost.slice(0, 5)).toEqual([])
    await moving.tell('go-on 20')
    await moving.move('stopped', 'us')
    await moving.end('stopped')
  },
  300_000,
)

/** Resolves when the cleaner has replaced what it can. */
async function cleaned({ data }: Moving): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const names = readdirSync(join(data, 'compacted-0'))
    if (
      !names.includes('00000000000000000010.log') &&
      names.filter((name) => name.endsWith('.log')).length < 8
    )
      return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('Nothing was compacted')
}
