// A consumer in a group as a loop over its records: what a program in the same process uses.
import type { StoredRecord } from '../reading.ts'
import type { GroupConsumer } from './group-consumer.ts'
import type { Subscription } from './membership.ts'

const POLL = { maxBytes: 1_048_576, maxRecords: 500, waitMs: 30_000 }

/**
 * Joins when the first record is asked for, and leaves when the loop ends. Asking for the next record says that the last
 * one is dealt with; the record at which a loop is broken off is given again to whoever comes next. Ends when `signal`
 * aborts or the broker stops. Throws what refuses the member, and what `GroupConsumer.poll` throws.
 */
export async function* consumedRecords(
  open: () => GroupConsumer,
  subscription: Subscription,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredRecord, void, void> {
  const consumer = open()
  try {
    await consumer.subscribe(subscription)
    while (!signal?.aborted) {
      for (const record of await consumer.poll({ ...POLL, signal })) {
        yield record
        consumer.acknowledge(record, record.offset + 1)
        if (signal?.aborted) return
      }
    }
  } catch (error) {
    // The broker stops: that is how it ends here.
    if (!consumer.isClosed) throw error
  } finally {
    await consumer.close()
  }
}
