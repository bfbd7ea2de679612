// Whole data directories that Kafka left: opened by the log manager, on a copy in memory.
import { expect, test } from 'vitest'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { openLogManager } from '#storage/log-manager.ts'
import { parsePartitionMetadata } from '#storage/state/partition-metadata.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { environmentOn } from '../storage/log/log-fixture.ts'
import {
  expectedPartitions,
  expectedRecords,
  type GoldenDirectory,
  goldenBytes,
  goldenFiles,
} from './golden.ts'

function diskOf(directory: GoldenDirectory): SimulatedDisk {
  const disk = new SimulatedDisk()
  for (const name of goldenFiles(
    directory,
    '{*,.kafka_cleanshutdown,*/*.*,*/leader-epoch-checkpoint}',
  )) {
    if (!/[/.]|checkpoint/.test(name)) continue
    const path = `/data/${name}`
    disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const file = disk.open(path, 'create')
    file.write(goldenBytes(directory, name), 0)
    file.close()
  }
  return disk
}

async function startOn(disk: SimulatedDisk) {
  const manager = openLogManager({
    environment: environmentOn(disk),
    logDirs: ['/data'],
    nodeId: 1,
  })
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  const report = await manager.load({
    configOf: () => DEFAULT_LOG_CONFIG,
    expectedTopicId(topicPartition: TopicPartition) {
      const bytes = disk.readFile(`/data/${partitionName(topicPartition)}/partition.metadata`)
      return bytes && parsePartitionMetadata(bytes)
    },
  })
  return { manager, report }
}

test('LogManager opens what Kafka closed without a scan, with the offsets that its consumer saw', async () => {
  const { manager, report } = await startOn(diskOf('datadir'))
  expect(manager.hadCleanShutdown).toBe(true)
  expect(manager.previousBrokerEpoch).toBeGreaterThan(0)
  expect(report).toMatchObject({ recovered: [], unreadable: [] })
  expect(report.directories).toMatchObject([{ notes: [], strays: [], strange: [] }])
  const found = new Map(
    Array.from(manager.logs(), (log) => [partitionName(log.topicPartition), log]),
  )
  for (const name of expectedPartitions('datadir')) {
    const { startOffset, endOffset } = expectedRecords('datadir', name)
    const log = found.get(name)
    expect([log?.logStartOffset, log?.logEndOffset], name).toEqual([startOffset, endOffset])
  }
})

test('LogManager recovers what a killed Kafka left, to the offsets that Kafka itself recovered', async () => {
  const { manager, report } = await startOn(diskOf('killed'))
  expect(manager.hadCleanShutdown).toBe(false)
  expect(report.unreadable).toEqual([])
  expect(report.recovered.some(({ needsNewEpoch }) => needsNewEpoch)).toBe(true)
  let compared = 0
  for (const log of manager.logs()) {
    const name = partitionName(log.topicPartition)
    if (!expectedPartitions('recovered').includes(name)) continue
    expect(log.logEndOffset, name).toBe(expectedRecords('recovered', name).endOffset)
    compared++
  }
  expect(compared).toBeGreaterThan(1)
})

test('LogManager leaves to Kafka what it closed: the same directories, checkpoints and a marker', async () => {
  const disk = diskOf('datadir')
  const names = () =>
    disk
      .list('/data')
      .map(({ name }) => name)
      .filter((name) => name !== 'millrace.sums')
      .sort()
  const before = names()
  const { manager } = await startOn(disk)
  const ends = Array.from(manager.logs(), (log) => [
    partitionName(log.topicPartition),
    log.logEndOffset,
  ])
  await manager.close(42)
  expect(names()).toEqual(before)
  const again = await startOn(disk)
  expect(again.manager.previousBrokerEpoch).toBe(42)
  expect(
    Array.from(again.manager.logs(), (log) => [
      partitionName(log.topicPartition),
      log.logEndOffset,
    ]).sort(),
  ).toEqual(ends.sort())
})
