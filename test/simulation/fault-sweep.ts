// Runs everything that a log manager does again and again, each time with another file operation failing.
import {
  appendNow,
  check,
  closeRun,
  doEverything,
  drive,
  FAILING,
  type FaultRun,
  preparedDisk,
  startRun,
  useSafe,
} from './fault-run.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import type { DiskOperation } from './simulated-faults.ts'
import { settle } from './virtual-clock.ts'

/** What passes by itself: the disk is full, a limit is reached. */
export const REFUSALS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE'])

const OPERATIONS: readonly DiskOperation[] = [
  'open',
  'size',
  'read',
  'write',
  'truncate',
  'sync',
  'readFile',
  'status',
  'list',
  'makeDirectory',
  'rename',
  'remove',
  'setModified',
  'syncDirectory',
  'map',
  'populate',
]
/** What may go wrong. */
export const FAULTS = ['ENOSPC', 'EDQUOT', 'EMFILE', 'EIO', 'EROFS'].map((code) => ({ code }))
/** Operations of which these codes can't come. */
const IMPOSSIBLE: Readonly<Record<string, readonly DiskOperation[]>> = {
  ENOSPC: [
    'size',
    'read',
    'readFile',
    'status',
    'list',
    'map',
    'populate',
    'remove',
    'setModified',
  ],
  EDQUOT: [
    'size',
    'read',
    'readFile',
    'status',
    'list',
    'map',
    'populate',
    'remove',
    'setModified',
  ],
  EMFILE: [
    'size',
    'read',
    'write',
    'truncate',
    'sync',
    'status',
    'rename',
    'remove',
    'makeDirectory',
    'setModified',
    'populate',
  ],
  EROFS: ['size', 'read', 'readFile', 'status', 'list', 'map', 'populate', 'sync', 'syncDirectory'],
}

/** The operations that may fail with `code`. */
export function operationsThatFail(code: string): readonly DiskOperation[] {
  return OPERATIONS.filter((operation) => !IMPOSSIBLE[code]?.includes(operation))
}

/** What a sweep found. */
export interface SweepOutcome {
  /** Each with the number of the operation that failed. */
  readonly wrong: readonly string[]
  readonly operations: number
  /** Runs in which appends were taken again after the failure. */
  readonly resumed: number
}

/** Fails the n-th operation with `code`, for n = `from`, `from + step`, … until a run ends without a failure. */
export async function sweepFaults(options: {
  readonly code: string
  readonly from: number
  readonly step: number
}): Promise<SweepOutcome> {
  const { code, from, step } = options
  const prepared = await preparedDisk()
  const wrong: string[] = []
  let resumed = 0
  let at = from
  for (; ; at += step) {
    const disk = prepared.afterKill(at)
    const result = await runOnce(disk, code, at)
    for (const one of result.wrong) wrong.push(`operation ${at} (${result.failed}): ${one}`)
    if (result.hasResumed) resumed++
    if (!result.failed || wrong.length > 20) break
  }
  return { wrong, operations: at, resumed }
}

async function runOnce(disk: SimulatedDisk, code: string, at: number) {
  const failed = failNth(disk, { on: operationsThatFail(code), code, at })
  let run: FaultRun
  try {
    run = await startRun(disk)
  } catch (error) {
    // A start that is refused must leave all as it was.
    const again = await startRun(disk.afterKill())
    return { failed: failed(), wrong: check(again, again.manager), hasResumed: false, error }
  }
  await doEverything(run)
  await useSafe(run, 'during')
  const wasOffline = run.manager.directories[1]?.isOffline === true
  const refusal = wasOffline ? 'offline' : await appendNow(run, 'after')
  const isOffline = run.manager.directories[1]?.isOffline === true
  // What a start could not open stays closed until the next one.
  const isUnopened = refusal !== undefined && /can't be read/.test(refusal)
  if (refusal !== undefined && !isOffline && !isUnopened) {
    run.wrong.push(`appends do not resume: ${refusal}`)
  }
  const isExplained = /sync/i.test(run.faults.join())
  if (isOffline && REFUSALS.has(code) && !isExplained) {
    run.wrong.push(`a refusal took the directory offline: ${run.faults.join()}`)
  }
  await settle()
  const wrong = [...run.wrong]
  for (const after of [disk.afterKill(at), disk.afterCrash(at), disk.afterCrash(at + 1)]) {
    wrong.push(...(await checkAfter(run, after)))
  }
  await closeRun(run)
  wrong.push(...(await checkAfter(run, disk.afterCrash(at + 2))).map((one) => `closed: ${one}`))
  return { failed: failed(), wrong, hasResumed: refusal === undefined }
}

async function checkAfter(run: FaultRun, disk: SimulatedDisk): Promise<string[]> {
  try {
    const next = await startRun(disk)
    const wrong = [...next.wrong, ...check(run, next.manager)]
    await drive(next.clock, next.manager.closeNow())
    return wrong
  } catch (error) {
    return [`the next start fails: ${error instanceof Error ? error.stack : String(error)}`]
  }
}

/** Orders the failure; the answer tells which operation met it, once one has. */
function failNth(
  disk: SimulatedDisk,
  fault: { on: readonly DiskOperation[]; code: string; at: number },
) {
  let met: string | undefined
  const plan = disk.faults
  const { meet } = plan
  disk.fail({ ...fault, path: `${FAILING}/` })
  plan.meet = (operation, path) => {
    const found = meet.call(plan, operation, path)
    if (found) met ??= `${operation} ${path}`
    return found
  }
  return () => met
}
