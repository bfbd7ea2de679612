// Base64 of byte arrays, with what all three runtimes have.
import { HttpError } from './errors.ts'

const CHUNK = 0x8000

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  }
  return btoa(binary)
}

/** The bytes of standard base64. `what` names the text in the error. Throws 422. */
export function decodeBase64(text: string, what: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    throw new HttpError(42206, `The ${what} is not base64`)
  }
}
