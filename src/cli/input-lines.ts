// Cuts a stream of bytes into lines with bounded memory.
import { CommandError } from './command-error.ts'

const NEWLINE = 10
/** A longer line is no line: the broker would refuse it as one record in any case. */
const MAX_LINE_BYTES = 104_857_600

/** The complete lines of each chunk, without their `\n`; the last line needs none. Empty lines are lines. */
export async function* inputLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<readonly Uint8Array[]> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(concatBytes([...pending, chunk.slice(start, end)]))
      pending = []
      pendingBytes = 0
      start = end + 1
    }
    if (start < chunk.length) {
      pending.push(chunk.slice(start))
      pendingBytes += chunk.length - start
    }
    if (pendingBytes > MAX_LINE_BYTES) {
      throw new CommandError(`A line of the input is longer than ${MAX_LINE_BYTES} bytes`, {
        fix: 'Use --format raw for input that is one record',
      })
    }
    if (lines.length > 0) yield lines
  }
  if (pending.length > 0) yield [concatBytes(pending)]
}

/** All of a stream in one piece, up to the longest line. */
export async function wholeInput(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    parts.push(chunk.slice())
    size += chunk.length
    if (size > MAX_LINE_BYTES)
      throw new CommandError(`The input is longer than ${MAX_LINE_BYTES} bytes`)
  }
  return concatBytes(parts)
}

/** The parts in one piece. A single part is not copied. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
