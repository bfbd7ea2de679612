// What a start says of a damaged directory, at GET /recovery, on the command line and in its log; and what it serves then.
import { expect, test } from 'vitest'
import { recoveryLines } from '#src/partitions/recovery-findings.ts'
import { type RunningBroker, startBroker } from '../../../mod.ts'
import { leftDirectory, ROOT } from '../../simulation/left-engine.ts'
import type { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { run } from '../../src/cli/fixture.ts'
import { rewrite } from '../../storage/log-manager-fixture.ts'

const ORDERS = `${ROOT}/orders-0`
const START = 1_704_067_200_000
const segment = (base: number, kind = 'log') =>
  `${ORDERS}/${String(base).padStart(20, '0')}.${kind}`
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => from + at)
/** Bases of the segments of orders-0, the last one active. 0 to 8 are deleted; 13 ends a transaction. */
const BASES = [0, 8, 15, 22, 29, 36]
const ALL = numbers(9, 42).filter((offset) => offset !== 13)

const sizeOf = (disk: SimulatedDisk, path: string) => disk.status(path)?.size ?? 0
function cut(disk: SimulatedDisk, path: string, size: number): void {
  const file = disk.open(path, 'write')
  file.truncate(size)
  file.close()
}
function appendHalf(disk: SimulatedDisk, path: string): void {
  const file = disk.open(path, 'write')
  const bytes = new Uint8Array(70)
  file.read(bytes, 0)
  file.write(bytes, file.size())
  file.close()
}

interface Row {
  readonly why: string
  readonly damage: (disk: SimulatedDisk) => void
  /** After which end it is tried; both unless told. */
  readonly after?: 'stop' | 'kill'
  readonly notes?: readonly string[]
  readonly messages?: readonly string[]
  readonly topic?: string
  readonly found?: object
  readonly served?: readonly number[]
  /** Why not all is served. */
  readonly refused?: string
}

const asLeft = (name: string) =>
  `${ROOT}: The file ${name} is not what was written at the last stop; it counts as empty`
const misfit = (name: string) =>
  `${ROOT}: The file ${name} does not fit its checksum; it counts as empty`
const indexes = (base: number) =>
  `The indexes of segment ${base} were missing or damaged: made again`
const epochs = (how: string) => `leader-epoch-checkpoint was ${how}: it was made again from the log`
const metadata = (how: string) =>
  `${ROOT}: The file ${ORDERS}/partition.metadata was ${how}; it is made anew`
const keptIn = (offset: number) => `${segment(offset)}.cut-${START}`

