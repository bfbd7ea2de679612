// What tails hand to those who write them to a client.
import type { CommittedOffset, PartitionName } from '#src/broker/consumers/committed-offsets.ts'
import type { Gap } from '#src/broker/consumers/consumer-options.ts'
import type { StoredRecord } from '#src/broker/reading.ts'
import type { Cursor } from './cursor.ts'

/** What a tail hands its reader next. Only tails with a group have the last three. */
export type TailStep =
  | { readonly kind: 'records'; readonly records: readonly StoredRecord[] }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'ping' }
  | { readonly kind: 'error'; readonly error: unknown }
  | {
      readonly kind: 'assigned' | 'revoked'
      readonly partitions: readonly PartitionName[]
    }
  | { readonly kind: 'committed'; readonly offsets: readonly CommittedOffset[] }

/** A tail, with a group or without. */
export interface TailSource {
  /** Where the reader stands: the reader itself advances it for each record it passes on. */
  readonly cursor: Cursor
  /** The next step, waiting for it up to the heartbeat; undefined when the tail has ended. To be asked for by one at a time. */
  next(): Promise<TailStep | undefined>
  /** Ends the tail and gives its slot back. Again is harmless. */
  readonly close: () => void
  /** Where it is the reader who says which records are dealt with: all of the partition below `offset` are. */
  readonly acknowledge?: ((at: PartitionName, offset: number) => void) | undefined
}
