// A bit flips in a file of a stopped broker, one file and one bit at a time: it is found, made good, or does no harm.
import { expect, test } from 'vitest'
import { sweepBitFlips } from './bit-flips.ts'

test.each([
  { why: 'a clean stop', isClean: true },
  { why: 'a kill', isClean: false },
])(
  'After $why a flipped bit in any file is found, made good, or does no harm',
  async ({ isClean }) => {
    const { outcomes, wrong, expected } = await sweepBitFlips(isClean, 4)
    expect(expected.orders.length).toBe(40 - 9 + 1)
    expect(expected.committed.length).toBe(40 - 9)
    expect(wrong).toEqual([])
    expect([...outcomes.keys()]).toEqual(
      expect.arrayContaining(['log', 'index', 'timeindex', 'txnindex', 'snapshot', 'checkpoint']),
    )
  },
)
