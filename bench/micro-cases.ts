// The functions that every produced batch and every fetch pass, each as one call that can be repeated.
import { join } from 'node:path'
import { encodeAnswer } from '#routes/kafka/answer.ts'
import { produce } from '#routes/kafka/handlers/00-produce.ts'
import { ProduceRequest } from '#src/protocol/messages/00-produce.ts'
import { readRecords } from '#storage/batch/record.ts'
import { FIELD, RecordBatch } from '#storage/batch/record-batch.ts'
import { scanRecords } from '#storage/batch/scan-records.ts'
import { type AppendRules, validateBatch } from '#storage/batch/validate.ts'
import { setInt64At } from '#storage/bytes/big-endian.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { OffsetIndex } from '#storage/segment/offset-index.ts'
import { TimeIndex } from '#storage/segment/time-index.ts'
import { benchBatch, openBenchLog } from './workspace.ts'

/** One function under measurement. What `call` gives keeps compilers from leaving it out. */
export interface MicroCase {
  readonly name: string
  call(): number
}

const BATCH_BYTES = 16_384
const SEGMENT_BYTES = 64 * 1_048_576
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAg'
const VERSION = 13

/** The cases, with logs in `folder`; to be ended. */
export async function microCases(
  folder: string,
): Promise<{ readonly cases: readonly MicroCase[]; end(): Promise<void> }> {
  const of100 = benchBatch(100, BATCH_BYTES)
  const of1024 = benchBatch(1024, BATCH_BYTES)
  const single = benchBatch(100, 1)
  const log = await openBenchLog(join(folder, 'micro'), SEGMENT_BYTES)
  for (let number = 0; number < 100; number++) append(log, of100)
  const middle = Math.floor(log.logEndOffset / 2)
  const fetch = { maxBytes: BATCH_BYTES, isolation: 'log_end', minOneBatch: true } as const
  const cases: MicroCase[] = [
    { name: 'reference: add 1,000 numbers', call: addNumbers },
    ...[64, 200, 400, 1024, 16_384].map((size) => {
      const bytes = new Uint8Array(size).fill(7)
      return { name: `crc32c of ${size} bytes`, call: () => crc32c(bytes) }
    }),
    { name: 'batch header', call: () => headerSum(of100) },
    { name: 'scan the records of 16 KiB of 100 bytes', call: () => scan(of100) },
    { name: 'scan the records of 16 KiB of 1 KB', call: () => scan(of1024) },
    { name: 'validate 16 KiB of 100 bytes', call: () => validate(of100) },
    { name: 'validate one record of 100 bytes', call: () => validate(single) },
    { name: 'append 16 KiB of 100 bytes', call: () => append(log, of100) },
    { name: 'append one record of 100 bytes', call: () => append(log, single) },
    { name: 'decode the records of 16 KiB of 100 bytes', call: () => decodeRecords(of100) },
    {
      name: 'read 16 KiB from the middle',
      call() {
        const lease = log.read(middle, fetch).lease()
        lease.release()
        return lease.bytes.length
      },
    },
    ...indexCases(),
    ...[1, 100].flatMap((partitions) => messageCases(partitions, single)),
  ]
  return { cases, end: () => log.close() }
}

function addNumbers(): number {
  let sum = 0
  for (let number = 0; number < 1000; number++) sum = (sum + Math.imul(number, number)) | 0
  return sum
}

function headerSum(bytes: Uint8Array): number {
  const { lastOffset, maxTimestamp, recordCount } = new RecordBatch(bytes)
  return lastOffset + Number(maxTimestamp) + recordCount
}

function scan(bytes: Uint8Array): number {
  const { recordCount } = new RecordBatch(bytes)
  return scanRecords(bytes, 61, bytes.length, recordCount)?.maxTimestampDelta ?? -1
}

const RULES: AppendRules = {
  ...{ maxMessageBytes: 1_048_588, compressionType: 'producer', timestampType: 'CreateTime' },
  levels: DEFAULT_LOG_CONFIG.compressionLevels,
  timestampBeforeMaxMs: DEFAULT_LOG_CONFIG.messageTimestampBeforeMaxMs,
  timestampAfterMaxMs: DEFAULT_LOG_CONFIG.messageTimestampAfterMaxMs,
  ...{ isCompacted: false, maxDecompressedBytes: DEFAULT_LOG_CONFIG.maxDecompressedBytes },
  now: Number.MAX_SAFE_INTEGER / 2,
}

function validate(bytes: Uint8Array): number {
  return validateBatch(new RecordBatch(bytes), RULES, 'client').batch.sizeInBytes
}

function append(log: Awaited<ReturnType<typeof openBenchLog>>, bytes: Uint8Array): number {
  const request = { leaderEpoch: 0, origin: 'client', needsDisk: false } as const
  const { lastOffset } = log.append(bytes, request)
  // The log has put its offset into the batch; a producer's batches begin at 0.
  setInt64At(bytes, FIELD.baseOffset, 0)
  return lastOffset
}

function decodeRecords(bytes: Uint8Array): number {
  let size = 0
  for (const record of readRecords(new RecordBatch(bytes))) size += record.value?.length ?? 0
  return size
}

function indexCases(): MicroCase[] {
  const entries = 100_000
  const index = new OffsetIndex(0)
  for (let entry = 1; entry <= entries; entry++) {
    index.append({ offset: entry * 40, position: entry * 4096 })
  }
  let offset = 0
  let [grown, times, last] = [new OffsetIndex(0), new TimeIndex(0), 0]
  return [
    {
      name: `look up one of ${entries} index entries`,
      call() {
        offset = (offset + 1_234_567) % (entries * 40)
        return index.lookup(offset).position
      },
    },
    {
      name: 'append to both indexes',
      call() {
        if (last === entries) [grown, times, last] = [new OffsetIndex(0), new TimeIndex(0), 0]
        last++
        grown.append({ offset: last * 40, position: last * 4096 })
        times.maybeAppend({ timestamp: last, offset: last * 40 })
        return last
      },
    },
  ]
}

function messageCases(partitions: number, records: Uint8Array): MicroCase[] {
  const indexes = Array.from({ length: partitions }, (_, index) => index)
  const partitionData = indexes.map((index) => ({ index, records }))
  const request = { acks: 1, timeoutMs: 1, topicData: [{ topicId: TOPIC_ID, partitionData }] }
  const bytes = ProduceRequest.encode(request, VERSION)
  const partitionResponses = indexes.map((index) => {
    return { index, errorCode: 0, baseOffset: 12_345, logStartOffset: 0 }
  })
  const answer = { responses: [{ topicId: TOPIC_ID, partitionResponses }] }
  const answered = { api: produce, version: VERSION, correlationId: 1 }
  const of = partitions === 1 ? '1 partition' : `${partitions} partitions`
  return [
    {
      name: `decode a Produce request of ${of}`,
      call: () => ProduceRequest.read(new ByteReader(bytes), VERSION).topicData.length,
    },
    {
      name: `encode its answer, ${of}`,
      call: () => encodeAnswer(answered, answer).sizeInBytes,
    },
  ]
}
