// Which records of a refused batch are at fault.
import { InvalidRecordsError, type RecordError } from '#storage/batch/validate.ts'

const NONE: readonly RecordError[] = []

/** The records that the error names; none when it concerns the batch as a whole. */
export function recordErrorsOf(error: unknown): readonly RecordError[] {
  return error instanceof InvalidRecordsError ? error.recordErrors : NONE
}
