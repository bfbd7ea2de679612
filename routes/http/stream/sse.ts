// A tail as Server-Sent Events, with ids as KafkaSSE has them.
import { errorBody } from '../errors.ts'
import { recordJson } from '../record-json.ts'
import { eventJson } from './ndjson.ts'
import type { TailSource } from './tail-step.ts'

/** Texts are handed to the socket in pieces of about this size. */
const PIECE_CHARACTERS = 32 * 1024

/**
 * `event: message` for each record, its `id` the cursor behind it; `event: ping` at the start and when idle, so that
 * a client knows its cursor before the first record; `event: gap` where retention was faster than the reader;
 * `event: error` before the end when something went wrong.
 */
export async function* sseTexts(tail: TailSource): AsyncGenerator<string> {
  yield event('ping', '{}', tail)
  for (;;) {
    const step = await tail.next()
    if (step === undefined) return
    switch (step.kind) {
      case 'ping':
        yield event('ping', '{}', tail)
        break
      case 'gap':
        yield event('gap', JSON.stringify(step.gap), tail)
        break
      case 'assigned':
      case 'revoked':
      case 'committed': {
        const { event: name, ...data } = JSON.parse(eventJson(step))
        yield event(name, JSON.stringify(data), tail)
        break
      }
      case 'error':
        yield `event: error\ndata: ${JSON.stringify(errorBody(step.error))}\n\n`
        return
      case 'records': {
        let text = ''
        for (const record of step.records) {
          tail.cursor.set(record.topic, record.partition, record.offset + 1)
          text += event('message', recordJson(record), tail)
          if (text.length < PIECE_CHARACTERS) continue
          yield text
          text = ''
        }
        if (text !== '') yield text
      }
    }
  }
}

function event(name: string, data: string, { cursor }: TailSource): string {
  return `event: ${name}\nid: ${cursor.toJson()}\ndata: ${data}\n\n`
}
