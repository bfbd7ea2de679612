// Starts that are refused: the directory stays as it was, byte for byte, whoever left it and however.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { diagnose } from '#src/partitions/doctor/diagnosis.ts'
import { scanMetadata } from '#src/partitions/doctor/metadata-files.ts'
import type { NewMetadataRecord } from '#src/protocol/records/metadata-record.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { serializeProducerSnapshot } from '#storage/state/producer-snapshot.ts'
import { startBroker } from '../../../mod.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import {
  ACL,
  appendMetadata,
  bootstrapFile,
  everything,
  feature,
  put,
  REMOTE,
  read,
  SCRAM,
} from './left-directory.ts'

const LOG = '/a/orders-0/00000000000000000000.log'

/** A directory that a broker has left: one topic of two partitions with records, and the transactions' own. */
async function left({ isClean }: { isClean: boolean }): Promise<SimulatedDisk> {
  const files = new SimulatedDisk()
  files.makeDirectory('/a')
  const running = await start(files)
  await running.broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount: 2 })
  await running.broker.createTopic(ANONYMOUS, { name: '__transaction_state', partitionCount: 1 })
  await running.produce('orders', [{ value: 'one', partition: 0 }])
  if (!isClean) return files.afterKill(1)
  await running.stop()
  return files
}

const start = (files: SimulatedDisk, config: Record<string, string> = {}) =>
  startBroker({ data: '/a', files, clock: new VirtualClock(), http: false, kafka: false, config })

const TRANSACTION = { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true }

interface Refusal {
  readonly why: string
  readonly change: (files: SimulatedDisk) => void
  readonly message: RegExp
  readonly config?: Record<string, string>
}

const common: Refusal[] = [
  {
    why: 'ACLs are present',
    change: (files) => appendMetadata(files, '/a', [ACL]),
    message: /1 ACLs are present and not enforced/,
  },
  {
    why: 'SCRAM credentials are present',
    change: (files) => appendMetadata(files, '/a', [SCRAM]),
    message: /1 SCRAM credentials are present/,
  },
  {
    why: 'an authorizer is configured',
    change: () => undefined,
    config: { 'authorizer.class.name': 'org.example.Authorizer' },
    message: /org\.example\.Authorizer is configured/,
  },
  {
    why: 'a feature is at a level that is not known',
    change: (files) => appendMetadata(files, '/a', [feature('metadata.version', 31)]),
    message: /metadata\.version is finalised at level 31/,
  },
  {
    why: 'a feature is not known',
    change: (files) => appendMetadata(files, '/a', [feature('teleport.version', 1)]),
    message: /Feature teleport\.version is finalised at level 1/,
  },
  {
    why: 'a record is of a type that is not known',
    change: (files) => appendMetadata(files, '/a', [Uint8Array.of(1, 99, 0)]),
    message: /Metadata record at offset \d+.*99/,
  },
  {
    why: 'it is another node',
    change: () => undefined,
    config: { 'node.id': '2' },
    message: /belongs to node 1, not to node\.id 2/,
  },
  {
    why: 'there is no metadata log',
    change: (files) => files.removeDirectory('/a/__cluster_metadata-0'),
    message: /holds partitions .* holds no metadata log/,
  },
  {
    why: 'a topic is partly in remote storage',
    change: (files) => appendMetadata(files, '/a', [REMOTE]),
    message: /1 topics, such as orders, have segments in remote storage/,
  },
  {
    why: 'there is no meta.properties',
    change: (files) => files.remove('/a/meta.properties'),
    message: /holds partitions .*no meta\.properties/,
  },
  {
    why: 'the directory.id is another than the metadata were written for',
    change: (files) => {
      const text = new TextDecoder().decode(read(files, '/a/meta.properties'))
      put(
        files,
        '/a/meta.properties',
        text.replace(/directory\.id=.*/, `directory.id=${'x'.repeat(22)}`),
      )
    },
    message: /belongs to directory .*, but meta\.properties says x{22}/,
  },
  {
    why: 'the directory.id is missing',
    change: (files) => {
      const text = new TextDecoder().decode(read(files, '/a/meta.properties'))
      put(files, '/a/meta.properties', text.replace(/directory\.id=.*\n/, ''))
    },
    message: /belongs to directory .*, but meta\.properties/,
  },
]

const clean: Refusal = {
  why: 'a producer snapshot has an open transaction',
  change: (files) => {
    const entry = { producerId: 7, epoch: 0, lastSequence: 0, lastOffset: 0, offsetDelta: 0 }
    const rest = { timestamp: 1, coordinatorEpoch: 0, currentTxnFirstOffset: 0 }
    const path = '/a/orders-0/00000000000000000001.snapshot'
    put(files, path, serializeProducerSnapshot([{ ...entry, ...rest }]))
  },
  message: /1 partitions have an open transaction, such as orders-0 since offset 0/,
}

