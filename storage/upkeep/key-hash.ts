// SipHash-2-4 with 128 bits: what the offset map keeps in place of keys (Aumasson and Bernstein, "SipHash").

/** The size of the secret that a hash is keyed with. */
export const HASH_KEY_BYTES = 16

/**
 * Hashes keys under a secret. Two keys with the same hash would count as one, and a record would be lost. By chance that
 * never happens with 128 bits; and who doesn't know the secret can't make it happen, as he could with MD5, which
 * Kafka takes here.
 */
export class KeyHash {
  /** The words of the last hash; overwritten by the next one. */
  readonly words = new Uint32Array(4)
  readonly #key: Int32Array

  /** `secret` has 16 bytes. */
  constructor(secret: Uint8Array) {
    const view = new DataView(secret.buffer, secret.byteOffset, HASH_KEY_BYTES)
    this.#key = Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at, true))
  }

  /** Puts the hash of `bytes[start, end)` into `words`. */
  update(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const k0l = this.#key[0] as number
    const k0h = this.#key[1] as number
    const k1l = this.#key[2] as number
    const k1h = this.#key[3] as number
    let al = k0l ^ 0x70736575
    let ah = k0h ^ 0x736f6d65
    let bl = k1l ^ 0x6e646f6d ^ 0xee
    let bh = k1h ^ 0x646f7261
    let cl = k0l ^ 0x6e657261
    let ch = k0h ^ 0x6c796765
    let dl = k1l ^ 0x79746573
    let dh = k1h ^ 0x74656462
    const length = end - start
    const blocks = length >>> 3
    // The whole blocks, the rest with the length, and two steps that mix without input.
    for (let block = 0; block <= blocks + 2; block++) {
      let ml = 0
      let mh = 0
      if (block < blocks) {
        ml = readInt32(bytes, start + block * 8)
        mh = readInt32(bytes, start + block * 8 + 4)
      } else if (block === blocks) {
        for (let at = end - 1; at >= start + block * 8; at--) {
          mh = (mh << 8) | (ml >>> 24)
          ml = (ml << 8) | (bytes[at] as number)
        }
        mh |= length << 24
      } else if (block === blocks + 1) cl ^= 0xee
      else bl ^= 0xdd
      dl ^= ml
      dh ^= mh
      for (let round = block > blocks ? 4 : 2; round > 0; round--) {
        let sum = (al + bl) | 0
        ah = (ah + bh + carry(al, bl, sum)) | 0
        al = sum
        let high = ((bh << 13) | (bl >>> 19)) ^ ah
        bl = ((bl << 13) | (bh >>> 19)) ^ al
        bh = high
        high = al
        al = ah
        ah = high
        sum = (cl + dl) | 0
        ch = (ch + dh + carry(cl, dl, sum)) | 0
        cl = sum
        high = ((dh << 16) | (dl >>> 16)) ^ ch
        dl = ((dl << 16) | (dh >>> 16)) ^ cl
        dh = high
        sum = (al + dl) | 0
        ah = (ah + dh + carry(al, dl, sum)) | 0
        al = sum
        high = ((dh << 21) | (dl >>> 11)) ^ ah
        dl = ((dl << 21) | (dh >>> 11)) ^ al
        dh = high
        sum = (cl + bl) | 0
        ch = (ch + bh + carry(cl, bl, sum)) | 0
        cl = sum
        high = ((bh << 17) | (bl >>> 15)) ^ ch
        bl = ((bl << 17) | (bh >>> 15)) ^ cl
        bh = high
        high = cl
        cl = ch
        ch = high
      }
      al ^= ml
      ah ^= mh
      if (block > blocks) {
        const at = (block - blocks - 1) * 2
        this.words[at] = al ^ bl ^ cl ^ dl
        this.words[at + 1] = ah ^ bh ^ ch ^ dh
      }
    }
  }
}

/** What an addition of the low halves hands on to the high ones. */
function carry(left: number, right: number, sum: number): number {
  return ((left & right) | ((left | right) & ~sum)) >>> 31
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}
