// Faults that a test orders from the simulated disk, and the count of the operations they are ordered by.
import { systemError } from '#storage/fs/system-error.ts'

/** What can be counted and made to fail. */
export type DiskOperation =
  | 'open'
  | 'size'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'readFile'
  | 'status'
  | 'list'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'setModified'
  | 'syncDirectory'
  | 'map'
  | 'populate'
  | 'lock'
  | 'space'

/** The operations that change what a crash may leave: crash sweeps stop before and after each of them. */
export const CHANGES: readonly DiskOperation[] = [
  'open',
  'write',
  'truncate',
  'sync',
  'makeDirectory',
  'rename',
  'remove',
  'setModified',
  'syncDirectory',
]

/** An order to fail. */
export interface OrderedFault {
  /** Which operations; default all. */
  readonly on?: DiskOperation | readonly DiskOperation[]
  /** Only on paths that contain this. */
  readonly path?: string
  /** The how-manieth matching operation from now on fails, 1 being the next; default 1. */
  readonly at?: number
  /** How many fail in a row; default 1. `Infinity`: until `heal()`. */
  readonly times?: number
  /** ENOSPC, EIO, EROFS, EMFILE, … */
  readonly code: string
  /** `write` only: how many bytes still arrive before the error; default: a random part. */
  readonly writtenBytes?: number
}

/** Thrown by every call once the simulated machine has stopped. No code of ours may catch it and go on. */
export class MachineStopped extends Error {
  override readonly name = 'MachineStopped'
}

/** Counts operations and says which of them fails. */
export class FaultPlan {
  readonly counts = new Map<DiskOperation, number>()
  /** All operations that change something, so far. */
  changes = 0
  /** Whether an ordered fault was met. */
  hasMet = false
  #orders: { fault: OrderedFault; seen: number }[] = []
  #stopAtChange = Number.POSITIVE_INFINITY
  #isStopped = false

  order(fault: OrderedFault): void {
    this.#orders.push({ fault, seen: 0 })
  }

  heal(): void {
    this.#orders = []
  }

  /** Goes on with the orders of the plan before, of the same machine. */
  takeOver(before: FaultPlan): void {
    this.#orders = before.#orders
    this.hasMet = before.hasMet
    this.#stopAtChange = this.changes + before.#stopAtChange - before.changes
  }

  /** Stops the machine at the n-th change from now on (1: the next). */
  stopAtChange(n: number): void {
    this.#stopAtChange = this.changes + n
  }

  /** Counts one operation. Returns the fault that it meets, if any. Throws MachineStopped after the stop. */
  meet(operation: DiskOperation, path: string): OrderedFault | undefined {
    if (this.#isStopped) throw new MachineStopped(`The machine has stopped: ${operation} ${path}`)
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1)
    if (CHANGES.includes(operation)) this.changes++
    this.#isStopped = this.changes >= this.#stopAtChange
    let met: OrderedFault | undefined
    for (const order of this.#orders) {
      if (!matches(order.fault, operation, path)) continue
      const { at = 1, times = 1 } = order.fault
      order.seen++
      if (order.seen >= at && order.seen < at + times) met ??= order.fault
    }
    this.hasMet ||= met !== undefined
    return met
  }

  /** Throws when the operation that was just carried out was the machine's last. */
  throwIfStopped(): void {
    if (this.#isStopped) throw new MachineStopped('The machine stopped')
  }

  get isStopped(): boolean {
    return this.#isStopped
  }
}

/** The error that a fault raises. */
export function faultError(fault: OrderedFault, operation: DiskOperation, path: string): Error {
  return systemError(fault.code, `ordered for ${operation} '${path}'`)
}

function matches(fault: OrderedFault, operation: DiskOperation, path: string): boolean {
  const wanted = fault.on === undefined ? undefined : [fault.on].flat()
  if (wanted !== undefined && !wanted.includes(operation)) return false
  return fault.path === undefined || path.includes(fault.path)
}