const rows: readonly Row[] = [
  { why: 'nothing', damage: () => undefined },
  {
    why: 'a torn last write',
    damage: (disk) => appendHalf(disk, segment(36)),
    messages: [`Cut 70 bytes at offset 42: they are kept in ${keptIn(42)}`],
    found: { scanned_segments: 1, cut_bytes: 70, kept_aside: [keptIn(42)], offsets_at_risk: [] },
  },
  {
    why: 'a flipped bit in the last batch, which is known to be on disk',
    after: 'kill',
    damage: (disk) => disk.flipBit(segment(36), sizeOf(disk, segment(36)) - 3),
    messages: ['Offset 41 is missing or damaged, and not served'],
    found: { cut_bytes: 0, offsets_at_risk: [{ from: 41, to: 42 }] },
    refused: 'Offset 41 is in the damaged range',
  },
  {
    why: 'a flipped bit in a sealed segment, which no start reads',
    damage: (disk) => disk.flipBit(segment(15), 100),
    refused: 'The batch at offset 16 of orders-0 fails its checksum',
  },
  {
    why: 'a segment in the middle that is gone',
    damage: (disk) => disk.remove(segment(22)),
    messages: ['Offsets 22 to 28 are missing or damaged, and not served'],
    found: { offsets_at_risk: [{ from: 22, to: 29 }] },
    refused: 'Offset 22 is in the damaged range',
  },
  {
    why: 'the last segment gone, after a stop that knew of it',
    after: 'stop',
    damage: (disk) => disk.remove(segment(36)),
    messages: ['6 offsets that consumers may have read are gone'],
    served: ALL.filter((offset) => offset < 36),
  },
  {
    why: 'the last segment gone, of which the recovery point knows',
    after: 'kill',
    damage: (disk) => disk.remove(segment(36)),
    messages: ['Offsets 36 to 41 are missing or damaged, and not served'],
    refused: 'Offset 36 is in the damaged range',
  },
  ...['index', 'timeindex', 'txnindex'].map((kind) => ({
    why: `a .${kind} that is gone`,
    damage: (disk: SimulatedDisk) => disk.remove(segment(8, kind)),
    messages: [indexes(8)],
    found: { cut_bytes: 0 },
  })),
  {
    why: 'a short .index',
    damage: (disk) => cut(disk, segment(15, 'index'), 3),
    messages: [indexes(15)],
  },
  {
    why: 'a garbled .txnindex',
    damage: (disk) => disk.flipBit(segment(8, 'txnindex'), 12),
    messages: [indexes(8)],
  },
  {
    why: 'garbled .index and .timeindex of a sealed segment, found when they are used',
    damage: (disk) => {
      disk.flipBit(segment(15, 'index'), 5)
      disk.flipBit(segment(15, 'timeindex'), 5)
    },
  },
  {
    why: 'garbled producer snapshots',
    damage(disk) {
      for (const { name } of disk.list(ORDERS)) {
        if (name.endsWith('.snapshot')) disk.flipBit(`${ORDERS}/${name}`, 8)
      }
    },
    messages: ['A producer snapshot was damaged: what it held was read from the log'],
  },
  {
    why: 'no producer snapshot at the end',
    after: 'stop',
    damage: (disk) => disk.remove(segment(42, 'snapshot')),
    messages: ['No producer snapshot was left: what it held was read from the log'],
  },
  {
    why: 'no leader-epoch-checkpoint',
    damage: (disk) => disk.remove(`${ORDERS}/leader-epoch-checkpoint`),
    messages: [epochs('missing')],
  },
  {
    why: 'a garbled leader-epoch-checkpoint',
    damage: (disk) => rewrite(disk, `${ORDERS}/leader-epoch-checkpoint`, '0\n3\nx'),
    messages: [epochs('damaged')],
  },
  {
    why: 'no partition.metadata',
    damage: (disk) => disk.remove(`${ORDERS}/partition.metadata`),
    notes: [metadata('missing')],
  },
  {
    why: 'a garbled partition.metadata',
    damage: (disk) => rewrite(disk, `${ORDERS}/partition.metadata`, 'version: 0'),
    notes: [metadata('damaged')],
  },
  {
    why: 'a garbled millrace.sums',
    damage: (disk) => disk.flipBit(`${ORDERS}/millrace.sums`, 40),
    messages: ['millrace.sums was damaged: files without a checksum of their own were believed'],
  },
  ...['recovery-point', 'replication', 'cleaner', 'log-start'].flatMap((kind): Row[] => {
    const name = `${kind}-offset-checkpoint`
    // The digit of an offset.
    const damage = (disk: SimulatedDisk) => {
      const text = new TextDecoder().decode(disk.readFile(`${ROOT}/${name}`))
      disk.flipBit(`${ROOT}/${name}`, text.indexOf('\n', 5) - 1)
    }
    const served = kind === 'log-start' ? [...numbers(0, 9), ...ALL] : ALL
    const row = { damage, served }
    return [
      { ...row, why: `a flipped digit in ${name}`, after: 'stop', notes: [asLeft(name)] },
      { ...row, why: `a flipped digit in ${name}`, after: 'kill', notes: [misfit(name)] },
    ]
  }),
  {
    why: "a log start of a Kafka's that is beyond the end",
    after: 'kill',
    damage: (disk) => rewrite(disk, `${ROOT}/log-start-offset-checkpoint`, '0\n1\norders 0 4000\n'),
    messages: [
      ...BASES.map(() => expect.stringMatching(/^Cut \d+ bytes at offset .* intact batches among/)),
      "The log start offset 4000 of the checkpoint is beyond the log's end 42: the log is empty now",
    ],
    found: { kept_aside: BASES.map(keptIn) },
    served: [],
  },
  {
    why: 'a partition of no topic',
    damage: (disk) => disk.makeDirectory(`${ROOT}/other-0`),
    notes: [
      expect.stringMatching(/^\/a: other-0\.\w{32}-stray belongs to no topic and was set aside$/),
    ],
  },
  {
    why: 'a strange directory',
    damage: (disk) => disk.makeDirectory(`${ROOT}/photos`),
    notes: [`${ROOT}: photos is no partition; Kafka would not start on it`],
  },
  {
    why: 'files and directories of somebody else, and what a deletion left',
    damage(disk) {
      disk.makeDirectory(`${ROOT}/lost+found`)
      disk.makeDirectory(`${ORDERS}/photos`)
      disk.makeDirectory(`${ROOT}/gone-0.0123456789abcdef0123456789abcdef-delete`)
      for (const name of ['README', '1.log', '00000000000000000000.log.deleted']) {
        rewrite(disk, `${ORDERS}/${name}`, 'x')
      }
      rewrite(disk, `${ROOT}/README`, 'x')
    },
  },
  {
    why: 'a compaction that had just begun',
    damage: (disk) => rewrite(disk, `${ROOT}/keys-0/00000000000000000000.log.cleaned`, 'x'),
    topic: 'keys',
    messages: ['A compaction that was interrupted early was undone'],
  },
  {
    why: 'a compaction that was nearly done',
    damage(disk) {
      for (const kind of ['log', 'index', 'timeindex']) {
        const path = `${ROOT}/keys-0/00000000000000000000.${kind}`
        disk.rename(path, `${path}.swap`)
      }
    },
    topic: 'keys',
    messages: ['A compaction that was interrupted was finished, from offset 0 on'],
  },
  {
    why: 'messages of a time before Kafka 0.11 in the last segment',
    after: 'kill',
    damage(disk) {
      const bytes = new Uint8Array(200)
      const view = new DataView(bytes.buffer)
      view.setInt32(8, 188)
      view.setInt8(16, 1)
      const file = disk.open(segment(36), 'write')
      file.write(bytes, 0)
      file.close()
    },
    messages: [expect.stringMatching(/^It can't be read and is not served|^Offsets? 36 /)],
    refused: '36',
  },
]

const left = { stop: await leftDirectory(true), kill: await leftDirectory(false) }
const cases = rows.flatMap((row) =>
  (['stop', 'kill'] as const)
    .filter((after) => (row.after ?? after) === after)
    .map((after) => ({ ...row, after })),
)

async function startOn(files: SimulatedDisk) {
  const clock = new VirtualClock(START)
  const broker = await startBroker({ data: ROOT, files, clock, http: false, kafka: false })
  const stop = async () => {
    let isStopped = false
    const stopped = broker.stop().finally(() => {
      isStopped = true
    })
    while (!isStopped) await clock.run(1_000)
    await stopped
  }
  return { broker, stop }
}

const get = (broker: RunningBroker, path: string) =>
  broker.fetch(new Request(`http://localhost${path}`))

async function servedBy(broker: RunningBroker): Promise<number[] | string> {
  const path = '/topics/orders/partitions/0/records?offset=earliest&max_records=100'
  const answer = await get(broker, path)
  if (answer.status !== 200) return await answer.text()
  const records = (await answer.json()) as { offset: number }[]
  return records.map(({ offset }) => offset)
}

test.each(cases)('A start after a $after tells of $why, and serves the rest', async (row) => {
  const disk = left[row.after].afterKill()
  row.damage(disk)
  const { broker, stop } = await startOn(disk)
  const { notes = [], messages = [], topic = 'orders' } = row
  const report = await (await get(broker, '/recovery')).json()
  expect(report).toMatchObject({ had_clean_shutdown: row.after === 'stop', notes })
  const odd = report.findings.filter((finding: { messages: string[] }) => finding.messages.length)
  expect(odd.map((finding: object) => finding)).toMatchObject(
    messages.length > 0 ? [{ topic, partition: 0, found_by: 'start', messages, ...row.found }] : [],
  )
  const scanned = report.findings.filter(
    (finding: { scanned_bytes: number }) => finding.scanned_bytes > 0,
  )
  if (row.after === 'kill') expect(scanned.length).toBeGreaterThan(0)

  const lines = recoveryLines(broker.recovery)
  const printed = (await run(['recovery'], { fetch: (request) => broker.fetch(request) })).output
  for (const note of report.notes) {
    expect(lines).toContain(note)
    expect(printed).toContain(`\n  ${note}\n`)
  }
  for (const { messages: told } of odd) {
    for (const message of told) {
      expect(lines.join('\n')).toContain(message)
      expect(printed).toContain(`\n    ${message}\n`)
    }
  }
  expect(printed.includes('Nothing had to be repaired')).toBe(odd.length === 0)

  const served = await servedBy(broker)
  if (row.refused === undefined) expect(served).toEqual(row.served ?? ALL)
  else expect(served).toContain(row.refused)
  expect((await get(broker, '/health/ready')).status).toBe(200)
  // What is not served stands in nobody's way: the log goes on, or says why not.
  await stop()
})

test('A start refuses a directory whose metadata are damaged, and tells of a torn end of theirs', async () => {
  const path = `${ROOT}/__cluster_metadata-0/00000000000000000000.log`
  const torn = left.kill.afterKill()
  appendHalf(torn, path)
  const { broker, stop } = await startOn(torn)
  const { findings } = await (await get(broker, '/recovery')).json()
  expect(findings).toContainEqual(
    expect.objectContaining({ topic: '__cluster_metadata', partition: 0, cut_bytes: 70 }),
  )
  expect(await servedBy(broker)).toEqual(ALL)
  await stop()
  const damaged = left.stop.afterKill()
  damaged.flipBit(path, sizeOf(damaged, path) - 3)
  await expect(startOn(damaged)).rejects.toThrow(/metadata batch at offset \d+ fails its checksum/)
})
