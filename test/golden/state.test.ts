// Snapshots, checkpoints and the other small files that Kafka wrote: read, and written again byte for byte.
import { expect, test } from 'vitest'
import { parsePartitionName } from '#storage/base/topic-partition.ts'
import { parseCleanShutdown, serializeCleanShutdown } from '#storage/state/clean-shutdown.ts'
import { parseLeaderEpochs, serializeLeaderEpochs } from '#storage/state/leader-epoch-cache.ts'
import { parseMetaProperties } from '#storage/state/meta-properties.ts'
import {
  parseOffsetCheckpoint,
  serializeOffsetCheckpoint,
} from '#storage/state/offset-checkpoint.ts'
import {
  parsePartitionMetadata,
  serializePartitionMetadata,
} from '#storage/state/partition-metadata.ts'
import {
  parseProducerSnapshot,
  serializeProducerSnapshot,
} from '#storage/state/producer-snapshot.ts'
import { parseQuorumState, serializeQuorumState } from '#storage/state/quorum-state.ts'
import { expectedDump, goldenBytes, goldenFiles } from './golden.ts'

const directories = ['datadir', 'killed', 'recovered'] as const

const formats = [
  {
    what: '*/*.snapshot',
    again: (bytes: Uint8Array) => serializeProducerSnapshot(parseProducerSnapshot(bytes)),
    least: 80,
  },
  {
    what: '*/leader-epoch-checkpoint',
    again: (bytes: Uint8Array) => serializeLeaderEpochs(parseLeaderEpochs(bytes)),
    least: 30,
  },
  {
    what: '*/partition.metadata',
    again: (bytes: Uint8Array) => serializePartitionMetadata(parsePartitionMetadata(bytes)),
    least: 30,
  },
  {
    what: '*-offset-checkpoint',
    again: checkpointAgain,
    least: 10,
  },
  {
    what: '.kafka_cleanshutdown',
    again: (bytes: Uint8Array) => serializeCleanShutdown(parseCleanShutdown(bytes)),
    least: 2,
  },
  {
    what: '*/quorum-state',
    again: (bytes: Uint8Array) => serializeQuorumState(parseQuorumState(bytes)),
    least: 3,
  },
]

test.each(formats)('$what is written again byte for byte', ({ what, again, least }) => {
  const files = directories.flatMap((directory) =>
    goldenFiles(directory, what).map((file) => ({ directory, file })),
  )
  expect(files.length).toBeGreaterThanOrEqual(least)
  for (const { directory, file } of files) {
    const bytes = goldenBytes(directory, file)
    // Kafka makes cleaner-offset-checkpoint empty, and writes it when something was cleaned.
    if (bytes.length === 0) continue
    const equal = Buffer.compare(again(bytes), bytes) === 0
    expect(equal, `${directory}/${file}`).toBe(true)
  }
})

test('meta.properties is read, whatever the order of its lines', () => {
  for (const directory of directories) {
    const meta = parseMetaProperties(goldenBytes(directory, 'meta.properties'))
    expect(meta.nodeId).toBe(1)
    expect(meta.clusterId).toMatch(/^[\w-]{22}$/)
    expect(meta.directoryId).toMatch(/^[\w-]{22}$/)
  }
})

test('parseProducerSnapshot() reads every snapshot as DumpLogSegments prints it', () => {
  let count = 0
  for (const directory of ['datadir', 'recovered'] as const) {
    const dump = expectedDump(directory)
    for (const file of goldenFiles(directory, '*/*.snapshot')) {
      const entries = parseProducerSnapshot(goldenBytes(directory, file))
      const lines = entries.map((entry) => printed(entry))
      expect(lines.toSorted(), `${directory}/${file}`).toEqual(dump.get(file)?.toSorted())
      count += entries.length
    }
  }
  expect(count).toBeGreaterThan(40)
})

function checkpointAgain(bytes: Uint8Array): Uint8Array {
  const offsets = [...parseOffsetCheckpoint(bytes, 'a golden checkpoint')].map(([name, offset]) => {
    const partition = parsePartitionName(name)
    if (partition === undefined) throw new Error(`${name} is no partition`)
    return { ...partition, offset }
  })
  return serializeOffsetCheckpoint(offsets)
}

type SnapshotEntry = ReturnType<typeof parseProducerSnapshot>[number]

function printed(entry: SnapshotEntry): string {
  const first = entry.currentTxnFirstOffset
  const open = first < 0 ? 'OptionalLong.empty' : `OptionalLong[${first}]`
  const state = `producerId: ${entry.producerId} producerEpoch: ${entry.epoch} coordinatorEpoch: ${entry.coordinatorEpoch} currentTxnFirstOffset: ${open} lastTimestamp: ${entry.timestamp}`
  if (entry.lastOffset < 0) return state
  const firstSequence = entry.lastSequence - entry.offsetDelta
  return `${state} firstSequence: ${firstSequence} lastSequence: ${entry.lastSequence} lastOffset: ${entry.lastOffset} offsetDelta: ${entry.offsetDelta} timestamp: ${entry.timestamp}`
}
