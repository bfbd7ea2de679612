// Bit flips at many places of every file.
import { expect, test } from 'vitest'
import { sweepBitFlips } from './bit-flips.ts'

test.each([
  { why: 'a clean stop', isClean: true },
  { why: 'a kill', isClean: false },
])(
  'After $why a flipped bit anywhere in any file is found, made good, or does no harm',
  async ({ isClean }) => {
    const { wrong } = await sweepBitFlips(isClean, 40)
    expect(wrong).toEqual([])
  },
  1_200_000,
)
