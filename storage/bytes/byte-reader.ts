// Reads Kafka's primitive types from bytes, in order. Both record batches and protocol messages go through it.
import { KafkaError } from '../base/errors.ts'
import { type Uuid, uuidFromBytes } from '../base/uuid.ts'
import { int16At, int32At, int64At } from './big-endian.ts'
import { canonicalInt64, type Int64 } from './int64.ts'

const TWO_28 = 0x1000_0000
/** Array elements of one message: two bytes can ask for an object, so the size of the message is no bound of memory. */
const MAX_ELEMENTS = 1_000_000
// `ignoreBOM` keeps a leading U+FEFF: it belongs to the text. Malformed bytes become U+FFFD, as in Java.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * A cursor over bytes that it never copies. All integers are big-endian. Whatever runs past the end, or is no varint,
 * throws CORRUPT_MESSAGE; after that the position is undefined.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  /** Where the range ends, as an index into `bytes`. */
  readonly end: number
  /** The next byte to read, as an index into `bytes`. May be set. */
  position: number
  #elementsLeft = MAX_ELEMENTS

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    if (start < 0 || end < start || end > bytes.length) {
      throw new KafkaError('CORRUPT_MESSAGE', `[${start}, ${end}) is outside ${bytes.length} bytes`)
    }
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  int8(): number {
    return ((this.bytes[this.#advance(1)] as number) << 24) >> 24
  }

  uint8(): number {
    return this.bytes[this.#advance(1)] as number
  }

  int16(): number {
    return int16At(this.bytes, this.#advance(2))
  }

  uint16(): number {
    return int16At(this.bytes, this.#advance(2)) & 0xffff
  }

  int32(): number {
    return int32At(this.bytes, this.#advance(4))
  }

  uint32(): number {
    return int32At(this.bytes, this.#advance(4)) >>> 0
  }

  int64(): Int64 {
    return int64At(this.bytes, this.#advance(8))
  }

  /** An int64 that has to be exact as a number: offsets, sizes, counts. */
  safeInt64(): number {
    const value = this.int64()
    if (typeof value === 'number') return value
    throw new KafkaError('CORRUPT_MESSAGE', `${value} is beyond 2^53`)
  }

  float64(): number {
    const { buffer, byteOffset } = this.bytes
    return new DataView(buffer, byteOffset).getFloat64(this.#advance(8))
  }

  uuid(): Uuid {
    return uuidFromBytes(this.view(16))
  }

  /** LEB128 of at most 5 bytes, as uint32. Bits beyond the 32nd are dropped, as in Java. */
  uvarint(): number {
    return this.#varint32() >>> 0
  }

  /** Zigzag varint, as int32. */
  varint(): number {
    const encoded = this.#varint32()
    return (encoded >>> 1) ^ -(encoded & 1)
  }

  /** Zigzag varint of at most 10 bytes, as int64. */
  varlong(): Int64 {
    const { bytes, end } = this
    let at = this.position
    let low = 0
    for (let shift = 0; shift < 28 && at < end; shift += 7) {
      const byte = bytes[at++] as number
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return (low >>> 1) ^ -(low & 1)
      }
    }
    this.position = at
    return this.#longVarlong(low)
  }

  /** A view of the next `size` bytes. A size that is negative or too large throws. */
  view(size: number): Uint8Array {
    const start = this.#advance(size)
    return this.bytes.subarray(start, start + size)
  }

  /** Text of `size` bytes. */
  utf8(size: number): string {
    const { bytes } = this
    const start = this.#advance(size)
    // Short ASCII, the common case, is several times cheaper without the decoder.
    if (size > 24) return decoder.decode(bytes.subarray(start, start + size))
    let text = ''
    for (let at = start; at < start + size; at++) {
      const byte = bytes[at] ?? 0
      if (byte > 0x7f) return decoder.decode(bytes.subarray(start, start + size))
      text += String.fromCharCode(byte)
    }
    return text
  }

  /** Goes over `size` bytes unread. */
  skip(size: number): void {
    this.#advance(size)
  }

  /** Announces array elements that are to be read; refuses more than a million in all arrays together. */
  expectElements(count: number): void {
    this.#elementsLeft -= count
    if (this.#elementsLeft >= 0) return
    throw new KafkaError('CORRUPT_MESSAGE', `The arrays have more than ${MAX_ELEMENTS} elements`)
  }

  /** Up to five groups of 7 bits, lowest first. Records consist of these, so it indexes without a call per byte. */
  #varint32(): number {
    const { bytes, end } = this
    let at = this.position
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw this.#outside(1, at)
      const byte = bytes[at++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return value
      }
    }
    throw this.#overlong(5)
  }

  /** What follows the 28 bits of a varlong that are in `low`. */
  #longVarlong(low: number): Int64 {
    let middle = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.uint8()
      middle |= (byte & 0x7f) << shift
      if (byte < 0x80) return unzigzag(low, middle, 0)
    }
    const ninth = this.uint8()
    if (ninth < 0x80) return unzigzag(low, middle, ninth)
    const tenth = this.uint8()
    if (tenth < 0x80) return unzigzag(low, middle, (ninth & 0x7f) | (tenth << 7))
    throw this.#overlong(10)
  }

  #overlong(size: number): KafkaError {
    return new KafkaError(
      'CORRUPT_MESSAGE',
      `The varint before ${this.position} exceeds ${size} bytes`,
    )
  }

  #outside(size: number, at: number): KafkaError {
    const detail = `${size} bytes at ${at} are outside a range that ends at ${this.end}`
    return new KafkaError('CORRUPT_MESSAGE', detail)
  }

  #advance(size: number): number {
    const start = this.position
    // The negation also catches NaN.
    if (!(size >= 0 && size <= this.end - start)) throw this.#outside(size, start)
    this.position = start + size
    return start
  }
}

/** The int64 whose zigzag form is these bits: 28, 28 and the rest, lowest first. */
function unzigzag(low: number, middle: number, high: number): Int64 {
  if (high === 0 && middle < 0x200_0000) {
    // 28 + 25 bits: still a safe integer, so plain arithmetic undoes the zigzag.
    const encoded = middle * TWO_28 + low
    return encoded % 2 === 0 ? encoded / 2 : -(encoded + 1) / 2
  }
  const bits = (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low)
  const encoded = BigInt.asUintN(64, bits)
  return canonicalInt64((encoded >> 1n) ^ -(encoded & 1n))
}
