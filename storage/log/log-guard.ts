// Stands between a log and its files: what a failed system call means, and that nothing follows a fault.
import { KafkaError, StorageFault } from '../base/errors.ts'
import { storageError } from '../fs/failures.ts'

/** Whether a log may be used, and why not. The first fault stays. */
export class LogGuard {
  readonly #name: string
  readonly #onFault: (fault: StorageFault) => void
  #fault: StorageFault | undefined
  #isClosed = false

  constructor(name: string, onFault: (fault: StorageFault) => void) {
    this.#name = name
    this.#onFault = onFault
  }

  get fault(): StorageFault | undefined {
    return this.#fault
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Throws `StorageFault` after a fault, and KAFKA_STORAGE_ERROR once the log is closed. */
  check(): void {
    if (this.#fault) throw new StorageFault(`${this.#name} is offline`, { cause: this.#fault })
    if (this.#isClosed) throw new KafkaError('KAFKA_STORAGE_ERROR', `${this.#name} is closed`)
  }

  /** Runs what touches files. A system error becomes a refusal or a fault; a fault takes the log offline. */
  run<T>(verb: string, action: () => T): T {
    this.check()
    try {
      return action()
    } catch (error) {
      const reported = storageError(error, `${verb} ${this.#name}`)
      if (reported instanceof StorageFault) this.fail(reported)
      throw reported
    }
  }

  /** Takes the log offline. */
  fail(fault: StorageFault): void {
    if (this.#fault || this.#isClosed) return
    this.#fault = fault
    this.#onFault(fault)
  }

  /** From now on `check` throws. */
  close(): void {
    this.#isClosed = true
  }
}
