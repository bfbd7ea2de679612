// Reads the marker out of a control batch.
import { CONTROL_TYPE, controlType, coordinatorEpoch } from '../batch/control-record.ts'
import { readRecords } from '../batch/record.ts'
import type { RecordBatch } from '../batch/record-batch.ts'
import type { TransactionMarker } from '../state/producer-append.ts'

/** The marker in a control batch; undefined when compaction emptied it, or when it ends no transaction. */
export function readTransactionMarker(batch: RecordBatch): TransactionMarker | undefined {
  if (!batch.isControl) return undefined
  for (const record of readRecords(batch)) {
    const type = controlType(record)
    if (type !== CONTROL_TYPE.abort && type !== CONTROL_TYPE.commit) return undefined
    const isAbort = type === CONTROL_TYPE.abort
    return { isAbort, coordinatorEpoch: coordinatorEpoch(record) }
  }
  return undefined
}
