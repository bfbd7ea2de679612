// What the doctor says of a directory, against what really happens: a real Kafka and our broker each start on a copy.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { diagnose } from '#src/partitions/doctor/diagnosis.ts'
import { rebuildMetadata } from '#src/partitions/doctor/rebuild-metadata.ts'
import { planRebuild } from '#src/partitions/doctor/rebuild-plan.ts'
import { systemRandom } from '#storage/base/world.ts'
import { nodeFiles } from '#storage/fs/node-files.ts'
import { startBroker } from '../../mod.ts'
import {
  ACL,
  appendMetadata,
  everything,
  feature,
  REMOTE,
  SCRAM,
} from '../src/partitions/left-directory.ts'
import { kafkaAbsence, type RealKafka, readBack, startKafka } from './kafka.ts'
import { Moving } from './moving.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-doctor-'))
const ours = join(scratch, 'ours')
const kafkas = new Set<RealKafka>()
afterAll(async () => {
  for (const kafka of kafkas) await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
})

beforeAll(async () => {
  if (absence !== undefined) return
  const running = await startBroker({ data: ours, http: false, kafka: false })
  await running.broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount: 2 })
  for (const partition of [0, 1]) {
    await running.produce('orders', [
      { value: `in ${partition}`, partition },
      { value: `more in ${partition}`, partition },
    ])
  }
  await running.stop()
})

type Outcome = 'serves all' | 'serves less' | 'does not start'

interface Case {
  readonly what: string
  readonly change: (data: string) => void
  readonly millrace: Outcome
  readonly kafka: Outcome
}

const meta = (data: string, from: RegExp, to: string) => {
  const path = join(data, 'meta.properties')
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
}

/** What happens, as it was seen. The doctor has to say so beforehand. */
const cases: Case[] = [
  {
    what: 'a healthy directory',
    change: () => undefined,
    millrace: 'serves all',
    kafka: 'serves all',
  },
  {
    what: 'one that was not stopped cleanly',
    change: (data) => rmSync(join(data, '.kafka_cleanshutdown')),
    millrace: 'serves all',
    kafka: 'serves all',
  },
  {
    what: 'ACLs',
    change: (data) => appendMetadata(nodeFiles, data, [ACL]),
    millrace: 'does not start',
    kafka: 'serves all',
  },
  {
    what: 'SCRAM credentials',
    change: (data) => appendMetadata(nodeFiles, data, [SCRAM]),
    millrace: 'does not start',
    kafka: 'serves all',
  },
  {
    what: 'a metadata.version of a later Kafka',
    change: (data) => appendMetadata(nodeFiles, data, [feature('metadata.version', 32)]),
    millrace: 'does not start',
    kafka: 'does not start',
  },
  {
    what: 'a feature at a later level',
    change: (data) => appendMetadata(nodeFiles, data, [feature('share.version', 9)]),
    millrace: 'does not start',
    kafka: 'does not start',
  },
  {
    what: 'a record of an unknown type',
    change: (data) => appendMetadata(nodeFiles, data, [Uint8Array.of(1, 99, 0)]),
    millrace: 'does not start',
    kafka: 'does not start',
  },
  {
    what: 'a topic that is partly in remote storage',
    change: (data) => appendMetadata(nodeFiles, data, [REMOTE]),
    millrace: 'does not start',
    // What is local; the rest needs a Kafka with that storage configured.
    kafka: 'serves all',
  },
  {
    what: 'a strange directory',
    change: (data) => mkdirSync(join(data, 'backup')),
    millrace: 'serves all',
    kafka: 'does not start',
  },
  {
    what: 'lost+found',
    change: (data) => mkdirSync(join(data, 'lost+found')),
    millrace: 'serves all',
    kafka: 'does not start',
  },
  {
    what: 'a stray partition',
    change: (data) => mkdirSync(join(data, `gone-0.${'0'.repeat(32)}-stray`)),
    millrace: 'serves all',
    kafka: 'serves all',
  },
  {
    what: 'no directory.id',
    change: (data) => meta(data, /directory\.id=.*\n/, ''),
    millrace: 'does not start',
    kafka: 'does not start',
  },
  {
    what: 'no metadata log',
    change: (data) => rmSync(join(data, '__cluster_metadata-0'), { recursive: true }),
    millrace: 'does not start',
    kafka: 'does not start',
  },
  {
    what: 'a metadata log that was made again',
    change(data) {
      rmSync(join(data, '__cluster_metadata-0'), { recursive: true })
      rebuildMetadata(nodeFiles, systemRandom, Date.now(), planRebuild(nodeFiles, [data]))
    },
    millrace: 'serves all',
    kafka: 'serves all',
  },
  {
    what: 'a metadata log that was made again after a kill',
    change(data) {
      rmSync(join(data, '.kafka_cleanshutdown'))
      rmSync(join(data, '__cluster_metadata-0'), { recursive: true })
      rmSync(join(data, 'orders-0/partition.metadata'))
      rebuildMetadata(nodeFiles, systemRandom, Date.now(), planRebuild(nodeFiles, [data]))
    },
    millrace: 'serves all',
    kafka: 'serves all',
  },
  {
    what: 'a partition without partition.metadata',
    change: (data) => rmSync(join(data, 'orders-0/partition.metadata')),
    millrace: 'serves all',
    kafka: 'serves less',
  },
  {
    what: "a partition with another topic's id",
    change: (data) =>
      writeFileSync(
        join(data, 'orders-0/partition.metadata'),
        'version: 0\ntopic_id: xxxxxxxxxxxxxxxxxxxxxw',
      ),
    millrace: 'serves less',
    kafka: 'serves less',
  },
  {
    what: 'a partition that is not there',
    change: (data) => rmSync(join(data, 'orders-1'), { recursive: true }),
    millrace: 'serves less',
    kafka: 'serves less',
  },
  {
    what: 'a damaged topic id',
    change: (data) => writeFileSync(join(data, 'orders-0/partition.metadata'), 'garbage'),
    millrace: 'serves less',
    kafka: 'does not start',
  },
  {
    what: 'messages of an old format',
    change(data) {
      const path = join(data, 'orders-0/00000000000000000000.log')
      writeFileSync(path, oldMessages(2))
      for (const name of readdirSync(join(data, 'orders-0')))
        if (/index$|snapshot$/.test(name)) rmSync(join(data, 'orders-0', name))
    },
    millrace: 'serves less',
    kafka: 'serves all',
  },
]

