// A tail as NDJSON: a record a line. Lines with an `event` member are not records.
import type { PartitionName } from '#src/broker/consumers/committed-offsets.ts'
import { errorBody } from '../errors.ts'
import { recordJson } from '../record-json.ts'
import type { TailSource, TailStep } from './tail-step.ts'

const PIECE_CHARACTERS = 32 * 1024

/** An empty line. */
export function ndjsonGreeting(): string {
  return '\n'
}

/** The line before the end when something went wrong. */
export function ndjsonError(error: unknown): string {
  return `${eventJson({ kind: 'error', error })}\n`
}

/** Records as lines; empty lines when idle. */
export async function* ndjsonTexts(tail: TailSource): AsyncGenerator<string> {
  for (;;) {
    const step = await tail.next()
    if (step === undefined) return
    if (step.kind === 'ping') {
      yield '\n'
    } else if (step.kind !== 'records') {
      yield `${eventJson(step)}\n`
    } else {
      let text = ''
      for (const record of step.records) {
        text += `${recordJson(record)}\n`
        tail.cursor.set(record.topic, record.partition, record.offset + 1)
        if (text.length < PIECE_CHARACTERS) continue
        yield text
        text = ''
      }
      if (text !== '') yield text
    }
  }
}

/** A step that holds no records as JSON, told from a record by its member `event`. */
export function eventJson(step: Exclude<TailStep, { kind: 'records' }>): string {
  switch (step.kind) {
    case 'ping':
      return '{"event":"ping"}'
    case 'gap':
      return JSON.stringify({ event: 'gap', ...step.gap })
    case 'assigned':
    case 'revoked':
      return JSON.stringify({ event: step.kind, partitions: step.partitions.map(placeOf) })
    case 'committed':
      return JSON.stringify({
        event: 'committed',
        offsets: step.offsets.map(({ offset, ...at }) => ({ ...placeOf(at), offset })),
      })
    case 'error':
      return JSON.stringify({ event: 'error', ...errorBody(step.error) })
  }
}

function placeOf({ topic, partition }: PartitionName): PartitionName {
  return { topic, partition }
}
