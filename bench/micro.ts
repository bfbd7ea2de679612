// Micro benches of the parts that every record passes: `npm run bench:micro`.
import { bench, group, run, summary } from 'mitata'
import { readRecords } from '#storage/batch/record.ts'
import { RecordBatch } from '#storage/batch/record-batch.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { OffsetIndex } from '#storage/segment/offset-index.ts'
import { benchBatch, openBenchLog, withFolder } from './workspace.ts'

const MIB = 1_048_576

await withFolder(async (folder) => {
  const logs: PartitionLog[] = []
  for (const recordBytes of [100, 1024]) {
    const bytes = benchBatch(recordBytes, 16_384)
    const batch = new RecordBatch(bytes)
    const log = await openBenchLog(`${folder}/${recordBytes}`, 64 * MIB)
    logs.push(log)
    const send = () =>
      log.append(bytes.slice(), { leaderEpoch: 0, origin: 'client', needsDisk: false })
    for (let number = 0; number < 2000; number++) send()
    const middle = Math.floor(log.logEndOffset / 2)

    group(`a batch of ${batch.recordCount} records of ${recordBytes} bytes`, () => {
      summary(() => {
        bench('memcpy', () => bytes.slice())
        bench('crc32c', () => crc32c(bytes, 21))
        bench('header', () => new RecordBatch(bytes).nextOffset)
        bench('decode records', () => {
          let size = 0
          for (const record of readRecords(batch)) size += record.value?.length ?? 0
          return size
        })
        bench('append', send)
        bench('read one batch from the middle', () => {
          const request = {
            maxBytes: bytes.length,
            isolation: 'log_end',
            minOneBatch: true,
          } as const
          const lease = log.read(middle, request).lease()
          lease.release()
        })
      })
    })
  }

  const index = new OffsetIndex(0)
  for (let entry = 1; entry <= 100_000; entry++)
    index.append({ offset: entry * 40, position: entry * 4096 })
  let offset = 0
  group('an offset index of 100,000 entries', () => {
    bench('lookup', () => {
      offset = (offset + 1_234_567) % 4_000_000
      return index.lookup(offset)
    })
  })
  await run()
  for (const log of logs) await log.close()
})