const killed: Refusal = {
  why: 'the log ends inside a transaction',
  change: (files) => {
    const bytes = read(files, LOG)
    const record = { value: new Uint8Array(10), timestamp: 1 }
    const batch = buildBatch([record], { ...TRANSACTION, baseOffset: 1 })
    put(files, LOG, Uint8Array.from([...bytes, ...batch]))
  },
  message: /1 partitions have an open transaction, such as orders-0 since offset 1/,
}

const cases = [true, false].flatMap((isClean) =>
  [...common, isClean ? clean : killed].map((refusal) => ({ ...refusal, isClean })),
)

test.each(cases)(
  'A start that is refused because $why writes nothing (clean before: $isClean)',
  async (one) => {
    const files = await left(one)
    one.change(files)
    const before = everything(files, '/a')
    await expect(start(files, one.config)).rejects.toThrow(one.message)
    expect(everything(files, '/a')).toEqual(before)
    // Nothing is held either: the next start is refused for the same reason, not for a lock.
    await expect(start(files, one.config)).rejects.toThrow(one.message)
    expect(files.status('/a/.kafka_cleanshutdown') !== undefined).toBe(one.isClean)
  },
)

test('A start is refused when two directories hold a metadata log, and writes nothing', async () => {
  const files = await left({ isClean: true })
  files.makeDirectory('/b/__cluster_metadata-0')
  const before = everything(files, '/a')
  const started = startBroker({ data: ['/a', '/b'], files, http: false, kafka: false })
  await expect(started).rejects.toThrow(/\/b holds a metadata log too, besides \/a/)
  expect(everything(files, '/a')).toEqual(before)
  expect(files.list('/b').map(({ name }) => name)).toEqual(['__cluster_metadata-0'])
})

test('A start looks over a disk that fails while it examines, and goes on without that disk', async () => {
  const files = new SimulatedDisk()
  for (const path of ['/a', '/b']) files.makeDirectory(path)
  const startBoth = () =>
    startBroker({ data: ['/a', '/b'], files, clock: new VirtualClock(), http: false, kafka: false })
  const first = await startBoth()
  await first.broker.createTopic(ANONYMOUS, { name: '__transaction_state', partitionCount: 4 })
  await first.stop()
  const [partition] = files.list('/b').filter(({ isDirectory }) => isDirectory)
  files.fail({ on: 'list', path: `/b/${partition?.name}`, code: 'EIO', times: Infinity })
  const second = await startBoth()
  expect(second.broker.listTopics(ANONYMOUS).length).toBe(1)
  await second.stop()
})

test('A start that is refused goes well once the reason is gone, and finds the clean stop', async () => {
  const files = await left({ isClean: true })
  await expect(start(files, { 'node.id': '2' })).rejects.toThrow(/belongs to node 1/)
  const running = await start(files)
  expect(running.recovery.hadCleanShutdown).toBe(true)
  await running.stop()
})

/** Formatted by Kafka, never started. */
function formatted(records: readonly NewMetadataRecord[]): SimulatedDisk {
  const files = new SimulatedDisk()
  files.makeDirectory('/a')
  const ids = `cluster.id=${'c'.repeat(22)}\nnode.id=1\ndirectory.id=${'d'.repeat(21)}Q\n`
  put(files, '/a/meta.properties', `version=1\n${ids}`)
  put(files, '/a/bootstrap.checkpoint', bootstrapFile(records))
  return files
}

const featuresOf = async (files: SimulatedDisk) => {
  const running = await start(files)
  await running.stop()
  const found = scanMetadata(files, '/a/__cluster_metadata-0', () => undefined).image
  return Object.fromEntries(found.features)
}

test('A first start finalises the features that the directory was formatted with, and no others', async () => {
  const files = formatted([feature('metadata.version', 25), feature('group.version', 1)])
  const features = { 'metadata.version': 25, 'group.version': 1 }
  expect(await featuresOf(files)).toEqual(features)
  put(files, '/a/bootstrap.checkpoint', bootstrapFile([feature('metadata.version', 30)]))
  expect(await featuresOf(files)).toEqual(features)
})

test('A first start is refused when the directory was formatted with credentials', async () => {
  const files = formatted([feature('metadata.version', 30), SCRAM])
  const before = everything(files, '/a')
  await expect(start(files)).rejects.toThrow(/1 SCRAM credentials are present/)
  expect(everything(files, '/a')).toEqual(before)
  expect(diagnose(files, ['/a']).findings).toContainEqual(
    expect.objectContaining({ severity: 'blocker', concerns: 'millrace' }),
  )
})
