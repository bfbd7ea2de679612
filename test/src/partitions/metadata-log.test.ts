// The metadata log over a partition log: what is appended is replayed, however large.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MetadataLog } from '#src/partitions/metadata-log.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { openLog } from '../../storage/log/log-fixture.ts'

test('MetadataLog.replay() yields batches larger than what it reads at a time, and what follows them', async () => {
  const files = new SimulatedDisk()
  const config = { maxMessageBytes: 16 * 1_048_576 }
  const { log } = await openLog(files, { config })
  const store = new MetadataLog({ log, files, clock: new VirtualClock() })
  const epoch = { epoch: 1, isControl: false }
  const large = { key: null, value: new Uint8Array(600_000) }
  const small = { key: null, value: new Uint8Array(1) }
  store.append([small], epoch)
  store.append([large, large, large], epoch)
  store.append([small], epoch)
  await store.committed(4)
  const sizes = Array.from(store.replay(), ({ offset, value }) => [offset, value?.length])
  expect(sizes).toEqual([
    [0, 1],
    [1, 600_000],
    [2, 600_000],
    [3, 600_000],
    [4, 1],
  ])
})

const SNAPSHOT = '00000000000000000000-0000000000.checkpoint'

test('MetadataLog.replay() reads a snapshot that Kafka wrote, and passes over one that was cut short', async () => {
  const golden = new URL(`../../golden/datadir/__cluster_metadata-0/${SNAPSHOT}`, import.meta.url)
  const bytes = new Uint8Array(readFileSync(golden))
  const batches = Array.from(readBatches(bytes))
  const files = new SimulatedDisk()
  const { log } = await openLog(files)
  const store = new MetadataLog({ log, files, clock: new VirtualClock() })
  const snapshot = files.open(`${log.directory}/${SNAPSHOT}`, 'create')
  snapshot.write(bytes, 0)
  expect(Array.from(store.replay()).length).toBeGreaterThan(2)
  snapshot.truncate(bytes.length - (batches.at(-1)?.sizeInBytes ?? 0))
  expect(Array.from(store.replay())).toEqual([])
})
