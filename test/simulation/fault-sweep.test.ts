// One file operation fails, whichever it is and however: nothing acknowledged is lost, and nothing else is disturbed.
import { expect, test } from 'vitest'
import { REFUSALS, sweepFaults } from './fault-sweep.ts'

test.each([{ code: 'ENOSPC' }, { code: 'EMFILE' }, { code: 'EIO' }])(
  'A log directory keeps its word when the n-th operation fails with $code, some n',
  async ({ code }) => {
    const { wrong, operations, resumed } = await sweepFaults({ code, from: 1, step: 23 })
    expect(wrong).toEqual([])
    expect(operations).toBeGreaterThan(300)
    if (REFUSALS.has(code)) expect(resumed).toBeGreaterThan(operations / 23 / 2)
  },
  90_000,
)
