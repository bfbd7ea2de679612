// The codecs: round trips, foreign framings, several streams in one, bombs.

import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Codec,
  compress,
  decompress,
  decompressInBackground,
  isLarge,
} from '#storage/batch/compression/compression.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'

const CODECS: readonly Codec[] = ['gzip', 'snappy', 'lz4', 'zstd']
const LIMIT = 1_000_000
const corrupt = expect.objectContaining({ code: 'CORRUPT_MESSAGE' })

/** Bytes that compress a little: a fixed pseudo-random walk. */
function walk(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 29
  }
  return bytes
}

function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = 7
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

test.each(CODECS)('decompress() undoes compress() with %s', (codec) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(600), (bytes, repeat) => {
      const plain = new Uint8Array(Buffer.concat(Array(repeat + 1).fill(bytes)))
      const unpacked = decompress(codec, compress(codec, plain), LIMIT)
      expect(same(unpacked, plain)).toBe(true)
      expect(unpacked.constructor).toBe(Uint8Array)
    }),
    { numRuns: 50 },
  )
})

test.each(
  CODECS.flatMap((codec) => [32768, 65535, 65536, 65537, 300_000].map((size) => ({ codec, size }))),
)('decompress() undoes compress() with $codec of $size bytes', ({ codec, size }) => {
  for (const plain of [walk(size), noise(size), new Uint8Array(size)]) {
    expect(same(decompress(codec, compress(codec, plain), LIMIT), plain)).toBe(true)
  }
})

test.each(CODECS)('decompress() with %s allows exactly the limit', (codec) => {
  for (const plain of [walk(100_000), noise(100_000)]) {
    const packed = compress(codec, plain)
    expect(decompress(codec, packed, 100_000).length).toBe(100_000)
    expect(() => decompress(codec, packed, 99_999)).toThrow(corrupt)
  }
})

test.each(CODECS)('decompress() with %s takes no limit for 2 GiB', (codec) => {
  expect(decompress(codec, compress(codec, walk(10)), Number.POSITIVE_INFINITY).length).toBe(10)
})

test.each(CODECS)('decompress() with %s refuses a bomb', (codec) => {
  const bomb = compress(codec, new Uint8Array(10_000_000))
  expect(() => decompress(codec, bomb, LIMIT)).toThrow(corrupt)
})

test.each(CODECS)('decompress() with %s refuses what is cut at any byte', (codec) => {
  const packed = compress(codec, walk(200))
  for (let size = 0; size < packed.length; size++) {
    // Xerial framing has no end mark: its bare header is a stream of nothing, which the record count then refuses.
    if (codec === 'snappy' && size === 16) continue
    // Nothing at all unpacks to nothing in zstd; the record count refuses that, too.
    if (codec === 'zstd' && size === 0) continue
    expect(() => decompress(codec, packed.subarray(0, size), LIMIT), `${size}`).toThrow(corrupt)
  }
})

test.each([
  { codec: 'gzip', level: 1 },
  { codec: 'gzip', level: 9 },
  { codec: 'zstd', level: -5 },
  { codec: 'zstd', level: 12 },
  { codec: 'lz4', level: 17 },
] as const)('compress() takes level $level of $codec', ({ codec, level }) => {
  const plain = walk(5000)
  expect(same(decompress(codec, compress(codec, plain, level), LIMIT), plain)).toBe(true)
})

test('decompress() reads all gzip members and all zstd frames', () => {
  const [one, two] = [walk(1000), walk(500, 2)]
  const plain = Buffer.concat([one, two])
  for (const [codec, pack] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    const packed = new Uint8Array(Buffer.concat([pack(one), pack(two)]))
    expect(same(decompress(codec, packed, 1500), plain), codec).toBe(true)
    expect(() => decompress(codec, packed, 1499), codec).toThrow(corrupt)
    expect(() => decompress(codec, packed, 1000), codec).toThrow(corrupt)
  }
})

test('decompress() goes over skippable zstd frames', () => {
  const skippable = Buffer.from('5a2a4d1803000000616263', 'hex')
  const packed = Buffer.concat([skippable, zstdCompressSync(walk(100)), skippable])
  expect(same(decompress('zstd', packed, LIMIT), walk(100))).toBe(true)
})

