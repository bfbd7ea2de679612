// gzip (RFC 1952), by the runtime's zlib.
import { loadZlib } from '../../base/late-modules.ts'
import type { Unpacker } from './unpacking.ts'

/** One gzip member. Level 1-9; -1 is the library's default. */
export function gzip(bytes: Uint8Array, level = -1): Uint8Array {
  return loadZlib().gzipSync(bytes, { level })
}

/** A header, the shortest stream, and the trailer. */
const SMALLEST_MEMBER_BYTES = 20

interface Members {
  readonly bytes: Uint8Array
  readonly maxBytes: number
}

/**
 * All members, one behind the other. Throws zlib's errors, also for more than `maxBytes`, and for more than the only member
 * says that it holds.
 */
export const GZIP: Unpacker<Members> = {
  *parts(bytes, maxBytes) {
    // A cap of 0 would mean none.
    const said = hasMoreMembers(bytes) ? maxBytes : Math.max(lastSize(bytes), 1)
    return yield { bytes, maxBytes: Math.min(said, maxBytes) }
  },
  now: ({ bytes, maxBytes }) => loadZlib().gunzipSync(bytes, { maxOutputLength: maxBytes }),
  later({ bytes, maxBytes }) {
    return new Promise((resolve, reject) => {
      loadZlib().gunzip(bytes, { maxOutputLength: maxBytes }, (error, plain) => {
        if (error) reject(error)
        else resolve(plain)
      })
    })
  },
}

/** Whether `bytes` may unpack to more than `limit` before they are refused. */
export function mayGzipExceed(limit: number, bytes: Uint8Array): boolean {
  return lastSize(bytes) > limit || hasMoreMembers(bytes)
}

/** What the last member says that it unpacks to; 0 when there is none. */
function lastSize(bytes: Uint8Array): number {
  if (bytes.length < 4) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return view.getUint32(bytes.length - 4, true)
}

/** Whether something in `bytes` looks like the start of a further member: no producer makes more than one. */
function hasMoreMembers(bytes: Uint8Array): boolean {
  const first = SMALLEST_MEMBER_BYTES
  for (let at = bytes.indexOf(0x1f, first); at !== -1; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] === 0x8b && bytes[at + 2] === 0x08) return true
  }
  return false
}
