// A data directory that Kafka left behind when it was killed: recovered, it is byte for byte what Kafka makes of it.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parsePartitionName } from '#storage/base/topic-partition.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { openPartitionLog } from '#storage/log/open-log.ts'
import {
  LEADER_EPOCH_CHECKPOINT,
  LeaderEpochCache,
  parseLeaderEpochs,
} from '#storage/state/leader-epoch-cache.ts'
import {
  parseOffsetCheckpoint,
  RECOVERY_POINT_CHECKPOINT,
} from '#storage/state/offset-checkpoint.ts'
import { parsePartitionMetadata } from '#storage/state/partition-metadata.ts'
import { parseProducerSnapshot } from '#storage/state/producer-snapshot.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { environmentOn } from '../storage/log/log-fixture.ts'
import { goldenBytes, goldenPath } from './golden.ts'

const scratch = mkdtempSync(join(tmpdir(), 'millrace-recovery-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const partitions = [
  { name: 'plain-0', indexIntervalBytes: 512, isTorn: true },
  { name: 'idempotent-0', indexIntervalBytes: 512, isTorn: false },
  { name: 'transactions-0', indexIntervalBytes: 256, isTorn: false },
  { name: 'append-time-0', indexIntervalBytes: 256, isTorn: false },
  { name: 'untouched-0', indexIntervalBytes: 4096, isTorn: false },
  { name: '__transaction_state-0', indexIntervalBytes: 4096, isTorn: false },
]

/** Opens the killed partition in a copy, as after an unclean stop. */
async function recover(name: string, indexIntervalBytes: number) {
  const directory = join(scratch, name)
  cpSync(join(goldenPath('killed'), name), directory, { recursive: true })
  const checkpoint = goldenBytes('killed', RECOVERY_POINT_CHECKPOINT)
  const recoveryPoint = parseOffsetCheckpoint(checkpoint, RECOVERY_POINT_CHECKPOINT).get(name) ?? 0
  // Producers whose last record is older than a day are forgotten: the clock must stand where Kafka's stood.
  const clock = new VirtualClock(1_795_375_000_000)
  const opened = await openPartitionLog({
    environment: environmentOn(createNodeFiles(), clock),
    observer: { onFault: (fault) => expect.unreachable(fault.message) },
    directory,
    topicPartition: parsePartitionName(name) ?? { topic: name, partition: 0 },
    topicId: parsePartitionMetadata(goldenBytes('killed', `${name}/partition.metadata`)),
    config: { ...DEFAULT_LOG_CONFIG, indexIntervalBytes },
    hadCleanShutdown: false,
    recoveryPoint,
    logStartOffset: 0,
    highWatermark: 0,
  })
  return { directory, ...opened }
}

test.each(partitions)(
  'Recovery of $name leaves the files that Kafka leaves',
  async ({ name, indexIntervalBytes, isTorn }) => {
    const { directory, log, recovery } = await recover(name, indexIntervalBytes)
    expect(recovery.damages).toEqual([])
    expect(recovery.cuts.length).toBe(isTorn ? 1 : 0)
    // Kafka took the lead in a new epoch before it stopped.
    const epochs = parseLeaderEpochs(goldenBytes('recovered', `${name}/${LEADER_EPOCH_CHECKPOINT}`))
    log.assignEpochStart(new LeaderEpochCache(epochs).latestEpoch ?? -1)
    await log.close()

    const kafka = join(goldenPath('recovered'), name)
    const ours = readdirSync(directory).filter((file) => !/^millrace\.sums$|\.cut-\d+$/.test(file))
    expect(ours.toSorted()).toEqual(readdirSync(kafka).toSorted())
    const different = ours.filter(
      (file) =>
        Buffer.compare(readFileSync(join(directory, file)), readFileSync(join(kafka, file))) !== 0,
    )
    // A segment at whose end the recovery point stands is scanned once more: we then still know producers that Kafka forgot.
    const snapshots = different.filter((file) => file.endsWith('.snapshot'))
    for (const file of snapshots) {
      const [known, kept] = [directory, kafka].map((at) =>
        parseProducerSnapshot(new Uint8Array(readFileSync(join(at, file)))),
      )
      expect(known).toEqual(expect.arrayContaining(kept ?? []))
    }
    expect(different).toEqual(snapshots)
  },
)
