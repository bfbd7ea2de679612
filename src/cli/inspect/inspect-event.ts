// What an inspection finds, one thing at a time, in the order of the files: the shape of `inspect --json`.

/** A file or directory begins. */
export interface FileEvent {
  readonly kind: 'file'
  readonly path: string
  /** What it is: `segment`, `offset index`, `data directory`, … */
  readonly type: string
  readonly sizeInBytes?: number
}

/** One record batch of a log. */
export interface BatchEvent {
  readonly kind: 'batch'
  readonly position: number
  readonly sizeInBytes: number
  readonly magic: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** Of a message older than Kafka 0.11 nothing below is known. */
  readonly isCrcValid?: boolean
  readonly crc?: string
  readonly compression?: string
  readonly timestampType?: string
  readonly baseTimestamp?: string
  readonly maxTimestamp?: string
  readonly recordCount?: number
  readonly partitionLeaderEpoch?: number
  readonly producerId?: string
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly lastSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly hasDeleteHorizon?: boolean
}

/** One record of a batch. Keys and values are texts, or base64 where the encoding says so; null is null. */
export interface RecordEvent {
  readonly kind: 'record'
  readonly offset: number
  readonly timestamp: string
  readonly key: string | null
  readonly keyEncoding?: 'base64'
  readonly value: string | null
  readonly valueEncoding?: 'base64'
  readonly headers: readonly {
    readonly name: string
    readonly value: string | null
    readonly valueEncoding?: 'base64'
  }[]
  /** What a control or metadata record says. */
  readonly meaning?: { readonly type: string; readonly version?: number; readonly data?: unknown }
}

/** Bytes in hex, sixteen a line. */
export interface HexEvent {
  readonly kind: 'hex'
  readonly lines: readonly string[]
}

/** One entry of an index, a snapshot, a checkpoint or a file of properties. */
export interface EntryEvent {
  readonly kind: 'entry'
  readonly fields: Readonly<Record<string, string | number | null>>
}

/** Something is wrong, or at least worth a look. `isFault` is false for what a running broker explains. */
export interface ProblemEvent {
  readonly kind: 'problem'
  readonly path: string
  readonly message: string
  readonly isFault: boolean
}

/** What a file or directory held, when it has been read. */
export interface SummaryEvent {
  readonly kind: 'summary'
  readonly path: string
  readonly fields: Readonly<Record<string, string | number | null>>
}

/** One thing that an inspection finds. */
export type InspectEvent =
  | FileEvent
  | BatchEvent
  | RecordEvent
  | HexEvent
  | EntryEvent
  | ProblemEvent
  | SummaryEvent

/** How deep to look. */
export interface InspectOptions {
  /** Lists batches also where a directory is inspected. */
  readonly batches: boolean
  readonly records: boolean
  readonly hex: boolean
  /** Begins at the batch that holds this offset. */
  readonly offset?: number
  /** Lists at most so many batches of each segment. */
  readonly limit: number
}

/** A fault of a file. */
export function fault(path: string, message: string): ProblemEvent {
  return { kind: 'problem', path, message, isFault: true }
}

/** Something that is no fault of the file, but a reader should know. */
export function note(path: string, message: string): ProblemEvent {
  return { kind: 'problem', path, message, isFault: false }
}