/** Two messages of format 1, without compression. */
function oldMessages(count: number): Uint8Array {
  const messages = Array.from({ length: count }, (_, offset) => {
    const value = new TextEncoder().encode('old')
    const body = Buffer.alloc(1 + 1 + 8 + 4 + 4 + value.length)
    body.writeInt8(1, 0)
    body.writeBigInt64BE(BigInt(Date.now()), 2)
    body.writeInt32BE(-1, 10)
    body.writeInt32BE(value.length, 14)
    body.set(value, 18)
    const head = Buffer.alloc(16)
    head.writeBigInt64BE(BigInt(offset), 0)
    head.writeInt32BE(4 + body.length, 8)
    head.writeUInt32BE(crc32(body), 12)
    return Buffer.concat([head, body])
  })
  return Buffer.concat(messages)
}

/** What the doctor foretells. */
function foretold(data: string, whose: 'millrace' | 'kafka'): 'fine' | 'blocked' | 'warned' {
  const findings = diagnose(nodeFiles, [data]).findings.filter(
    ({ concerns }) => concerns === whose || concerns === 'both',
  )
  if (findings.some(({ severity }) => severity === 'blocker')) return 'blocked'
  return findings.some(({ severity }) => severity === 'warning') ? 'warned' : 'fine'
}

const agrees = {
  'serves all': ['fine'],
  'serves less': ['blocked', 'warned'],
  'does not start': ['blocked'],
}

async function withUs(data: string): Promise<Outcome> {
  try {
    const running = await startBroker({ data, http: false, kafka: false })
    let count = 0
    for (const partition of [0, 1]) {
      count += await running.read('orders', { partition }).then(
        ({ records }) => records.length,
        () => 0,
      )
    }
    await running.stop()
    return count === 4 ? 'serves all' : 'serves less'
  } catch {
    return 'does not start'
  }
}

