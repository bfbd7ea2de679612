// Every file operation fails once, with every error that it may meet.
import { expect, test } from 'vitest'
import { FAULTS, sweepFaults } from './fault-sweep.ts'

test.each(FAULTS)(
  'A log directory keeps its word whichever operation fails with $code',
  async ({ code }) => {
    const { wrong } = await sweepFaults({ code, from: 1, step: 1 })
    expect(wrong).toEqual([])
  },
  1_200_000,
)
