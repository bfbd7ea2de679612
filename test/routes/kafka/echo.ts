// APIs made up for tests of connections: a question says how it wants to be answered.

import { type Answer, api, ClosesConnection, LentAnswer, NO_ANSWER } from '#routes/kafka/api.ts'
import { optional } from '#src/protocol/codec/fields.ts'
import { message } from '#src/protocol/codec/message.ts'
import { int16, nullableBytes, string } from '#src/protocol/codec/primitives.ts'
import { KafkaError, StorageFault } from '#storage/base/errors.ts'

const fields = {
  text: string(),
  errorCode: optional(int16()),
  bytes: optional(nullableBytes(), null),
}

/** A question whose handler waits. */
export interface Parked {
  readonly text: string
  answer(): void
  refuse(error: unknown): void
  /** The function that `hold` gave, when the text begins with `hold`. */
  readonly release: (() => void) | undefined
  readonly signal: AbortSignal
}

/** The handlers, and what they have seen. */
export function echoApis() {
  const started: string[] = []
  const parked: Parked[] = []
  let released = 0
  const lent = (text: string, size: number) =>
    new LentAnswer({ text, bytes: new Uint8Array(size).fill(7) }, () => {
      released++
    })
  const echo = (key: number, isPipelined: boolean) =>
    api({
      request: message({ key, versions: [0, 1], flexible: 1 }, fields),
      response: message({ key, versions: [0, 1], flexible: 1 }, fields),
      isPipelined,
      handle(context, { text }): Answer<{ text: string }> | Promise<Answer<{ text: string }>> {
        started.push(text)
        const [verb, size, kind] = text.split(' ')
        if (verb === 'silent') return NO_ANSWER
        if (verb === 'refused') throw new KafkaError('POLICY_VIOLATION', 'No')
        if (verb === 'fault') throw new StorageFault('The disk is gone')
        if (verb === 'closes') throw new ClosesConnection('acks=0 could not be appended')
        if (verb === 'bug') throw new RangeError('Not planned')
        if (verb === 'lend') {
          return lent(kind === 'unencodable' ? 'x'.repeat(40_000) : text, Number(size))
        }
        if (verb !== 'park' && verb !== 'hold') return { text }
        const release = verb === 'hold' ? context.hold() : undefined
        return new Promise((resolve, reject) => {
          const { signal } = context
          parked.push({
            ...{ text, release, signal },
            answer: () => resolve(kind === 'lend' ? lent(text, Number(size)) : { text }),
            refuse: reject,
          })
        })
      },
      refuse: (error, { text }) => ({ text: `${text}: ${error.code}`, errorCode: 1 }),
    })
  return {
    apis: [echo(SERIAL, false), echo(PIPELINED, true)],
    started,
    parked,
    releasedCount: () => released,
  }
}

/** The API whose requests run one after the other. */
export const SERIAL = 900
/** The API whose requests may wait together. */
export const PIPELINED = 901

/** A whole request of an echo API, with its length. */
export function question(text: string, { key = PIPELINED, version = 0, id = 0 } = {}): Buffer {
  const body = Buffer.from(text)
  if (version === 0) {
    const frame = Buffer.alloc(4 + 10 + 2 + body.length + 2 + 4)
    frame.writeInt32BE(frame.length - 4, 0)
    frame.writeInt16BE(key, 4)
    frame.writeInt16BE(version, 6)
    frame.writeInt32BE(id, 8)
    frame.writeInt16BE(-1, 12)
    frame.writeInt16BE(body.length, 14)
    body.copy(frame, 16)
    frame.writeInt32BE(-1, frame.length - 4)
    return frame
  }
  throw new Error('Only version 0 is made here')
}

/** Correlation id and text of an answer in version 0. */
export function answered(frame: Buffer): [id: number, text: string] {
  const size = frame.readInt16BE(4)
  return [frame.readInt32BE(0), frame.toString('utf8', 6, 6 + size)]
}