test.each([
  { why: 'garbage behind a zstd frame', codec: 'zstd', hex: '28b52ffd2003190000616263 00' },
  { why: 'a reserved zstd block', codec: 'zstd', hex: '28b52ffd20031f0000616263' },
  { why: 'garbage behind a gzip member', codec: 'gzip', hex: `${hexOf(gzipSync('abc'))}7a7a` },
  { why: 'an lz4 frame of version 0', codec: 'lz4', hex: '04224d1820408200000000' },
  { why: 'bytes behind an lz4 frame', codec: 'lz4', hex: '04224d18604082 00000000 00' },
  { why: 'an lz4 dictionary', codec: 'lz4', hex: '04224d18614082 00000000 00000000' },
  {
    why: 'an lz4 block above the block size',
    codec: 'lz4',
    hex: '04224d18604082 01000180 00000000',
  },
  { why: 'a snappy block without its size', codec: 'snappy', hex: 'ff' },
  { why: 'a snappy block that promises 1 GiB', codec: 'snappy', hex: '8080808004 00' },
  { why: 'a xerial block beyond the end', codec: 'snappy', hex: `${xerial()} 00000009 00` },
  { why: 'a xerial block of negative size', codec: 'snappy', hex: `${xerial()} ffffffff 00` },
] as const)('decompress() refuses $why', ({ codec, hex }) => {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  expect(() => decompress(codec, bytes, LIMIT)).toThrow(corrupt)
})

test.each([
  { why: 'a raw zstd block', codec: 'zstd', hex: '28b52ffd2003190000616263' },
  { why: 'bare snappy, as librdkafka sends it', codec: 'snappy', hex: '0308616263' },
  { why: 'xerial snappy', codec: 'snappy', hex: `${xerial()} 00000005 0308616263` },
  {
    why: 'two xerial blocks',
    codec: 'snappy',
    hex: `${xerial()} 00000003 010061 00000004 02046263`,
  },
  {
    why: 'two xerial streams',
    codec: 'snappy',
    hex: `${xerial()} 00000003 010061 ${xerial()} 00000004 02046263`,
  },
  { why: 'a stored lz4 block', codec: 'lz4', hex: '04224d18604082 03000080 616263 00000000' },
  { why: 'a packed lz4 block', codec: 'lz4', hex: '04224d18604082 04000000 30616263 00000000' },
  { why: 'lz4 blocks of 4 MiB', codec: 'lz4', hex: '04224d18607073 03000080 616263 00000000' },
  {
    why: 'an lz4 content size',
    codec: 'lz4',
    hex: '04224d186840 0300000000000000 ff 03000080 616263 00000000',
  },
  {
    why: 'lz4 checksums',
    codec: 'lz4',
    hex: '04224d187440ff 03000080 616263 01020304 00000000 05060708',
  },
  { why: 'two lz4 blocks', codec: 'lz4', hex: '04224d18604082 01000080 61 02000080 6263 00000000' },
] as const)('decompress() reads $why', ({ codec, hex }) => {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  expect(Buffer.from(decompress(codec, bytes, 3)).toString()).toBe('abc')
})

test('decompress() follows an lz4 block that refers to the one before it', () => {
  // FLG 0x40: dependent blocks. The second: no literals, then 8 bytes from 8 back, then the 5 literals that end a block.
  const first = '08000080 6162636465666768'
  const second = '09000000 04 0800 50 7677787a79'
  const hex = `04224d184040c0 ${first} ${second} 00000000`
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  expect(Buffer.from(decompress('lz4', bytes, LIMIT)).toString()).toBe('abcdefghabcdefghvwxzy')
})

test('decompress() follows lz4 blocks of any size that refer up to 65,535 bytes back', () => {
  const blocks: Buffer[] = [Buffer.from('04224d18404082', 'hex')]
  const expected: number[] = []
  const put = (field: number, bytes: Uint8Array) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(field)
    blocks.push(size, Buffer.from(bytes))
  }
  for (const size of [1, 70, 40_000, 1, 65_536, 30_000, 9, 65_535, 2, 65_536, 50_000]) {
    const stored = noise(size)
    put(size + 0x8000_0000, stored)
    expected.push(...stored)
    const back = Math.min(expected.length, 65_535)
    const start = expected.length - back
    // No literals, a match of 4 bytes from the far end of the window, then 5 literals.
    put(9, Uint8Array.of(0x00, back & 255, back >> 8, 0x50, 1, 2, 3, 4, 5))
    for (let at = 0; at < 4; at++) expected.push(expected[start + at] as number)
    expected.push(1, 2, 3, 4, 5)
  }
  const frame = Buffer.concat([...blocks, Buffer.alloc(4)])
  expect(Buffer.compare(decompress('lz4', frame, LIMIT), Buffer.from(expected))).toBe(0)
})

