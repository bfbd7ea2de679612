// What every type of the schema language is: a default, and one compiled codec per version.
import { KafkaError } from '#storage/base/errors.ts'
import type { ByteReader } from '#storage/bytes/byte-reader.ts'
import type { ByteWriter } from '#storage/bytes/byte-writer.ts'

/** Reads and writes one value in the form of one version. `I` is what may be written: fields with a default may be left out. */
export interface Codec<T, I = T> {
  /** Throws CORRUPT_MESSAGE when the bytes do not hold the value. Byte values are views on the reader's bytes. */
  read(reader: ByteReader): T
  write(writer: ByteWriter, value: I): void
}

/** A type of the schema language. Types are constants; codecs are made once per version, when first needed. */
export interface Type<T = unknown, I = T> {
  /** What a field of this type holds in a version that lacks it, unless the field says otherwise. */
  readonly defaultValue: T
  /** `flexible` chooses the compact forms and tag sections of KIP-482. */
  codec(version: number, flexible: boolean): Codec<T, I>
}

/** Whether `value` says the same as `fallback`; what an input leaves out counts as its default. */
export function isSame(value: unknown, fallback: unknown): boolean {
  if (Object.is(value, fallback) || value === undefined) return true
  if (typeof value !== 'object' || typeof fallback !== 'object') return false
  if (value === null || fallback === null) return false
  if (isSequence(value) && isSequence(fallback)) {
    return value.length === fallback.length && value.every((item, at) => isSame(item, fallback[at]))
  }
  const left = value as Record<string, unknown>
  return Object.entries(fallback).every(([name, other]) => isSame(left[name], other))
}

/** The refusal of bytes that do not hold what the schema says. */
export function malformed(message: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', message)
}

function isSequence(value: object): value is unknown[] {
  return Array.isArray(value) || value instanceof Uint8Array
}
