// What a system error means: a refusal that may pass, or a fault that takes the log directory offline (RULES 11).
import { KafkaError, StorageFault, systemCode } from '../base/errors.ts'

/** The disk is full, a quota or a limit is reached: what exists is intact, and appends may resume. */
const REFUSALS = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EFBIG', 'ENOMEM'])

/** How a thrown value is to be taken. `bug`: not from the system at all. */
export type FailureKind = 'refusal' | 'fault' | 'bug'

/** Sorts a thrown value. Every system error that is not known to be harmless is a fault. */
export function failureKind(error: unknown): FailureKind {
  if (error instanceof KafkaError) return 'refusal'
  if (error instanceof StorageFault) return 'fault'
  const code = systemCode(error)
  // System codes are E and capitals; `ERR_INVALID_ARG_TYPE` and the like are mistakes of ours.
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return 'bug'
  return REFUSALS.has(code) ? 'refusal' : 'fault'
}

/**
 * The error to throw on: a system error becomes a `KafkaError` (KAFKA_STORAGE_ERROR) or a `StorageFault` that says
 * `what` failed and holds it as `cause`. Everything else, our own errors and bugs, comes back as it is.
 * `what` begins a sentence: `Appending to orders-0`.
 */
export function storageError(error: unknown, what: string): unknown {
  if (error instanceof KafkaError || error instanceof StorageFault) return error
  const kind = failureKind(error)
  if (kind === 'bug') return error
  const message = `${what} failed with ${systemCode(error)}`
  if (kind === 'fault') return new StorageFault(message, { cause: error })
  return new KafkaError('KAFKA_STORAGE_ERROR', message, { cause: error })
}

/** Runs what must not stop halfway: a refusal is a fault, too. */
export function orFault<T>(what: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (failureKind(error) !== 'refusal') throw storageError(error, what)
    throw new StorageFault(`${what} stopped halfway`, { cause: error })
  }
}
