// Cuts a body that arrives in pieces into its items: lines, or JSON texts one behind another.
import { HttpError } from './errors.ts'

/** An item's bytes, or why it can't be had. */
export type Item = Uint8Array | HttpError

/** Finds items in pieces of any size. Holds at most one unfinished item of `maxItemBytes`. */
export interface Splitter {
  /** Which item of the body the last one was, from 1 on; blank lines count as lines. */
  readonly number: number
  push(piece: Uint8Array): Generator<Item>
  /** What is left when the body has ended. */
  end(): Generator<Item>
}

const NEWLINE = 0x0a

/** Bytes of an item that has begun but not ended. */
class Unfinished {
  readonly #maxBytes: number
  #pieces: Uint8Array[] = []
  #size = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  /** Keeps the bytes; false, and nothing is kept any longer, when it is too much. */
  hold(piece: Uint8Array): boolean {
    if (this.#size + piece.length > this.#maxBytes) {
      this.#pieces = []
      this.#size = 0
      return false
    }
    if (piece.length > 0) this.#pieces.push(piece)
    this.#size += piece.length
    return true
  }

  /** All that was kept, and forgets it. */
  take(): Uint8Array {
    const [first] = this.#pieces
    const whole = this.#pieces.length === 1 && first ? first : new Uint8Array(this.#size)
    if (whole !== first) {
      let position = 0
      for (const piece of this.#pieces) {
        whole.set(piece, position)
        position += piece.length
      }
    }
    this.#pieces = []
    this.#size = 0
    return whole
  }
}

/** Lines. One that is too long becomes an error, and the next line goes on. Blank lines are left out. */
export class LineSplitter implements Splitter {
  number = 0
  readonly #maxItemBytes: number
  readonly #unfinished: Unfinished
  #isSkipping = false

  constructor(maxItemBytes: number) {
    this.#maxItemBytes = maxItemBytes
    this.#unfinished = new Unfinished(maxItemBytes)
  }

  *push(piece: Uint8Array): Generator<Item> {
    let start = 0
    for (;;) {
      const end = piece.indexOf(NEWLINE, start)
      if (end === -1) break
      const line = piece.subarray(start, end)
      start = end + 1
      if (this.#isAtStart && line.length <= this.#maxItemBytes) {
        // A whole line, as most are.
        this.number += 1
        if (!isBlank(line)) yield line
        continue
      }
      this.#hold(line)
      yield* this.end()
    }
    this.#hold(piece.subarray(start))
  }

  *end(): Generator<Item> {
    this.number += 1
    if (this.#isSkipping) {
      this.#isSkipping = false
      yield new HttpError(41301, `The line is longer than ${this.#maxItemBytes} bytes`)
      return
    }
    const line = this.#unfinished.take()
    if (!isBlank(line)) yield line
  }

  get #isAtStart(): boolean {
    return !this.#isSkipping && this.#unfinished.isEmpty
  }

  #hold(piece: Uint8Array): void {
    if (!this.#isSkipping) this.#isSkipping = !this.#unfinished.hold(piece)
  }
}

/** JSON objects one behind another, with or without space between them. Throws 400 and 413: there is no way to go on. */
export class JsonSplitter implements Splitter {
  number = 0
  readonly #maxItemBytes: number
  readonly #unfinished: Unfinished
  #depth = 0
  #isInString = false
  #isEscaped = false

  constructor(maxItemBytes: number) {
    this.#maxItemBytes = maxItemBytes
    this.#unfinished = new Unfinished(maxItemBytes)
  }

  *push(piece: Uint8Array): Generator<Item> {
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const before = this.#depth
      this.#step(piece[at] ?? 0)
      if (before === 0 && this.#depth === 1) start = at
      if (before === 1 && this.#depth === 0) {
        this.#hold(piece.subarray(start, at + 1))
        start = at + 1
        this.number += 1
        yield this.#unfinished.take()
      }
    }
    if (this.#depth > 0) this.#hold(piece.subarray(start))
  }

  *end(): Generator<Item> {
    this.number += 1
    if (this.#depth > 0) yield new HttpError(400, 'The body ends within a JSON object')
  }

  #hold(piece: Uint8Array): void {
    if (this.#unfinished.hold(piece)) return
    throw new HttpError(41301, `A record is longer than ${this.#maxItemBytes} bytes`)
  }

  #step(code: number): void {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (code === 0x5c) this.#isEscaped = true
      else if (code === 0x22) this.#isInString = false
      return
    }
    if (this.#depth === 0 && code !== 0x7b) {
      if (isSpace(code)) return
      throw new HttpError(400, 'The body is not a series of JSON objects')
    }
    if (code === 0x22) this.#isInString = true
    else if (code === 0x7b || code === 0x5b) this.#depth += 1
    else if (code === 0x7d || code === 0x5d) this.#depth -= 1
  }
}

function isBlank(line: Uint8Array): boolean {
  for (let at = 0; at < line.length; at++) {
    if (!isSpace(line[at] as number)) return false
  }
  return true
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