test('decompress() takes time by the bytes of an lz4 frame, also when its blocks are of one byte', () => {
  const count = 50_000
  const blocks = Buffer.alloc(5 * count, Buffer.from('0100008061', 'hex'))
  const frame = Buffer.concat([Buffer.from('04224d18404082', 'hex'), blocks, Buffer.alloc(4)])
  // With a look back over the blocks before for each of them, this took an hour.
  expect(decompress('lz4', frame, LIMIT).length).toBe(count)
})

test('compress() frames lz4 as Kafka does, and leaves what would grow', () => {
  const packed = compress('lz4', noise(100))
  expect(hexOf(packed.subarray(0, 11))).toBe('04224d1860408264000080')
  expect(hexOf(packed.subarray(-4))).toBe('00000000')
  expect(packed.length).toBe(7 + 4 + 100 + 4)
})

test('compress() frames snappy as Kafka does, in blocks of 32 KiB', () => {
  const packed = compress('snappy', noise(32_769))
  expect(hexOf(packed.subarray(0, 16))).toBe(xerial())
  const first = new DataView(packed.buffer, packed.byteOffset).getInt32(16)
  // The second block: its size, the plain size 1, a literal.
  expect(hexOf(packed.subarray(20 + first, 20 + first + 6))).toBe('000000030100')
})

test('decompress() yields memory of its own, also for a stored block', () => {
  const packed = compress('lz4', noise(100))
  const plain = decompress('lz4', packed, LIMIT)
  packed.fill(0)
  expect(same(plain, noise(100))).toBe(true)
})

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function xerial(): string {
  return '82534e41505059000000000100000001'
}

/** What becomes of bytes: what they unpack to, in short, or the code of the refusal. */
async function outcome(unpack: () => Uint8Array | Promise<Uint8Array>): Promise<unknown> {
  try {
    const plain = await unpack()
    return [plain.constructor.name, plain.length, crc32c(plain)]
  } catch (error) {
    return (error as { code: unknown }).code
  }
}

test.each(CODECS)('decompressInBackground() with %s does what decompress() does', async (codec) => {
  const packed = [10, 70_000, 200_000].map((size) => compress(codec, walk(size)))
  const large = compress(codec, noise(300_000))
  const inputs = [
    ...packed,
    large,
    compress(codec, new Uint8Array(10_000_000)),
    new Uint8Array(Buffer.concat([...packed])),
    noise(100),
    ...[0, 1, 5, 16, 20, 1_000, large.length - 1].map((size) => large.subarray(0, size)),
  ]
  for (const [index, bytes] of inputs.entries()) {
    for (const limit of [100_000, LIMIT]) {
      const now = await outcome(() => decompress(codec, bytes, limit))
      const later = await outcome(() => decompressInBackground(codec, bytes, limit))
      expect(later, `${index} within ${limit}`).toEqual(now)
    }
  }
})

const bytesOf = (...parts: readonly (readonly number[])[]) => Uint8Array.from(parts.flat())
const repeated = (count: number, part: readonly number[]) => Array(count).fill(part).flat()
const LZ4_OF_4_MIB_BLOCKS = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0]
const XERIAL = [...Buffer.from(xerial(), 'hex')]

test.each(CODECS)('isLarge() tells by what %s unpacks to, and decompress() gives that', (codec) => {
  // More than 64 KiB of gzip always are.
  const isSlow = codec === 'gzip'
  for (const [bytes, isTooLarge] of [
    [noise(1_000), false],
    [noise(100_000), isSlow],
    [noise(900_000), isSlow],
    [noise(1_200_000), true],
    [new Uint8Array(Buffer.concat([noise(70_000), new Uint8Array(2_000_000)])), true],
  ] as const) {
    const packed = compress(codec, bytes)
    expect(isLarge(codec, packed), `of ${bytes.length} bytes`).toBe(isTooLarge)
    expect(same(decompress(codec, packed, 3_000_000), bytes)).toBe(true)
  }
})

const zeros = (size: number) => new Uint8Array(size)
const behind = (bytes: Uint8Array, ...more: readonly number[]) => bytesOf([...bytes], more)

