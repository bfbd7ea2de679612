// XXH3, the 64-bit hash with seed 0 (xxHash specification, "XXH3 Algorithm Overview").
// With bigint but for the loop over long input, where halves of 32 bits are ten times as fast.

const MASK_32 = 0xffff_ffffn
const PRIME_32_1 = 0x9e37_79b1n
const PRIME_32_2 = 0x85eb_ca77n
const PRIME_32_3 = 0xc2b2_ae3dn
const PRIME_64_1 = 0x9e37_79b1_85eb_ca87n
const PRIME_64_2 = 0xc2b2_ae3d_27d4_eb4fn
const PRIME_64_3 = 0x1656_67b1_9e37_79f9n
const PRIME_64_4 = 0x85eb_ca77_c2b2_ae63n
const PRIME_64_5 = 0x27d4_eb2f_1656_67c5n
const PRIME_MX_1 = 0x1656_6791_9e37_79f9n
const PRIME_MX_2 = 0x9fb2_1c65_1e98_df25n

const STRIPE = 64
const LANES = 8
/** The key of the next stripe begins this many bytes further. */
const KEY_STEP = 8

/** The 192 bytes of the default secret, as its 64-bit words in hexadecimal. */
const SECRET_WORDS = [
  'be4ba423396cfeb8 1cad21f72c81017c db979083e96dd4de 1f67b3b7a4a44072',
  '78e5c0cc4ee679cb 2172ffcc7dd05a82 8e2443f7744608b8 4c263a81e69035e0',
  'cb00c391bb52283c a32e531b8b65d088 4ef90da297486471 d8acdea946ef1938',
  '3f349ce33f76faa8 1d4f0bc7c7bbdcf9 3159b4cd4be0518a 647378d9c97e9fc8',
  'c3ebd33483acc5ea eb6313faffa081c5 49daf0b751dd0d17 9e68d429265516d3',
  'fca1477d58be162b ce31d07ad1b8f88f 280416958f3acb45 7e404bbbcafbd7af',
].flatMap((line) => line.split(' '))
const secret = new DataView(new ArrayBuffer(SECRET_WORDS.length * 8))
for (const [at, word] of SECRET_WORDS.entries())
  secret.setBigUint64(at * 8, BigInt(`0x${word}`), true)
const key = (position: number): bigint => secret.getBigUint64(position, true)

const STRIPES_PER_BLOCK = (secret.byteLength - STRIPE) / KEY_STEP

/** The hash of the bytes, as an unsigned 64-bit integer. */
export function xxh3(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length <= 16) return hashUpTo16(view)
  if (bytes.length <= 128) return hashUpTo128(view)
  return bytes.length <= 240 ? hashUpTo240(view) : hashLong(view)
}

function hashUpTo16(view: DataView): bigint {
  const size = view.byteLength
  if (size > 8) {
    const low = view.getBigUint64(0, true) ^ key(24) ^ key(32)
    const high = view.getBigUint64(size - 8, true) ^ key(40) ^ key(48)
    return avalanche(u64(BigInt(size) + reverseBytes(low) + high + multiplyAndFold(low, high)))
  }
  if (size >= 4) {
    const first = BigInt(view.getUint32(0, true))
    const last = BigInt(view.getUint32(size - 4, true))
    const mixed = (last | (first << 32n)) ^ key(8) ^ key(16)
    let hash = u64((mixed ^ rotateLeft(mixed, 49n) ^ rotateLeft(mixed, 24n)) * PRIME_MX_2)
    hash = u64((hash ^ ((hash >> 35n) + BigInt(size))) * PRIME_MX_2)
    return hash ^ (hash >> 28n)
  }
  if (size === 0) return avalanche64(key(56) ^ key(64))
  const [first, middle, last] = [0, size >> 1, size - 1].map((at) => BigInt(view.getUint8(at)))
  const combined =
    ((first ?? 0n) << 16n) | ((middle ?? 0n) << 24n) | (last ?? 0n) | (BigInt(size) << 8n)
  const flip = (key(0) & MASK_32) ^ (key(0) >> 32n)
  return avalanche64(combined ^ flip)
}

/** Pairs of 16 bytes from both ends towards the middle. */
function hashUpTo128(view: DataView): bigint {
  const size = view.byteLength
  let sum = BigInt(size) * PRIME_64_1
  for (let pair = (size - 1) >> 5; pair >= 0; pair--) {
    sum += mix16(view, pair * 16, pair * 32)
    sum += mix16(view, size - (pair + 1) * 16, pair * 32 + 16)
  }
  return avalanche(u64(sum))
}

