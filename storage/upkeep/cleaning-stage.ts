// The part of a cleaning that reads and writes records, in a thread of its own.
import type { BackgroundThread, StartThread } from '../base/background-thread.ts'
import type {
  CleanedSegment,
  CleaningJob,
  CleaningRequest,
  CleaningStage,
  MapSummary,
} from './cleaning-job.ts'

/** A stage that can be told that it works in vain, and must be ended. */
export interface CleaningThread extends CleaningStage {
  interrupt(): void
  end(): Promise<void>
}

/** Starts a thread for one cleaning. */
export async function startCleaningThread(
  startThread: StartThread,
  job: CleaningJob,
): Promise<CleaningThread> {
  const thread = await startThread(new URL('./cleaning-thread.ts', import.meta.url))
  try {
    await ask(thread, { begin: job })
  } catch (error) {
    await thread.end()
    throw error
  }
  return {
    buildMap: (range) => ask(thread, { map: range }) as Promise<MapSummary>,
    clean: (group) => ask(thread, { clean: group }) as Promise<CleanedSegment>,
    interrupt: () => thread.interrupt(),
    end: () => thread.end(),
  }
}

function ask(thread: BackgroundThread, request: CleaningRequest): Promise<unknown> {
  return thread.ask(request)
}
