// What the doctor says of a data directory: each thing that would stop a broker, one at a time.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { diagnose } from '#src/partitions/doctor/diagnosis.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { nodeFiles } from '#storage/fs/node-files.ts'
import { serializeProducerSnapshot } from '#storage/state/producer-snapshot.ts'
import { startBroker } from '../../../../mod.ts'
import { SimulatedDisk } from '../../../simulation/simulated-disk.ts'
import { run } from '../../cli/fixture.ts'
import { ACL, appendMetadata, everything, feature, put, REMOTE, read } from '../left-directory.ts'

const LOG = '/a/orders-0/00000000000000000000.log'

/** A directory that a broker has left cleanly: one topic of two partitions, with records. */
async function left({ isClean = true } = {}): Promise<SimulatedDisk> {
  const files = new SimulatedDisk()
  files.makeDirectory('/a')
  const running = await startBroker({ data: '/a', files, http: false, kafka: false })
  await running.broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount: 2 })
  await running.produce('orders', [{ value: 'one', partition: 0 }])
  await running.stop()
  if (!isClean) files.remove('/a/.kafka_cleanshutdown')
  return files
}

const texts = (files: SimulatedDisk, paths = ['/a']) =>
  diagnose(files, paths).findings.map(
    ({ subject, severity, concerns, message }) => `${severity} ${concerns} ${subject}: ${message}`,
  )

test('diagnose() finds nothing wrong with what a broker has left', async () => {
  expect(diagnose(await left(), ['/a'])).toMatchObject({
    nodeId: 1,
    hadCleanShutdown: true,
    topicCount: 1,
    partitionCount: 2,
    findings: [],
  })
})

test('diagnose() writes nothing', async () => {
  const files = await left()
  const before = everything(files, '/a')
  diagnose(files, ['/a'])
  expect(everything(files, '/a')).toEqual(before)
})

test('diagnose() says that an unclean directory will be recovered', async () => {
  const files = await left({ isClean: false })
  expect(diagnose(files, ['/a']).hadCleanShutdown).toBe(false)
  expect(texts(files)).toEqual([expect.stringMatching(/^note both .*the next start recovers/)])
})

