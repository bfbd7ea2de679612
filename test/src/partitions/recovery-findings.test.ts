// What a start tells about what it found.
import { expect, test } from 'vitest'
import {
  backgroundFindings,
  progressLine,
  recoveryLines,
  recoveryReport,
} from '#src/partitions/recovery-findings.ts'
import type { LogRecovery } from '#storage/log/log-recovery.ts'
import type { DirectoryReport, RecoveredLog, RecoveryReport } from '#storage/recovery-report.ts'

const DIRECTORY: DirectoryReport = {
  path: '/data',
  directoryId: 'AAAAAAAAAAAAAAAAAAAAAg',
  hadCleanShutdown: false,
  isNew: false,
  isLockSeenByKafka: true,
  logCount: 1,
  notes: [],
  finishedDeletions: [],
  strays: [],
  strange: [],
}

const reportOf = (
  directories: readonly Partial<DirectoryReport>[],
  found: Partial<RecoveryReport> = {},
) =>
  recoveryReport(
    {
      directories: directories.map((one) => ({ ...DIRECTORY, ...one })),
      recovered: [],
      unreadable: [],
      logCount: 1,
      durationMs: 1.26,
      ...found,
    },
    {
      startedAt: 5,
      hadCleanShutdown: directories.every((one) => one.hadCleanShutdown === true),
      pathOf: () => '/data/orders-0',
    },
  )

test.each([
  { why: 'no stop before a new directory', directories: [{ isNew: true }], clean: null },
  { why: 'an unclean stop', directories: [{}], clean: false },
  { why: 'a clean stop', directories: [{ hadCleanShutdown: true }], clean: true },
  {
    why: 'an unclean stop when one of two directories is new',
    directories: [{ hadCleanShutdown: true }, { isNew: true }],
    clean: false,
  },
])('recoveryReport() tells of $why', ({ directories, clean }) => {
  expect(reportOf(directories)).toMatchObject({ hadCleanShutdown: clean, durationMs: 1.3 })
})

test('recoveryReport() names what was set aside, what is strange and a lock that Kafka does not see', () => {
  const notes = { notes: ['a note'], strays: ['old-0.x-stray'], strange: ['lost'] }
  const report = reportOf([{ ...notes, isLockSeenByKafka: false }])
  expect(report.notes).toEqual([
    '/data: a Kafka running on it could not be noticed',
    '/data: a note',
    '/data: old-0.x-stray belongs to no topic and was set aside',
    '/data: lost is no partition; Kafka would not start on it',
  ])
})

const CLEAN: LogRecovery = {
  hadCleanShutdown: false,
  recoveryPoint: 0,
  logStartOffset: 0,
  logEndOffset: 7,
  rebuiltSegments: [0],
  scannedBytes: 512,
  cuts: [],
  damages: [],
  repairs: [],
  lostBelowHighWatermark: 0,
}
const recovered = (partition: number, recovery: Partial<LogRecovery> = {}): RecoveredLog => ({
  topic: 'orders',
  partition,
  recovery: { ...CLEAN, ...recovery },
  needsNewEpoch: true,
})

test('recoveryReport() tells of a cut, where its bytes are kept, and what is at risk', () => {
  const cut = {
    offset: 7,
    segmentBaseOffset: 0,
    position: 412,
    sizeInBytes: 100,
    keptIn: '00000000000000000007.log.cut-5',
    offsetsAtRisk: { from: 8, to: 10, batches: 2 },
  }
  const report = reportOf([{}], {
    recovered: [recovered(0, { cuts: [cut], lostBelowHighWatermark: 3 })],
  })
  expect(report.findings).toMatchObject([
    {
      logDirectory: '/data/orders-0',
      scannedSegments: 1,
      cutBytes: 100,
      keptAside: ['00000000000000000007.log.cut-5'],
      offsetsAtRisk: [{ from: 8, to: 10 }],
    },
  ])
  expect(recoveryLines(report)).toEqual([
    'orders-0: scanned 1 segment, 512 bytes; ' +
      'Cut 100 bytes at offset 7: they are kept in 00000000000000000007.log.cut-5; ' +
      '2 intact batches among them, offsets 8 to 9; 3 offsets that consumers may have read are gone',
  ])
})

test('recoveryLines() sums up many scans that found nothing, and still tells what is odd', () => {
  const many = Array.from({ length: 11 }, (_, partition) => recovered(partition))
  const few = reportOf([{}], { recovered: many.slice(0, 10) })
  expect(recoveryLines(few)).toHaveLength(10)
  const odd = recovered(11, { lostBelowHighWatermark: 3 })
  expect(recoveryLines(reportOf([{ notes: ['a note'] }], { recovered: [...many, odd] }))).toEqual([
    '/data: a note',
    'orders-11: scanned 1 segment, 512 bytes; 3 offsets that consumers may have read are gone',
    '11 partitions: scanned 11 segments, 5632 bytes; nothing had to be repaired',
  ])
})

test('progressLine() tells how many partitions are open, what was verified and for how long it has taken', () => {
  const progress = { logs: 900, loadedLogs: 31, scannedBytes: 5_368_709_120, elapsedMs: 10_004 }
  expect(progressLine(progress)).toBe(
    'Opening partitions: 31 of 900 done, 5120 MiB verified, 10 s so far',
  )
})

test('backgroundFindings() tells what the scrub has found, and which logs the cleaner has given up', () => {
  const damage = { from: 3, to: 5, segmentBaseOffset: 0, position: 210 }
  const findings = backgroundFindings({
    scrubber: {
      findings: [
        {
          topic: 'orders',
          partition: 0,
          directory: '/data/orders-0',
          damages: [damage],
          rebuiltIndexes: [0, 40],
        },
      ],
    },
    cleaner: {
      uncleanable: [
        { partition: { topic: 'keys', partition: 1 }, reason: 'The batch has a wrong checksum' },
      ],
    },
    pathOf: ({ topic, partition }) => `/data/${topic}-${partition}`,
  })
  expect(findings).toMatchObject([
    {
      foundBy: 'scrub',
      topic: 'orders',
      rebuiltIndexes: 2,
      offsetsAtRisk: [{ from: 3, to: 5 }],
      messages: ['Offsets 3 to 4 are missing or damaged, and not served'],
    },
    {
      foundBy: 'cleaner',
      logDirectory: '/data/keys-1',
      messages: ['It is not compacted until the next start: The batch has a wrong checksum'],
    },
  ])
})
