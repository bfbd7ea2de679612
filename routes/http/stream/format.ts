// The two forms of a tail over HTTP.
import { ndjsonError, ndjsonGreeting, ndjsonTexts } from './ndjson.ts'
import { sseError, sseGreeting, sseTexts } from './sse.ts'
import type { TailSource } from './tail-step.ts'

/** How a tail is written. */
export interface TailFormat {
  readonly name: 'sse' | 'ndjson'
  /** What a reader who stands at a cursor gets at once, so that headers are sent before the first record. */
  greeting(cursor: string): string
  /** Everything behind the greeting; `tail.cursor` stands behind what the last text holds. */
  texts(tail: TailSource): AsyncGenerator<string>
  /** Says why there is no more. */
  error(error: unknown): string
}

/** Server-Sent Events. */
export const SSE: TailFormat = {
  name: 'sse',
  greeting: sseGreeting,
  texts: sseTexts,
  error: sseError,
}

/** A record a line. */
export const NDJSON: TailFormat = {
  name: 'ndjson',
  greeting: ndjsonGreeting,
  texts: ndjsonTexts,
  error: ndjsonError,
}

/** All of a tail's texts, the greeting first. */
export async function* textsOf(format: TailFormat, tail: TailSource): AsyncGenerator<string> {
  yield format.greeting(tail.cursor.toJson())
  yield* format.texts(tail)
}