test('diagnose() takes a directory of a real Kafka for what it is', () => {
  const path = fileURLToPath(new URL('../../../golden/datadir', import.meta.url))
  const { findings, topicCount, nodeId, hadCleanShutdown } = diagnose(nodeFiles, [path])
  expect({ nodeId, hadCleanShutdown }).toEqual({ nodeId: 1, hadCleanShutdown: expect.any(Boolean) })
  expect(topicCount).toBeGreaterThan(10)
  expect(findings.filter(({ message }) => /can't be read/.test(message))).toEqual([])
})

interface Case {
  readonly what: string
  readonly change: (files: SimulatedDisk) => void
  readonly finding: RegExp
  readonly paths?: string[]
}

const flipped = (files: SimulatedDisk, path: string, at: number) => {
  const bytes = read(files, path)
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = (bytes[index] ?? 0) ^ 1
  put(files, path, bytes)
}

const cases: Case[] = [
  {
    what: 'a directory that is not there',
    change: () => undefined,
    paths: ['/nowhere'],
    finding: /^blocker both \/nowhere: There is no such directory/,
  },
  {
    what: 'a strange directory',
    change: (files) => files.makeDirectory('/a/backup'),
    finding: /^blocker kafka \/a\/backup: .*not a partition/,
  },
  {
    what: "the file system's own directory",
    change: (files) => files.makeDirectory('/a/lost+found'),
    finding: /^blocker kafka \/a\/lost\+found/,
  },
  {
    what: 'a malformed meta.properties',
    change: (files) => put(files, '/a/meta.properties', 'version=7\n'),
    finding: /^blocker both \/a: .*has version 7/,
  },
  {
    what: 'a partition that the metadata does not know',
    change: (files) => files.makeDirectory('/a/ghost-0'),
    finding: /^warning both \/a\/ghost-0: The metadata knows no partition ghost-0/,
  },
  {
    what: "another topic's partition",
    change: (files) =>
      put(files, '/a/orders-0/partition.metadata', 'version: 0\ntopic_id: xxxxxxxxxxxxxxxxxxxxxx'),
    finding: /^warning both \/a\/orders-0: It belongs to topic id xxxx/,
  },
  {
    what: 'a partition that is not there',
    change: (files) => files.removeDirectory('/a/orders-1'),
    finding: /^warning both orders: The metadata has partitions 1, .*anew, empty/,
  },
  {
    what: 'partitions without metadata',
    change: (files) => files.removeDirectory('/a/__cluster_metadata-0'),
    finding: /^blocker both orders-\d: 2 partitions, .* no metadata log/,
  },
  {
    what: 'messages of an old format',
    change: (files) => {
      const bytes = read(files, LOG)
      bytes[16] = 1
      put(files, LOG, bytes)
    },
    finding: /^blocker millrace \/a\/orders-0\/0.*\.log: .*format 1/,
  },
  {
    what: 'an open transaction',
    change: (files) => {
      const entry = { producerId: 7, epoch: 0, lastSequence: 0, lastOffset: 0, offsetDelta: 0 }
      const rest = { timestamp: 1, coordinatorEpoch: 0, currentTxnFirstOffset: 5 }
      const bytes = serializeProducerSnapshot([{ ...entry, ...rest }])
      put(files, '/a/orders-0/00000000000000000009.snapshot', bytes)
    },
    finding: /^blocker millrace \/a\/orders-0: Producer 7 .*since offset 5/,
  },
  {
    what: 'a producer snapshot that is damaged',
    change: (files) => put(files, '/a/orders-0/00000000000000000009.snapshot', 'not a snapshot'),
    finding: /^note both \/a\/orders-0: The producer snapshot .* is damaged/,
  },
  {
    what: 'what a recovery set aside',
    change: (files) => put(files, `${LOG}.cut-1700000000000`, 'bytes'),
    finding: /^note both \/a\/orders-0: A recovery set 1 pieces aside/,
  },
  {
    what: 'a transaction that is open in a log that nobody closed',
    change: (files) => {
      const topicId = 'xxxxxxxxxxxxxxxxxxxxxw'
      const data = { name: '__transaction_state', topicId }
      appendMetadata(files, '/a', [{ type: 'TopicRecord', version: 0, data }])
      files.remove('/a/.kafka_cleanshutdown')
      const [snapshot] = files.list('/a/orders-0').filter(({ name }) => /snapshot$/.test(name))
      files.remove(`/a/orders-0/${snapshot?.name}`)
      const open = { producerId: 9, producerEpoch: 0, baseSequence: 0, isTransactional: true }
      const record = { value: new Uint8Array(1), timestamp: 1 }
      const batch = buildBatch([record], { ...open, baseOffset: 1 })
      put(files, LOG, Uint8Array.from([...read(files, LOG), ...batch]))
    },
    finding: /^blocker millrace \/a\/orders-0: Producer 9 .*since offset 1/,
  },
  {
    what: 'ACLs, which only Kafka enforces',
    change: (files) => appendMetadata(files, '/a', [ACL]),
    finding: /^blocker millrace __cluster_metadata-0: 1 ACLs/,
  },
  {
    what: 'a feature level that is not known, to nobody',
    change: (files) => appendMetadata(files, '/a', [feature('share.version', 9)]),
    finding: /^blocker both __cluster_metadata-0: Feature share.version is finalised at level 9/,
  },
  {
    what: 'a topic that is partly in remote storage',
    change: (files) => appendMetadata(files, '/a', [REMOTE]),
    finding:
      /^blocker millrace __cluster_metadata-0: 1 topics, such as orders, have segments in rem/,
  },
  {
    what: 'a missing partition.metadata',
    change: (files) => files.remove('/a/orders-0/partition.metadata'),
    finding:
      /^blocker kafka \/a\/orders-0: The partition has no partition\.metadata: Kafka sets it/,
  },
  {
    what: 'a missing directory.id, and what it must be',
    change: (files) => {
      const text = new TextDecoder().decode(read(files, '/a/meta.properties'))
      put(files, '/a/meta.properties', text.replace(/directory\.id=.*\n/, ''))
    },
    finding: /^blocker kafka meta\.properties: It is not the directory .{22} that the metadata log/,
  },
  {
    what: 'a second metadata log',
    change: (files) => files.makeDirectory('/b/__cluster_metadata-0'),
    paths: ['/a', '/b'],
    finding: /^blocker both \/b: Another metadata log is in \/a/,
  },
  {
    what: 'a broker that runs',
    change: (files) => void files.lock('/a/.lock'),
    finding: /^blocker both \/a: A broker is running on it/,
  },
  {
    what: 'another node.id than the default',
    change: (files) => {
      const text = new TextDecoder().decode(read(files, '/a/meta.properties'))
      put(files, '/a/meta.properties', text.replace('node.id=1', 'node.id=7'))
    },
    finding: /^note both meta\.properties: .*start with node\.id=7/,
  },
  {
    what: 'a torn metadata log',
    change: (files) => flipped(files, '/a/__cluster_metadata-0/00000000000000000000.log', -1),
    finding:
      /^warning both .*metadata-0\/0.*\.log: The metadata log is damaged, or torn, from byte \d+/,
  },
  {
    what: 'a metadata snapshot that is damaged',
    change: (files) =>
      put(files, '/a/__cluster_metadata-0/00000000000000000003-0000000001.checkpoint', 'nothing'),
    finding: /^warning kafka .*\.checkpoint: The snapshot is damaged/,
  },
]

test.each(cases)('diagnose() finds $what', async ({ change, finding, paths }) => {
  const files = await left()
  change(files)
  expect(texts(files, paths)).toEqual(expect.arrayContaining([expect.stringMatching(finding)]))
})

test('diagnose() tells a copied directory, another cluster and another node', async () => {
  const files = await left()
  const meta = new TextDecoder().decode(read(files, '/a/meta.properties'))
  files.makeDirectory('/b')
  put(files, '/b/meta.properties', meta)
  expect(texts(files, ['/a', '/b'])).toContainEqual(expect.stringMatching(/one of them is a copy/))
  put(
    files,
    '/b/meta.properties',
    meta.replace(/cluster\.id=.*/, 'cluster.id=xxxxxxxxxxxxxxxxxxxxxx'),
  )
  expect(texts(files, ['/a', '/b'])).toContainEqual(
    expect.stringMatching(/belongs to cluster xxxx/),
  )
  put(files, '/b/meta.properties', meta.replace('node.id=1', 'node.id=2'))
  expect(texts(files, ['/a', '/b'])).toContainEqual(expect.stringMatching(/belongs to node 2/))
})

test('millrace doctor says for whom a directory is good, and ends with 1 where it is not', async () => {
  const path = fileURLToPath(new URL('../../../golden/datadir', import.meta.url))
  const fine = await run(['doctor', path, '--for', 'kafka'])
  expect(fine).toMatchObject({ exitCode: 0, error: '' })
  expect(fine.output).toMatch(/Kafka 4\.3 can start here/)
  const missing = await run(['doctor', '/no/such/directory', '--json'])
  expect(missing.exitCode).toBe(1)
  expect(JSON.parse(missing.output).findings).toMatchObject([{ severity: 'blocker' }])
  const wrong = await run(['doctor', path, '--for', 'postgres'])
  expect(wrong).toMatchObject({ exitCode: 2, output: '' })
})
