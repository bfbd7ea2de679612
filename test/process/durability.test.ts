// What kill -9 cannot show: that acks=all waits for the disk. A trace of system calls, and a real loss of power.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  type BrokerProcess,
  type RuntimeName,
  runtimeCommand,
  runtimes,
  startBrokerProcess,
} from './broker-process.ts'
import { type Attempt, contradictions } from './history.ts'
import { LossyDisk } from './lossy-disk.ts'
import { parseTrace, pathOf, type SystemCall } from './system-calls.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-durability-'))
const running = new Set<BrokerProcess>()
const disks: LossyDisk[] = []
afterAll(async () => {
  for (const broker of running) await broker.kill()
  for (const disk of disks) disk.unmount()
  rmSync(scratch, { recursive: true, force: true })
})

const succeeds = (command: string, ...argv: string[]) => spawnSync(command, argv).status === 0
const noTrace = succeeds('strace', '-o', '/dev/null', 'true') ? undefined : 'strace does not work'
const noPowerLoss = LossyDisk.absence(scratch)
const traced = 'pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,sendto,sendmsg'

for (const runtime of runtimes) {
  const noRuntime = runtimeCommand(runtime) === undefined ? `no ${runtime} here` : undefined
  const suffix = (why: string | undefined) => (why === undefined ? '' : ` (skipped: ${why})`)

  test.skipIf(noRuntime ?? noTrace)(
    `Broker on ${runtime} answers acks=all after fdatasync of what it wrote${suffix(noRuntime ?? noTrace)}`,
    async () => {
      const trace = join(scratch, `${runtime}.trace`)
      const wrapper = ['strace', '-f', '-y', '-s', '4096', '-o', trace, '-e', `trace=${traced}`]
      const data = join(scratch, `${runtime}-traced`)
      const broker = await startBrokerProcess({ runtime, data, wrapper })
      running.add(broker)
      await broker.produce('traced', ['first, makes the topic'])
      await broker.produce('traced', ['the marked value'])
      await broker.kill()
      running.delete(broker)
      const calls = parseTrace(readFileSync(trace, 'utf8'))
      const { written, synced, answered } = theirOrder(calls)
      expect(pathOf(written)).toMatch(/traced-\d+\/\d{20}\.log$/)
      expect(synced, 'an fdatasync of the same file after the write').toBeDefined()
      expect(synced?.began).toBeGreaterThan(written.ended)
      expect(answered, 'an answer after the fdatasync').toBeDefined()
      const early = calls.filter(
        (call) => isAnswer(call) && call.began > written.began && call.began < (synced?.ended ?? 0),
      )
      expect(early).toEqual([])
    },
    300_000,
  )

  test.skipIf(noRuntime ?? noPowerLoss)(
    `Broker on ${runtime} keeps what it acknowledged through a loss of power${suffix(noRuntime ?? noPowerLoss)}`,
    async () => {
      const disk = new LossyDisk(join(scratch, `${runtime}-disk`))
      disks.push(disk)
      const broker = await startOn(disk, runtime)
      const attempts = await writeUntilLost(broker, disk)
      await broker.kill()
      running.delete(broker)
      expect(disk.restorePower(), 'the disk lost what was not synced').toBe(true)

      const again = await startOn(disk, runtime)
      const records = await again.readAll('power', 0)
      expect(contradictions(attempts, new Map([[0, records]]))).toEqual([])
      expect(attempts.filter(({ acknowledged }) => acknowledged).length).toBeGreaterThan(20)
      await again.kill()
      running.delete(again)
    },
    300_000,
  )
}

test.skipIf(noPowerLoss)(
  'Broker with millrace.acks.all.fsync=false loses what it acknowledged: the judge above can say no',
  async () => {
    const disk = new LossyDisk(join(scratch, 'unsynced-disk'))
    disks.push(disk)
    const broker = await startOn(disk, 'bun', { 'millrace.acks.all.fsync': 'false' })
    const attempts = await writeUntilLost(broker, disk)
    await broker.kill()
    running.delete(broker)
    disk.restorePower()
    const again = await startOn(disk, 'bun')
    const records = await again.readAll('power', 0)
    expect(contradictions(attempts, new Map([[0, records]])).length).toBeGreaterThan(0)
  },
  300_000,
)

async function startOn(
  disk: LossyDisk,
  runtime: RuntimeName,
  settings: Readonly<Record<string, string>> = {},
): Promise<BrokerProcess> {
  const broker = await startBrokerProcess({ runtime, data: join(disk.folder, 'data'), settings })
  running.add(broker)
  return broker
}

/** Four clients write with acks=all while the power goes. Answers that came before count as acknowledged. */
async function writeUntilLost(broker: BrokerProcess, disk: LossyDisk): Promise<Attempt[]> {
  const attempts: Attempt[] = []
  const enough = Promise.withResolvers<void>()
  let count = 0
  const write = async (writer: string) => {
    for (let number = 0; ; number++) {
      const attempt: Attempt = { writer, value: `${writer} ${number} ${'x'.repeat(500)}` }
      attempts.push(attempt)
      try {
        const [place] = await broker.produce('power', [attempt.value])
        if (place && !disk.isLost) attempt.acknowledged = place
      } catch {
        return
      }
      if (++count === 100) enough.resolve()
      if (disk.isLost) return
    }
  }
  const writers = Promise.all(['a', 'b', 'c', 'd'].map(write))
  await Promise.race([enough.promise, writers])
  disk.losePower()
  await writers
  return attempts
}

/** The write of the marked value into a log, the first fdatasync of that file behind it, and the first answer behind that. */
function theirOrder(calls: readonly SystemCall[]) {
  const written = calls.find(
    (call) =>
      /^p?write/.test(call.name) &&
      pathOf(call).endsWith('.log') &&
      call.text.includes('the marked value'),
  )
  if (written === undefined) throw new Error('The marked value was not written to a log')
  const synced = calls.find(
    (call) =>
      /^f(data)?sync$/.test(call.name) &&
      call.succeeded &&
      pathOf(call) === pathOf(written) &&
      call.began > written.ended,
  )
  const answered = calls.find((call) => isAnswer(call) && call.began > (synced?.ended ?? Infinity))
  return { written, synced, answered }
}

const isAnswer = (call: SystemCall) =>
  /socket:|TCP/.test(pathOf(call)) && call.text.includes('HTTP/1.1 200')
