// A disk that is full, fails or may not be written to, under a real broker: refusals, a directory offline, nothing lost.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { BrokerProcess } from './broker-process.ts'
import { STORAGE_ERROR } from './fault-client.ts'
import { FaultyBroker, type Injection } from './faults.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-faults-'))
const running = new Set<BrokerProcess>()
const mounted: string[] = []
afterAll(async () => {
  for (const broker of running) await broker.kill()
  for (const path of mounted) spawnSync('umount', [path])
  rmSync(scratch, { recursive: true, force: true })
})

const succeeds = (command: string, ...argv: string[]) => spawnSync(command, argv).status === 0
const noTrace = succeeds('strace', '-o', '/dev/null', 'true') ? undefined : 'strace does not work'
const noRoot = process.getuid?.() === 0 ? undefined : 'not root'
const suffix = (why: string | undefined) => (why === undefined ? '' : ` (skipped: ${why})`)

let count = 0
async function createBroker(bad?: string): Promise<FaultyBroker> {
  const name = join(scratch, `run-${count++}`)
  const broker = new FaultyBroker(join(name, 'good'), bad ?? join(name, 'bad'), running)
  await broker.create()
  return broker
}

const WRITES = 'pwrite64,pwritev,pwritev2,write,writev'

test.skipIf(noTrace).each([
  { calls: WRITES, when: '1..2' },
  { calls: WRITES, when: '4..6' },
])(
  `A broker refuses what does not fit the disk ($calls, $when: ENOSPC), and goes on by itself${suffix(noTrace)}`,
  async (where) => {
    const broker = await createBroker()
    await broker.kill()
    await broker.start({ ...where, error: 'ENOSPC' })
    const codes = await broker.produceRounds('full', 12)
    expect(codes).toContain(STORAGE_ERROR)
    expect(codes.filter((code) => code !== 0 && code !== STORAGE_ERROR)).toEqual([])
    expect(codes.slice(-3)).toEqual([0, 0, 0])
    expect(broker.output).not.toContain('offline')
    await broker.expectAlive()
    await broker.expectAll()
    await broker.expectRestart()
  },
  120_000,
)

const faults: readonly Injection[] = [
  { calls: WRITES, error: 'EIO', when: '1' },
  { calls: WRITES, error: 'EIO', when: '5' },
  { calls: WRITES, error: 'EROFS', when: '3+' },
  { calls: 'fdatasync,fsync', error: 'EIO', when: '1' },
  { calls: 'fdatasync,fsync', error: 'EIO', when: '3' },
]

test.skipIf(noTrace).each(faults)(
  `A broker takes a directory offline when its disk fails ($calls, $when: $error), and serves the others${suffix(noTrace)}`,
  async (fault) => {
    const broker = await createBroker()
    await broker.kill()
    await broker.start(fault)
    const codes = await broker.produceRounds('failing', 15)
    const first = codes.indexOf(STORAGE_ERROR)
    expect(codes).toEqual(codes.map((_, round) => (round < first ? 0 : STORAGE_ERROR)))
    expect(first).toBeGreaterThanOrEqual(0)
    await broker.expectOffline()
    await broker.expectRestart()
  },
  120_000,
)

test.skipIf(noRoot)(
  `A broker on a disk that is really full refuses, serves what it has, and goes on when there is space${suffix(noRoot)}`,
  async () => {
    const disk = join(scratch, 'small')
    mkdirSync(disk)
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status).toBe(0)
    mounted.push(disk)
    const broker = await createBroker(join(disk, 'data'))
    writeFileSync(join(disk, 'filler'), new Uint8Array(5_000_000))
    const codes = await broker.produceRounds('filling', 40, 100_000)
    expect(codes[0]).toBe(0)
    expect(codes.at(-1)).toBe(STORAGE_ERROR)
    expect(broker.output).not.toContain('offline')
    await broker.expectAll()
    rmSync(join(disk, 'filler'))
    expect(await broker.produceRounds('emptied', 5, 100_000)).toEqual([0, 0, 0, 0, 0])
    await broker.expectAll()
    await broker.expectRestart()
  },
  120_000,
)

/** Where a batch lies in a segment that has one record a batch: its offset, and the middle of it. */
function middleOf(path: string, number: number): { offset: number; position: number } {
  const bytes = readFileSync(path)
  let at = 0
  for (let left = number; left > 0; left--) at += 12 + bytes.readInt32BE(at + 8)
  const offset = Number(bytes.readBigInt64BE(at))
  return { offset, position: at + Math.floor(bytes.readInt32BE(at + 8) / 2) }
}

test('A broker lives when a file is cut short under its map, and takes the directory offline', async () => {
  const broker = await createBroker()
  await broker.produceRounds('mapped', 30, 100_000)
  // Now the sealed segments are mapped.
  await broker.expectAll()
  const { offset, position } = middleOf(broker.segment, 5)
  truncateSync(broker.segment, position)
  expect(await broker.read(broker.bad, offset)).toBe(STORAGE_ERROR)
  await broker.expectSaid(`of the map of '${broker.segment}'`)
  await broker.expectOffline()
  await broker.kill()
}, 120_000)

const noBadBlocks =
  noRoot ?? (succeeds('filefrag', '-V') ? undefined : 'no filefrag to find a block with')

test.skipIf(noBadBlocks)(
  `A broker lives when a block under a map can not be read, and takes the directory offline${suffix(noBadBlocks)}`,
  async () => {
    const disk = join(scratch, 'medium')
    const image = `${disk}.img`
    const mount = () => {
      expect(succeeds('mount', '-o', 'loop', image, disk)).toBe(true)
      // Nothing read ahead: else the batch's header, which is read first, may fail with what lies behind it.
      const still = `blockdev --setra 0 "$(findmnt -no SOURCE '${disk}')"`
      expect(succeeds('sh', '-c', still)).toBe(true)
    }
    mkdirSync(disk)
    expect(succeeds('truncate', '-s', '64M', image)).toBe(true)
    expect(succeeds('mkfs.ext4', '-qF', '-O', '^has_journal', image)).toBe(true)
    mount()
    mounted.push(disk)
    const broker = await createBroker(join(disk, 'data'))
    await broker.produceRounds('mapped', 30, 100_000)
    await broker.stop()
    const { offset, position } = middleOf(broker.segment, 5)
    const block = blockOf(broker.segment, position)
    // So that nothing of it is in memory.
    expect(succeeds('umount', disk)).toBe(true)
    mount()
    // But its indexes, which may lie behind that block.
    for (const kind of ['index', 'timeindex']) readFileSync(broker.segment.replace(/log$/, kind))
    await broker.start()
    truncateSync(image, block * BLOCK_BYTES)
    expect(await broker.read(broker.bad, offset)).toBe(STORAGE_ERROR)
    await broker.expectSaid(`of the map of '${broker.segment}'`)
    await broker.expectOffline()
    await broker.kill()
  },
  120_000,
)

const BLOCK_BYTES = 4096

/** The block of the disk that holds a byte of a file. */
function blockOf(path: string, position: number): number {
  const { stdout } = spawnSync('filefrag', ['-v', `-b${BLOCK_BYTES}`, path], { encoding: 'utf8' })
  const wanted = Math.floor(position / BLOCK_BYTES)
  const extents = stdout.matchAll(/^ *\d+: +(\d+)\.\. +(\d+): +(\d+)\.\./gm)
  for (const [, first, last, block] of extents) {
    if (Number(first) <= wanted && wanted <= Number(last)) {
      return Number(block) + wanted - Number(first)
    }
  }
  throw new Error(`filefrag does not know where ${position} of ${path} lies: ${stdout}`)
}
