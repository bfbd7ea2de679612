// gzip (RFC 1952), by the runtime's zlib.
import { loadZlib } from '../../base/late-modules.ts'
import type { Unpacker } from './unpacking.ts'

/** One gzip member. Level 1-9; -1 is the library's default. */
export function gzip(bytes: Uint8Array, level = -1): Uint8Array {
  return loadZlib().gzipSync(bytes, { level })
}

interface Members {
  readonly bytes: Uint8Array
  readonly maxBytes: number
}

/** All members, one behind the other. Throws zlib's errors, also for more than `maxBytes`. */
export const GZIP: Unpacker<Members> = {
  *parts(bytes, maxBytes) {
    return yield { bytes, maxBytes }
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

/** What the last member says that it unpacks to, which is all of it in what producers send; 0 when there is none. */
export function lastGzipSize(bytes: Uint8Array): number {
  if (bytes.length < 4) return 0
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(
    bytes.length - 4,
    true,
  )
}
