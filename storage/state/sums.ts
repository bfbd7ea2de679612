// The `millrace.sums` file: checksums of the files beside it that have none of their own (RULES 13).
import { crc32c } from '../bytes/crc32c.ts'

/** The file's name, in a partition directory and in the root of a data directory. Kafka ignores it. */
export const SUMS_FILE = 'millrace.sums'

const HEADER = 'millrace.sums 0'
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** What a file held when it was sealed. */
export interface FileSum {
  readonly sizeInBytes: number
  /** CRC-32C of the whole content. */
  readonly crc: number
}

/** The sum of a content. */
export function sumOf(bytes: Uint8Array): FileSum {
  return { sizeInBytes: bytes.length, crc: crc32c(bytes) }
}

/** True when `bytes` are what was summed. */
export function matchesSum(bytes: Uint8Array, sum: FileSum): boolean {
  return bytes.length === sum.sizeInBytes && crc32c(bytes) === sum.crc
}

/**
 * The file's content, for files by name:
 *
 *     millrace.sums 0
 *     8 1a2b3c4d 00000000000000000000.timeindex     size, CRC-32C in hex, name
 *     end 5e6f7a8b                                  CRC-32C of all lines above
 */
export function serializeSums(sums: ReadonlyMap<string, FileSum>): Uint8Array {
  const lines = Array.from(
    sums,
    ([name, { sizeInBytes, crc }]) => `${sizeInBytes} ${hex(crc)} ${name}`,
  )
  const text = [HEADER, ...lines, ''].join('\n')
  return encoder.encode(`${text}end ${hex(crc32c(encoder.encode(text)))}\n`)
}

/** Reads the file. Undefined when it is damaged or of another version: then nothing is known, as when it is missing. */
export function parseSums(bytes: Uint8Array): Map<string, FileSum> | undefined {
  const text = decoder.decode(bytes)
  const end = text.lastIndexOf('end ')
  const body = text.slice(0, Math.max(0, end))
  if (text.slice(end) !== `end ${hex(crc32c(encoder.encode(body)))}\n`) return undefined
  const [header, ...lines] = body.slice(0, -1).split('\n')
  if (header !== HEADER) return undefined
  const sums = new Map<string, FileSum>()
  for (const line of lines) {
    const [size = '', crc = '', ...name] = line.split(' ')
    sums.set(name.join(' '), { sizeInBytes: Number(size), crc: Number.parseInt(crc, 16) })
  }
  return sums
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
