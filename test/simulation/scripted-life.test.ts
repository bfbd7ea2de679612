// One scripted life: stopped at every change of its files, and with some of its operations failing.
import { expect, test } from 'vitest'
import { operationsThatFail } from './fault-sweep.ts'
import { liveAndFail, liveAndStop, sweepLives } from './scripted-life.ts'

const STEP = 41
/** Others every day. */
const FROM = 1 + (Math.floor(Date.now() / 86_400_000) % STEP)

test('A data directory keeps its word at whichever change of a life it stops', async () => {
  const { wrong, lives } = await sweepLives((at) => liveAndStop(at, at), { from: 1, step: 1 })
  expect(wrong).toEqual([])
  expect(lives).toBeGreaterThan(300)
}, 600_000)

test.each([{ code: 'ENOSPC' }, { code: 'EMFILE' }, { code: 'EIO' }])(
  `A data directory keeps its word when an operation of a life fails with $code, from ${FROM} in steps of ${STEP}`,
  async ({ code }) => {
    const fault = { on: operationsThatFail(code), code }
    const sweep = sweepLives((at) => liveAndFail({ ...fault, at }), { from: FROM, step: STEP })
    const { wrong, lives } = await sweep
    expect(wrong).toEqual([])
    expect(lives).toBeGreaterThan(5)
  },
  600_000,
)
