// A tail as Server-Sent Events, with ids as KafkaSSE has them.
import { errorBody } from '../errors.ts'
import { recordJson } from '../record-json.ts'
import { eventJson } from './ndjson.ts'
import type { TailSource } from './tail-step.ts'

/** Texts are handed to the socket in pieces of about this size. */
const PIECE_CHARACTERS = 32 * 1024

/** `event: ping`, so that a client knows its cursor before the first record. */
export function sseGreeting(cursor: string): string {
  return event('ping', '{}', cursor)
}

/** `event: error`. */
export function sseError(error: unknown): string {
  return `event: error\ndata: ${JSON.stringify(errorBody(error))}\n\n`
}

/**
 * `event: message` for each record, its `id` the cursor behind it; `event: ping` when idle; `event: gap` where
 * retention was faster than the reader; `event: error` before the end when something went wrong.
 */
export async function* sseTexts(tail: TailSource): AsyncGenerator<string> {
  const { cursor } = tail
  for (;;) {
    const step = await tail.next()
    if (step === undefined) return
    switch (step.kind) {
      case 'ping':
        yield sseGreeting(cursor.toJson())
        break
      case 'gap':
        yield event('gap', JSON.stringify(step.gap), cursor.toJson())
        break
      case 'assigned':
      case 'revoked':
      case 'committed': {
        const { event: name, ...data } = JSON.parse(eventJson(step))
        yield event(name, JSON.stringify(data), cursor.toJson())
        break
      }
      case 'error':
        yield sseError(step.error)
        return
      case 'records': {
        let text = ''
        for (const record of step.records) {
          cursor.set(record.topic, record.partition, record.offset + 1)
          text += event('message', recordJson(record), cursor.toJson())
          if (text.length < PIECE_CHARACTERS) continue
          yield text
          text = ''
        }
        if (text !== '') yield text
      }
    }
  }
}

function event(name: string, data: string, cursor: string): string {
  return `event: ${name}\nid: ${cursor}\ndata: ${data}\n\n`
}
