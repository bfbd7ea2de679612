// How codecs unpack: part by part, either all at once or each part off this thread.
import { Turnstile } from '../../base/turnstile.ts'

/**
 * How many are unpacked off this thread at a time. The runtimes have four threads for it: more would only take memory, each
 * up to the most that a batch may unpack to, and get on more slowly.
 */
const UNPACKED_AT_A_TIME = 4
const turnstile = new Turnstile(UNPACKED_AT_A_TIME)

/** How many blocks or frames may be unpacked at once: each is a call, and a part to join, however small it is. */
export const BLOCKS_AT_ONCE = 256

/** What unpacks one codec. A part is whatever its library takes in one call. */
export interface Unpacker<Part> {
  /** Asks for one part after the other, and returns the whole; no more than `maxBytes`, or it throws. */
  parts(bytes: Uint8Array, maxBytes: number): Generator<Part, Uint8Array, Uint8Array>
  now(part: Part): Uint8Array
  /** The same off this thread. The part's bytes must stay as they are. */
  later(part: Part): Promise<Uint8Array>
}

/** All of `bytes`, before it returns. */
export function unpackNow<Part>(
  unpacker: Unpacker<Part>,
  bytes: Uint8Array,
  maxBytes: number,
): Uint8Array {
  const parts = unpacker.parts(bytes, maxBytes)
  let step = parts.next()
  while (!step.done) step = parts.next(unpacker.now(step.value))
  return step.value
}

/** All of `bytes`, a part at a time; it waits for its turn when others are being unpacked. */
export function unpackLater<Part>(
  unpacker: Unpacker<Part>,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  return turnstile.run(() => unpackParts(unpacker, bytes, maxBytes))
}

async function unpackParts<Part>(
  unpacker: Unpacker<Part>,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  const parts = unpacker.parts(bytes, maxBytes)
  let step = parts.next()
  while (!step.done) step = parts.next(await unpacker.later(step.value))
  return step.value
}
