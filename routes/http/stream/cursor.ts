// Where a reader of several partitions stands, as the text that SSE clients send back when they return.
import type { OffsetSpec } from '#src/broker/reading.ts'
import { HttpError } from '../errors.ts'
import { parseOffset, parseTimestamp } from '../parameters.ts'

/** One entry of a cursor that a client sent: `offset` is the next one to read. */
export interface CursorEntry {
  readonly topic: string
  readonly partition: number
  readonly spec: OffsetSpec
}

/** The next offset of each partition. Its text is kept in pieces, because it is written once for each record. */
export class Cursor {
  readonly #entries = new Map<string, string>()

  /** Sets the next offset to read of a partition. */
  set(topic: string, partition: number, offset: number): void {
    this.#entries.set(
      `${topic}-${partition}`,
      `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset}}`,
    )
  }

  /** Forgets a partition. */
  delete(topic: string, partition: number): void {
    this.#entries.delete(`${topic}-${partition}`)
  }

  /** A JSON array of all partitions, on one line. */
  toJson(): string {
    return `[${[...this.#entries.values()].join(',')}]`
  }
}

/**
 * Reads a cursor: a JSON array of `{"topic", "partition", "offset"}`, with `"timestamp"` instead of the offset where
 * a time says it better. Throws 400.
 */
export function parseCursor(text: string): readonly CursorEntry[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    list = undefined
  }
  if (!Array.isArray(list)) throw new HttpError(400, `Not a cursor: ${text.slice(0, 200)}`)
  return list.map((entry: unknown) => {
    const { topic, partition, offset, timestamp } = Object(entry) as Record<string, unknown>
    if (typeof topic !== 'string' || !Number.isInteger(partition)) {
      throw new HttpError(400, 'A cursor entry has a topic and a partition')
    }
    if (offset === undefined && timestamp === undefined) {
      throw new HttpError(400, 'A cursor entry has an offset or a timestamp')
    }
    const spec: OffsetSpec =
      offset === undefined
        ? { timestamp: parseTimestamp(String(timestamp)) }
        : parseOffset(String(offset))
    return { topic, partition: Number(partition), spec }
  })
}
