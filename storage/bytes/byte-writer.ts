// Writes Kafka's primitive types into bytes that grow. The counterpart of `byte-reader.ts`.
import { type Uuid, uuidToBytes } from '../base/uuid.ts'
import { setInt16At, setInt32At, setInt64At } from './big-endian.ts'
import type { Int64 } from './int64.ts'

const encoder = new TextEncoder()

/** Collects bytes in order; all integers are big-endian. Values outside a type's range wrap, as a DataView does. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #position = 0
  readonly #lendFrom: number
  readonly #lent: { readonly at: number; readonly bytes: Uint8Array }[] = []

  /** Raw bytes of `lendFrom` and more are not copied: they become chunks of their own. By default all are copied. */
  constructor(capacity = 256, lendFrom = Number.POSITIVE_INFINITY) {
    this.#bytes = new Uint8Array(capacity)
    this.#lendFrom = lendFrom
  }

  /** How many bytes have been written, without those that were lent. */
  get position(): number {
    return this.#position
  }

  /** A view of what was written, valid until the next write. Bytes that were lent are not in it. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#position)
  }

  /** Everything in order, what was lent as it was given; valid until the next write. */
  get chunks(): Uint8Array[] {
    const chunks: Uint8Array[] = []
    let start = 0
    for (const { at, bytes } of this.#lent) {
      if (at > start) chunks.push(this.#bytes.subarray(start, at))
      chunks.push(bytes)
      start = at
    }
    if (this.#position > start) chunks.push(this.#bytes.subarray(start, this.#position))
    return chunks
  }

  int8(value: number): void {
    const at = this.#advance(1)
    this.#bytes[at] = value
  }

  int16(value: number): void {
    const at = this.#advance(2)
    setInt16At(this.#bytes, at, value)
  }

  uint16(value: number): void {
    const at = this.#advance(2)
    setInt16At(this.#bytes, at, value)
  }

  int32(value: number): void {
    const at = this.#advance(4)
    setInt32At(this.#bytes, at, value)
  }

  uint32(value: number): void {
    const at = this.#advance(4)
    setInt32At(this.#bytes, at, value)
  }

  int64(value: Int64): void {
    const at = this.#advance(8)
    setInt64At(this.#bytes, at, value)
  }

  float64(value: number): void {
    const at = this.#advance(8)
    new DataView(this.#bytes.buffer).setFloat64(at, value)
  }

  /** Throws INVALID_REQUEST when it is not a uuid. */
  uuid(value: Uuid): void {
    this.raw(uuidToBytes(value))
  }

  /** LEB128 of a uint32. */
  uvarint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.int8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.int8(rest)
  }

  /** Zigzag varint of an int32. */
  varint(value: number): void {
    this.uvarint((value << 1) ^ (value >> 31))
  }

  /** Zigzag varint of an int64. */
  varlong(value: Int64): void {
    if (isInt32(value)) {
      this.varint(value)
      return
    }
    let rest = zigzag64(value)
    while (rest > 0x7fn) {
      this.int8(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.int8(Number(rest))
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    if (bytes.length >= this.#lendFrom) {
      this.#lent.push({ at: this.#position, bytes })
      return
    }
    const at = this.#advance(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Text as UTF-8, without a length. Returns its size; lone surrogates become U+FFFD. */
  utf8(text: string): number {
    const bytes = encoder.encode(text)
    this.raw(bytes)
    return bytes.length
  }

  /** Leaves room for `size` bytes, all zero, and returns where it begins. */
  reserve(size: number): number {
    return this.#advance(size)
  }

  /** Overwrites 4 bytes that were written or reserved before: lengths that are known afterwards. */
  setInt32(position: number, value: number): void {
    setInt32At(this.#bytes, position, value)
  }

  /** Forgets what was written and keeps the memory. Views handed out before become stale. */
  clear(): void {
    this.#bytes.fill(0, 0, this.#position)
    this.#position = 0
    this.#lent.length = 0
  }

  #advance(size: number): number {
    const start = this.#position
    const end = start + size
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, start))
      this.#bytes = grown
    }
    this.#position = end
    return start
  }
}

/** How many bytes `uvarint` takes. */
export function uvarintSize(value: number): number {
  // 32 - clz32 is the count of significant bits; each byte holds seven.
  return Math.max(1, Math.ceil((32 - Math.clz32(value)) / 7))
}

/** How many bytes `varint` takes. */
export function varintSize(value: number): number {
  return uvarintSize((value << 1) ^ (value >> 31))
}

/** How many bytes `varlong` takes. */
export function varlongSize(value: Int64): number {
  if (isInt32(value)) return varintSize(value)
  let size = 1
  for (let rest = zigzag64(value) >> 7n; rest > 0n; rest >>= 7n) size++
  return size
}

function isInt32(value: Int64): value is number {
  return typeof value === 'number' && value === (value | 0)
}

function zigzag64(value: Int64): bigint {
  const signed = BigInt(value)
  return BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n))
}
