// withinTime(): a change in time, one too late, and one without any.
import { expect, test } from 'vitest'
import { withinTime } from '../../../src/broker/time-limit.ts'
import { KafkaError } from '../../../storage/base/errors.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

test('withinTime() gives the result of a change, and leaves no timer', async () => {
  const clock = new VirtualClock()
  expect(await withinTime(clock, 100, () => Promise.resolve('done'))).toBe('done')
  expect(clock.pendingTimers).toBe(0)
})

test('withinTime() gives the refusal of a change', async () => {
  const refused = new KafkaError('POLICY_VIOLATION', 'No')
  const change = withinTime(new VirtualClock(), 100, () => Promise.reject(refused))
  await expect(change).rejects.toBe(refused)
})

test('withinTime() waits no longer than it may; the change goes its way', async () => {
  const clock = new VirtualClock()
  let finish = () => {}
  const slow = new Promise<void>((resolve) => {
    finish = resolve
  })
  const change = withinTime(clock, 100, () => slow)
  clock.advance(99)
  const late = expect(change).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  clock.advance(1)
  await late
  finish()
})

test.each([0, -5])('withinTime() begins nothing in %i ms', async (timeoutMs) => {
  let isBegun = false
  const change = withinTime(new VirtualClock(), timeoutMs, async () => {
    isBegun = true
    await Promise.resolve()
  })
  await expect(change).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  expect(isBegun).toBe(false)
})
