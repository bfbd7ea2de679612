// What processes did to a log, and to the positions of groups in it: a line of JSON per event, a file per process.
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A record as it was seen: its offset and its value, which is unique in the whole history. */
export type SeenRecord = readonly [offset: number, value: string]

/** A position in a partition: the offset of the next record to read. */
export type Position = readonly [partition: number, offset: number]

/** What happened. A history is about one topic; names of processes are unique, also when one is started again. */
export type Happening =
  /** A producer hands values to its client, all for one partition. */
  | { readonly op: 'send'; readonly partition: number; readonly values: readonly string[] }
  /** They were acknowledged, at consecutive offsets from `offset`. */
  | {
      readonly op: 'sent'
      readonly partition: number
      readonly offset: number
      readonly values: readonly string[]
    }
  /** They failed. Only when the broker said that it refused them are they known not to be there. */
  | { readonly op: 'unsent'; readonly values: readonly string[]; readonly refused?: boolean }
  /** A consumer begins. A static member names its instance, which outlives its processes. */
  | { readonly op: 'start'; readonly group: string; readonly instance?: string }
  /** It may read these partitions now, from their committed positions. `generation` where the client tells it. */
  | { readonly op: 'assign'; readonly partitions: readonly number[]; readonly generation?: number }
  /** It stops reading these. */
  | { readonly op: 'revoke'; readonly partitions: readonly number[] }
  /** Where it begins to read, because that was committed, or because nothing was and it begins with the first record. */
  | { readonly op: 'position'; readonly partition: number; readonly offset: number }
  /** It goes elsewhere by itself. */
  | { readonly op: 'seek'; readonly partition: number; readonly offset: number }
  /** It was given these records. */
  | {
      readonly op: 'poll'
      readonly partition: number
      readonly records: readonly SeenRecord[]
    }
  /** It asks for positions to be kept. */
  | { readonly op: 'commit'; readonly id: number; readonly offsets: readonly Position[] }
  /** They are kept. */
  | { readonly op: 'committed'; readonly id: number }
  /** That failed. Only when the broker said that it refused them are they known not to be kept. */
  | { readonly op: 'uncommitted'; readonly id: number; readonly refused?: boolean }
  /** The process ended, or lost all that it held. */
  | { readonly op: 'close' }
  /** An onlooker asked for the positions of a group at `since`, and has the answer now; −1 where there is none. */
  | {
      readonly op: 'fetched'
      readonly group: string
      readonly since: number
      readonly offsets: readonly Position[]
    }
  /** The whole partition, read when everything was over: offsets from `start` to before `end`. */
  | {
      readonly op: 'log'
      readonly partition: number
      readonly start: number
      readonly end: number
      readonly records: readonly SeenRecord[]
    }
  /** By now the group has been given everything. */
  | { readonly op: 'drained'; readonly group: string }

/** What happened, to whom, and when: milliseconds of one clock that all processes share, rounded down. */
export type HistoryEvent = Happening & { readonly at: number; readonly process: string }

/**
 * Appends what one process does to its file. Each event is written before the call returns, so that it survives a
 * SIGKILL: write a poll before its records count as processed, a commit before it is asked for, an answer after it came.
 */
export class HistoryWriter {
  readonly process: string
  readonly #file: number

  constructor(directory: string, process: string) {
    this.process = process
    this.#file = openSync(join(directory, `${process}.jsonl`), 'a')
  }

  write(happening: Happening): void {
    const event: HistoryEvent = { at: Date.now(), process: this.process, ...happening }
    writeSync(this.#file, `${JSON.stringify(event)}\n`)
  }
}

/** All events in the files of a directory, by time; those of one process, and of one millisecond, in their own order. */
export function readHistory(directory: string): Iterable<HistoryEvent> {
  const names = readdirSync(directory).filter((name) => name.endsWith('.jsonl'))
  return {
    *[Symbol.iterator]() {
      yield* merged(names.toSorted().map((name) => eventsIn(join(directory, name))))
    },
  }
}

/** The events of histories that are each in order, in the order of their times. */
export function* merged(histories: readonly Iterable<HistoryEvent>[]): Generator<HistoryEvent> {
  const heads: { event: HistoryEvent; rest: Iterator<HistoryEvent> }[] = []
  const take = (rest: Iterator<HistoryEvent>) => {
    const next = rest.next()
    if (next.done === true) return
    // Few files, and mostly the same one goes on: the place is found from the end.
    let at = heads.length
    while (at > 0 && (heads[at - 1]?.event.at ?? 0) <= next.value.at) at -= 1
    heads.splice(at, 0, { event: next.value, rest })
  }
  for (const history of histories) take(history[Symbol.iterator]())
  for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
    yield head.event
    take(head.rest)
  }
}

/** The events of one file. A last line without its end was cut off by the death of its writer. */
export function* eventsIn(file: string): Generator<HistoryEvent> {
  const handle = openSync(file, 'r')
  try {
    const decoder = new TextDecoder()
    const chunk = new Uint8Array(1 << 16)
    let text = ''
    for (let size = readSync(handle, chunk); size > 0; size = readSync(handle, chunk)) {
      text += decoder.decode(chunk.subarray(0, size), { stream: true })
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  } finally {
    closeSync(handle)
  }
}