test.each<{ what: string; codec: Codec; bytes: Uint8Array }>([
  {
    what: 'a hundred thousand blocks of a byte',
    codec: 'lz4',
    bytes: bytesOf(LZ4_OF_4_MIB_BLOCKS, repeated(100_000, [1, 0, 0, 0x80, 7]), [0, 0, 0, 0]),
  },
  {
    what: 'thousands of blocks in little',
    codec: 'lz4',
    bytes: bytesOf(LZ4_OF_4_MIB_BLOCKS, repeated(10_000, [2, 0, 0, 0, 0x10, 7]), [0, 0, 0, 0]),
  },
  {
    what: 'blocks that unpack to much in front of where it is cut',
    codec: 'lz4',
    bytes: bytesOf(
      LZ4_OF_4_MIB_BLOCKS,
      repeated(3, [0x40, 0x9c, 0, 0, ...repeated(40_000, [0xff])]),
      [0, 0, 0],
    ),
  },
  {
    what: 'thousands of empty blocks',
    codec: 'snappy',
    bytes: bytesOf(XERIAL, repeated(10_000, [0, 0, 0, 1, 0])),
  },
  {
    what: 'blocks that say much in front of one that is cut',
    codec: 'snappy',
    bytes: bytesOf(
      XERIAL,
      repeated(2, [0, 1, 0, 0, 0xff, 0xff, 0x3f, ...repeated(65_533, [0])]),
      [0],
    ),
  },
  {
    what: 'thousands of frames that are skipped',
    codec: 'zstd',
    bytes: bytesOf(repeated(10_000, [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])),
  },
  {
    what: 'junk behind what unpacks to much',
    codec: 'zstd',
    bytes: behind(compress('zstd', zeros(3_000_000)), 7),
  },
  {
    what: 'a last member of nothing',
    codec: 'gzip',
    bytes: new Uint8Array(Buffer.concat([gzipSync(zeros(3_000_000)), gzipSync(zeros(0))])),
  },
])('isLarge() sees through $codec with $what', ({ codec, bytes }) => {
  expect(isLarge(codec, bytes)).toBe(true)
})

test('decompress() refuses gzip of more than it says, and takes several members as they are', () => {
  const plain = walk(100_000)
  const packed = new Uint8Array(gzipSync(plain))
  const lying = packed.slice()
  new DataView(lying.buffer).setUint32(lying.length - 4, 5, true)
  expect(isLarge('gzip', lying)).toBe(false)
  expect(() => decompress('gzip', lying, LIMIT)).toThrow(corrupt)
  const twice = new Uint8Array(Buffer.concat([packed, gzipSync(walk(3))]))
  expect(decompress('gzip', twice, LIMIT).length).toBe(100_003)
})

test('decompress() takes no more for small lz4 blocks than they can hold', () => {
  // 250 blocks of a byte each, in a frame whose blocks may have 4 MiB: with that much for each it took 50 ms and more.
  const blocks = repeated(250, [2, 0, 0, 0, 0x10, 7])
  const bytes = bytesOf(LZ4_OF_4_MIB_BLOCKS, blocks, [0, 0, 0, 0])
  expect(isLarge('lz4', bytes)).toBe(false)
  expect(same(decompress('lz4', bytes, LIMIT), new Uint8Array(250).fill(7))).toBe(true)
})

test('decompress() passes over snappy blocks of nothing', () => {
  const letter = [0, 0, 0, 3, 1, 0, 65]
  expect([...decompress('snappy', bytesOf(XERIAL, [0, 0, 0, 1, 0], letter), LIMIT)]).toEqual([65])
  expect([...decompress('snappy', bytesOf(XERIAL, [0, 0, 0, 1, 0]), LIMIT)]).toEqual([])
})

test.each(CODECS)('decompress() with %s keeps little more memory than it needs', (codec) => {
  for (const size of [200, 20_000, 100_000]) {
    const plain = decompress(codec, compress(codec, walk(size)), LIMIT)
    expect(plain.length).toBe(size)
    // Buffers of some bytes come from a pool of the runtime's.
    expect(plain.buffer.byteLength).toBeLessThanOrEqual(Math.max(3 * size, 65_536))
  }
})

test('isLarge() finds an end in snappy blocks of less than nothing', () => {
  const bytes = bytesOf(XERIAL, [0xff, 0xff, 0xff, 0xfc], repeated(70_000, [0]))
  expect(isLarge('snappy', bytes)).toBe(false)
  expect(() => decompress('snappy', bytes, LIMIT)).toThrow(corrupt)
})

test.each(CODECS)('decompress() with %s leaves the packed bytes as they are', (codec) => {
  const packed = compress(codec, noise(200_000))
  const before = packed.slice()
  expect(same(decompress(codec, packed, LIMIT), noise(200_000))).toBe(true)
  expect(same(packed, before)).toBe(true)
})
