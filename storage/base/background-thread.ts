// Threads for work that would hold the loop for too long: each answers one request after the other.
//
// `startThread` is the side of those who ask, `serveThread` that of the thread's own script. What goes across is copied, as
// `structuredClone` does; errors arrive as what they were.
import { setPriority } from 'node:os'
import {
  AssertionError,
  KafkaError,
  type KafkaErrorName,
  StorageFault,
  systemCode,
} from './errors.ts'
import { loadWorkerThreads } from './late-modules.ts'

/** A thread that was started. */
export interface BackgroundThread {
  /** Has the thread answer a request, after those before it; rejects with what it throws. */
  ask(request: unknown): Promise<unknown>
  /** Tells the thread that its work is in vain: what it is about should soon end, well or badly. */
  interrupt(): void
  /** Ends the thread, which should have nothing to do. */
  end(): Promise<void>
}

/** A third of the share of a thread that answers requests, when both want to run. More, and a busy machine starves it. */
const NICENESS = 5

/** Starts a thread that runs `script`, which calls `serveThread`. Rejects when there can't be another thread. */
export type StartThread = (script: URL) => Promise<BackgroundThread>

/** What a thread is told when it starts. */
interface Start {
  /** One int32: 1 once the work is in vain. */
  readonly interrupted: SharedArrayBuffer
}

type Answer = { readonly result: unknown } | { readonly error: PackedError }

interface PackedError {
  readonly name: string
  readonly message: string
  readonly code: string | undefined
  readonly stack: string | undefined
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** A thread of this process, with memory of its own, which gives way to the others when the machine is busy. */
export const startThread: StartThread = async (script) => {
  const interrupted = new SharedArrayBuffer(4)
  const start: Start = { interrupted }
  const { Worker } = loadWorkerThreads()
  const worker = new Worker(script, { workerData: start })
  const waiting: Waiting[] = []
  let ended: Error | undefined
  const ending = (error: Error) => {
    ended ??= error
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  worker.on('message', (answer: Answer) => {
    const first = waiting.shift()
    if ('error' in answer) first?.reject(unpackError(answer.error))
    else first?.resolve(answer.result)
  })
  worker.on('messageerror', (error) =>
    ending(threadEnded(`can't be heard: ${String(error)}`, error)),
  )
  worker.on('error', (error) => ending(threadEnded(`failed: ${String(error)}`, error)))
  worker.on('exit', (code) => ending(threadEnded(`ended with ${code}`)))
  const answer = () => {
    return new Promise<unknown>((resolve, reject) => {
      if (ended) reject(ended)
      else waiting.push({ resolve, reject })
    })
  }
  // The first answer, to nothing, says that it is there.
  await answer()
  return {
    ask(request) {
      const answered = answer()
      worker.postMessage(request)
      return answered
    },
    interrupt: () => void Atomics.store(new Int32Array(interrupted), 0, 1),
    async end() {
      await worker.terminate()
    },
  }
}

/** Answers the requests of whoever started this thread. `isInterrupted` tells when an answer is not wanted any more. */
export function serveThread(
  answer: (request: unknown, isInterrupted: () => boolean) => Promise<unknown>,
): void {
  const { parentPort: port, workerData } = loadWorkerThreads()
  if (!port) throw new AssertionError('This script runs in a thread')
  const { interrupted } = workerData as Start
  const flag = new Int32Array(interrupted)
  const isInterrupted = () => Atomics.load(flag, 0) === 1
  giveWay()
  let last: Promise<void> = Promise.resolve()
  const answerNext = async (request: unknown) => {
    try {
      port.postMessage({ result: await answer(request, isInterrupted) } satisfies Answer)
    } catch (error) {
      port.postMessage({ error: packError(error) } satisfies Answer)
    }
  }
  port.on('message', (request: unknown) => {
    last = last.then(() => answerNext(request))
  })
  port.postMessage({ result: undefined } satisfies Answer)
}

/** On Linux, priorities are those of threads; elsewhere that of the process, which is not to change. */
function giveWay(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, NICENESS)
  } catch {
    // It only makes others wait a little longer.
  }
}

function threadEnded(how: string, cause?: unknown): KafkaError {
  return new KafkaError('KAFKA_STORAGE_ERROR', `A thread in the background ${how}`, { cause })
}

function packError(error: unknown): PackedError {
  const known = error instanceof Error ? error : new Error(String(error))
  const { name, message, stack } = known
  return { name, message, code: systemCode(error), stack }
}

function unpackError({ name, message, code, stack }: PackedError): Error {
  const error = errorOf(name, message, code)
  if (stack !== undefined) error.stack = stack
  return error
}

function errorOf(name: string, message: string, code: string | undefined): Error {
  switch (name) {
    case 'KafkaError':
      return new KafkaError(code as KafkaErrorName, message)
    case 'StorageFault':
      return new StorageFault(message)
    case 'AssertionError':
      return new AssertionError(message)
    default:
      return Object.assign(new Error(message), code === undefined ? {} : { code })
  }
}
