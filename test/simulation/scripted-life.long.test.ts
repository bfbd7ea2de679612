// One scripted life: stopped at every change with several losses each, and with every operation failing.
// More: MILLRACE_SEEDS=50 (how many losses per stop; 4 otherwise).
import { expect, test } from 'vitest'
import { FAULTS, operationsThatFail } from './fault-sweep.ts'
import { liveAndFail, liveAndStop, sweepLives } from './scripted-life.ts'
import { seedsToRun } from './seeds.ts'

test.each(seedsToRun(4))(
  'A data directory keeps its word at whichever change it stops, losses %i',
  async (losses) => {
    const lifeOf = (at: number) => liveAndStop(at, losses * 1_000_000 + at)
    const { wrong } = await sweepLives(lifeOf, { from: 1, step: 1 })
    expect(wrong).toEqual([])
  },
  1_200_000,
)

test.each(FAULTS)(
  'A data directory keeps its word whichever operation of a life fails with $code',
  async ({ code }) => {
    const fault = { on: operationsThatFail(code), code }
    const lifeOf = (at: number) => liveAndFail({ ...fault, at })
    const { wrong } = await sweepLives(lifeOf, { from: 1, step: 1 })
    expect(wrong).toEqual([])
  },
  1_200_000,
)
