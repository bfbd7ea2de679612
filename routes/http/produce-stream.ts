// Produces a body of any length, group by group, with bounded memory.
import type { Session } from '#src/access/session.ts'
import type { Acks, ProducedRecord, ProducedResult } from '#src/broker/broker.ts'
import { KafkaError } from '#storage/base/errors.ts'
import type { Door } from './door.ts'
import { HttpError } from './errors.ts'
import type { Item, Splitter } from './split.ts'

/** Full groups that may wait for the disk at the same time. */
const MAX_GROUPS_IN_FLIGHT = 4
const MAX_GROUP_BYTES = 1024 * 1024
const MAX_GROUP_RECORDS = 5_000

/** Where a record stands. */
export type Placed = Exclude<ProducedResult, { readonly error: unknown }>

/** What became of one item of the body; items count from 1, as lines do. */
export interface Outcome {
  readonly item: number
  /** Missing when the item could not be read. */
  readonly record?: ProducedRecord
  readonly placed?: Placed
  readonly error?: unknown
}

/** A streamed produce: where to, and how the body is read. */
export interface StreamedProduce {
  readonly topic: string
  readonly acks: Acks
  readonly pieces: AsyncIterable<Uint8Array>
  readonly splitter: Splitter
  /** Reads one item that has nothing rare in it; undefined when `decode` must. Throws HttpError. */
  readonly scan?: (bytes: Uint8Array) => ProducedRecord | undefined
  /** Reads one item. Throws HttpError. */
  readonly decode: (text: string) => ProducedRecord
}

/** Items that are appended by one call. */
class Group {
  readonly entries: Entry[] = []
  #bytes = 0

  get isFull(): boolean {
    return this.#bytes >= MAX_GROUP_BYTES || this.entries.length >= MAX_GROUP_RECORDS
  }

  add(entry: Entry, bytes: number): void {
    this.entries.push(entry)
    this.#bytes += bytes
  }

  addAll(other: Group): void {
    for (const entry of other.entries) this.entries.push(entry)
    this.#bytes += other.#bytes
  }
}

interface Entry {
  readonly item: number
  readonly record?: ProducedRecord
  readonly error?: unknown
}

/**
 * Appends records in the order of the body while it arrives, and yields what became of them, in order. What arrives
 * while an append waits for the disk is gathered for the next one, so that a fast client makes large batches and a slow
 * one is not kept waiting; when a few large ones wait, nothing more is read, and a slow disk slows the client. The
 * topic must exist: then appends happen before the first wait, and can't overtake each other.
 */
export async function* produceStream(
  door: Door,
  session: Session,
  produce: StreamedProduce,
): AsyncGenerator<readonly Outcome[]> {
  const arrivals = arrivalsOf(produce)
  const waiting: Promise<readonly Outcome[]>[] = []
  let group = new Group()
  let next: Promise<IteratorResult<Group>> | undefined = arrivals.next()
  try {
    while (next !== undefined || group.entries.length > 0 || waiting.length > 0) {
      const isRoom = waiting.length === 0 || (group.isFull && waiting.length < MAX_GROUPS_IN_FLIGHT)
      if (group.entries.length > 0 && isRoom) {
        waiting.push(append(door, session, produce, group.entries))
        group = new Group()
        continue
      }
      const oldest = waiting[0]
      const mustWait = next === undefined || group.isFull
      if (oldest !== undefined && (mustWait || (await isFirst(oldest, next)))) {
        yield await oldest
        void waiting.shift()
        continue
      }
      const arrival: IteratorResult<Group> | undefined = await next
      if (arrival === undefined || arrival.done) {
        next = undefined
      } else {
        group.addAll(arrival.value)
        next = arrivals.next()
      }
    }
  } finally {
    await arrivals.return(undefined)
  }
}

/** Whether `promise` settles before `other`. */
function isFirst(promise: Promise<unknown>, other: Promise<unknown> | undefined): Promise<boolean> {
  const yes = promise.then(() => true)
  if (other === undefined) return yes
  const no = other.then(
    () => false,
    () => false,
  )
  return Promise.race([yes, no])
}

/** Never rejects: a call that fails fails each of its records. */
async function append(
  { broker }: Door,
  session: Session,
  { topic, acks }: StreamedProduce,
  entries: readonly Entry[],
): Promise<readonly Outcome[]> {
  const records = entries.flatMap(({ record }) => (record === undefined ? [] : [record]))
  try {
    const results = await broker.produceRecords(session, topic, records, acks)
    let index = 0
    return entries.map((entry) => {
      const { item, record } = entry
      return record === undefined ? entry : outcomeOf(item, record, results[index++])
    })
  } catch (error) {
    return entries.map((entry) => ({ ...entry, error: entry.error ?? error }))
  }
}

function outcomeOf(
  item: number,
  record: ProducedRecord,
  result: ProducedResult | undefined,
): Outcome {
  if (result === undefined) {
    return { item, record, error: new Error('The broker left a record unanswered') }
  }
  if ('error' in result)
    return { item, record, error: new KafkaError(result.error, result.message) }
  return { item, record, placed: result }
}

/** The body's items as they arrive: all that one piece completes, cut where it is large. */
async function* arrivalsOf(produce: StreamedProduce): AsyncGenerator<Group> {
  const { pieces, splitter } = produce
  for await (const piece of withEnd(pieces)) {
    let group = new Group()
    for (const item of piece === undefined ? splitter.end() : splitter.push(piece)) {
      const size = item instanceof HttpError ? 0 : item.length
      group.add(entryOf(item, splitter.number, produce), size)
      if (!group.isFull) continue
      yield group
      group = new Group()
    }
    if (group.entries.length > 0) yield group
  }
}

/** The pieces, then undefined. */
async function* withEnd(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | undefined> {
  yield* pieces
  yield undefined
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function entryOf(item: Item, number: number, { scan, decode }: StreamedProduce): Entry {
  if (item instanceof HttpError) return { item: number, error: item }
  try {
    const record = scan?.(item)
    if (record !== undefined) return { item: number, record }
    const text = decoder.decode(item).trim()
    JSON.parse(text)
    return { item: number, record: decode(text) }
  } catch (error) {
    if (error instanceof HttpError) return { item: number, error }
    const reason = error instanceof Error ? error.message : ''
    return { item: number, error: new HttpError(42203, `Not JSON: ${reason}`) }
  }
}
