// Moving in and out, the quick form: from us to Kafka after a clean stop, and back after a kill. `move.long.test.ts` is whole.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { kafkaAbsence } from './kafka.ts'
import { Moving } from './moving.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-move-'))
let moving: Moving | undefined
afterAll(async () => {
  await moving?.close()
  rmSync(scratch, { recursive: true, force: true })
})

test.skipIf(absence !== undefined)(
  `A data directory goes from us to Kafka and back, and nobody notices${suffix}`,
  async () => {
    moving = await Moving.begin(join(scratch, 'data'))
    await moving.start('us')
    await moving.tell('create')
    await moving.tell('fill')
    await moving.tell('go-on 50')
    await moving.move('stopped', 'kafka')
    await moving.tell('transact')
    await moving.move('killed', 'us')
    expect(await moving.recovery()).toMatchObject({ had_clean_shutdown: false })
    await moving.end('stopped')
  },
  300_000,
)
