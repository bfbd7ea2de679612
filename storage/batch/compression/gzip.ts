// gzip (RFC 1952), by the runtime's zlib.
import { gunzipSync, gzipSync } from 'node:zlib'

/** One gzip member. Level 1-9; -1 is the library's default. */
export function gzip(bytes: Uint8Array, level = -1): Uint8Array {
  return gzipSync(bytes, { level })
}

/** All members in `bytes`, one behind the other. Throws zlib's errors, also for more than `maxBytes`. */
export function ungzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return gunzipSync(bytes, { maxOutputLength: maxBytes })
}