async function withKafka(data: string): Promise<Outcome> {
  let kafka: RealKafka
  try {
    kafka = await startKafka(data, { patienceMs: 25_000 })
  } catch {
    return 'does not start'
  }
  kafkas.add(kafka)
  const read = `${data}.read`
  await readBack(kafka, read)
  await kafka.stop()
  kafkas.delete(kafka)
  const lines = [0, 1].map((partition) => {
    const path = join(read, `orders-${partition}.read_uncommitted.jsonl`)
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length - 1 : 0
  })
  return lines.join() === '2,2' ? 'serves all' : 'serves less'
}

test.skipIf(absence !== undefined).each(cases)(
  `The doctor foretells what becomes of $what${suffix}`,
  async ({ change, millrace, kafka }) => {
    const data = mkdtempSync(join(scratch, 'case-'))
    cpSync(ours, data, { recursive: true })
    change(data)
    const said = [foretold(data, 'millrace'), foretold(data, 'kafka')]
    const copy = `${data}.kafka`
    cpSync(data, copy, { recursive: true })
    const seen = [await withUs(data), await withKafka(copy)]
    expect(seen).toEqual([millrace, kafka])
    expect(agrees[millrace], `said ${said} of ${seen}`).toContain(said[0])
    expect(agrees[kafka], `said ${said} of ${seen}`).toContain(said[1])
  },
  120_000,
)

test.skipIf(absence !== undefined)(
  `The doctor sees that a Kafka is running, and changes nothing by looking${suffix}`,
  async () => {
    const data = join(scratch, 'running')
    cpSync(ours, data, { recursive: true })
    const kafka = await startKafka(data)
    kafkas.add(kafka)
    const findings = diagnose(nodeFiles, [data]).findings.map(({ message }) => message)
    expect(findings.join('\n')).toMatch(/A broker is running on it/)
    await kafka.stop()
    kafkas.delete(kafka)
    expect(foretold(data, 'kafka')).toBe('fine')
    const again = await startKafka(data)
    await again.stop()
    expect(readdirSync(data).filter((name) => name.endsWith('-stray'))).toEqual([])
  },
  120_000,
)

test.skipIf(absence !== undefined).each(['stopped', 'killed'] as const)(
  `The doctor finds the transaction that a Kafka left open, and a refused start changes nothing: %s${suffix}`,
  async (how) => {
    const moving = await Moving.begin(join(scratch, `open-${how}`))
    try {
      await moving.start('kafka')
      await moving.tell('create')
      await moving.tell('transact')
      await moving.tell('leave-open')
      await moving.end(how)
      const { data } = moving
      expect([foretold(data, 'millrace'), foretold(data, 'kafka')]).toEqual(['blocked', 'fine'])
      const before = everything(nodeFiles, data)
      await expect(startBroker({ data, http: false, kafka: false })).rejects.toThrow(
        /1 partitions have an open transaction, such as transactions-0 since offset/,
      )
      expect(everything(nodeFiles, data)).toEqual(before)
      await moving.start('kafka')
      await moving.tell('transact')
      await moving.move(how, 'us')
      await moving.end('stopped')
    } finally {
      await moving.close()
    }
  },
  180_000,
)

test.skipIf(absence !== undefined)(
  `Neither broker starts on two directories with a metadata log each, as the doctor says${suffix}`,
  async () => {
    const [first, second] = [join(scratch, 'first'), join(scratch, 'second')]
    for (const path of [first, second]) cpSync(ours, path, { recursive: true })
    for (const name of ['orders-0', 'orders-1']) rmSync(join(second, name), { recursive: true })
    const own = `directory.id=${'d'.repeat(21)}Q`
    meta(second, /directory\.id=.*/, own)
    const messages = diagnose(nodeFiles, [first, second]).findings.map(({ message }) => message)
    expect(messages.join()).toMatch(/Another metadata log is in/)
    const started = startBroker({ data: [first, second], http: false, kafka: false })
    await expect(started).rejects.toThrow(/holds a metadata log too/)
    const config = { 'log.dirs': `${first},${second}` }
    await expect(startKafka(first, { config, patienceMs: 25_000 })).rejects.toThrow(/did not start/)
    rmSync(join(second, '__cluster_metadata-0'), { recursive: true })
    const running = await startBroker({ data: [first, second], http: false, kafka: false })
    await running.stop()
    const kafka = await startKafka(first, { config })
    await kafka.stop()
  },
  120_000,
)