function hashUpTo240(view: DataView): bigint {
  const size = view.byteLength
  let sum = BigInt(size) * PRIME_64_1
  for (let at = 0; at < 128; at += 16) sum += mix16(view, at, at)
  sum = avalanche(u64(sum))
  for (let at = 128; at + 16 <= size; at += 16) sum += mix16(view, at, at - 128 + 3)
  return avalanche(u64(sum + mix16(view, size - 16, 136 - 17)))
}

/** Eight lanes over stripes of 64 bytes; after each block of stripes the lanes are scrambled. */
function hashLong(view: DataView): bigint {
  const size = view.byteLength
  const lanes = BigUint64Array.of(
    PRIME_32_3,
    PRIME_64_1,
    PRIME_64_2,
    PRIME_64_3,
    PRIME_64_4,
    PRIME_32_2,
    PRIME_64_5,
    PRIME_32_1,
  )
  // The last stripe is taken from the end, whole, so what lies before it is one byte short of what is there.
  const stripes = Math.floor((size - 1) / STRIPE)
  for (let stripe = 0; stripe < stripes; stripe++) {
    const inBlock = stripe % STRIPES_PER_BLOCK
    accumulate(lanes, view, stripe * STRIPE, inBlock * KEY_STEP)
    if (inBlock === STRIPES_PER_BLOCK - 1) scramble(lanes)
  }
  accumulate(lanes, view, size - STRIPE, secret.byteLength - STRIPE - 7)
  let sum = BigInt(size) * PRIME_64_1
  for (let lane = 0; lane < LANES; lane += 2) {
    const position = 11 + lane * 8
    sum += multiplyAndFold(
      (lanes[lane] ?? 0n) ^ key(position),
      (lanes[lane + 1] ?? 0n) ^ key(position + 8),
    )
  }
  return avalanche(u64(sum))
}

/** Adds a stripe: to each lane the product of the halves of its word under the key, to its neighbour the word. */
function accumulate(
  lanes: BigUint64Array,
  view: DataView,
  position: number,
  keyPosition: number,
): void {
  // Low halves first, as on every machine that a runtime of ours runs on.
  const halves = new Uint32Array(lanes.buffer)
  for (let at = 0; at < STRIPE; at += 8) {
    const low = view.getUint32(position + at, true)
    const high = view.getUint32(position + at + 4, true)
    const lane = at >> 2
    add(halves, lane ^ 2, low, high)
    const left = low ^ secret.getUint32(keyPosition + at, true)
    const right = high ^ secret.getUint32(keyPosition + at + 4, true)
    add(halves, lane, Math.imul(left, right) >>> 0, highProduct(left, right))
  }
}

/** Adds to the 64-bit integer whose low half is at `at`; what is stored wraps. */
function add(halves: Uint32Array, at: number, low: number, high: number): void {
  const sum = (halves[at] ?? 0) + low
  halves[at] = sum
  halves[at + 1] = (halves[at + 1] ?? 0) + high + (sum > 0xffff_ffff ? 1 : 0)
}

/** The upper half of the product of two uint32. */
function highProduct(left: number, right: number): number {
  const leftLow = left & 0xffff
  const leftHigh = left >>> 16
  const rightLow = right & 0xffff
  const rightHigh = right >>> 16
  const middle = leftLow * rightHigh + leftHigh * rightLow + ((leftLow * rightLow) >>> 16)
  return leftHigh * rightHigh + Math.floor(middle / 65_536)
}

function scramble(lanes: BigUint64Array): void {
  for (const [lane, value] of lanes.entries()) {
    const keyed = value ^ (value >> 47n) ^ key(secret.byteLength - STRIPE + lane * 8)
    lanes[lane] = keyed * PRIME_32_1
  }
}

function mix16(view: DataView, position: number, keyPosition: number): bigint {
  return multiplyAndFold(
    view.getBigUint64(position, true) ^ key(keyPosition),
    view.getBigUint64(position + 8, true) ^ key(keyPosition + 8),
  )
}

/** Both halves of the 128-bit product, one over the other. */
function multiplyAndFold(left: bigint, right: bigint): bigint {
  const product = left * right
  return u64(product) ^ (product >> 64n)
}

function avalanche(value: bigint): bigint {
  const mixed = u64((value ^ (value >> 37n)) * PRIME_MX_1)
  return mixed ^ (mixed >> 32n)
}

/** The finisher of XXH64, which the shortest inputs have. */
function avalanche64(value: bigint): bigint {
  let hash = u64((value ^ (value >> 33n)) * PRIME_64_2)
  hash = u64((hash ^ (hash >> 29n)) * PRIME_64_3)
  return hash ^ (hash >> 32n)
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

const rotateLeft = (value: bigint, bits: bigint): bigint =>
  u64(value << bits) | (value >> (64n - bits))

function reverseBytes(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value)
  return view.getBigUint64(0, true)
}
