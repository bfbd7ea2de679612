// A broker whose disk fails for good: it says so and ends, so that whoever supervises it knows.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  type BrokerProcess,
  runtimeCommand,
  runtimes,
  startBrokerProcess,
} from './broker-process.ts'
import { LossyDisk } from './lossy-disk.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-failure-'))
const running = new Set<BrokerProcess>()
const disks: LossyDisk[] = []
afterAll(async () => {
  for (const broker of running) await broker.kill()
  for (const disk of disks) disk.unmount()
  rmSync(scratch, { recursive: true, force: true })
})

const noDisk = LossyDisk.absence(scratch)

for (const runtime of runtimes) {
  const absence = runtimeCommand(runtime) === undefined ? `no ${runtime} here` : noDisk
  const suffix = absence === undefined ? '' : ` (skipped: ${absence})`

  test.skipIf(absence)(
    `Broker on ${runtime} ends with exit code 1 and a reason when its metadata directory fails${suffix}`,
    async () => {
      const disk = new LossyDisk(join(scratch, runtime))
      disks.push(disk)
      const broker = await startBrokerProcess({ runtime, data: join(disk.folder, 'data') })
      running.add(broker)
      await broker.produce('orders', ['kept'])
      disk.losePower()
      await expect(broker.produce('orders', ['lost'])).rejects.toThrow()
      expect(await broker.ended()).toBe(1)
      running.delete(broker)
      expect(broker.output).toMatch(/^error: The broker can't go on: .*(EIO|EROFS|os error)/m)
      expect(broker.output).not.toMatch(/Stopped cleanly|^ {4}at /m)
    },
    300_000,
  )
}
