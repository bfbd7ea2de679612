// Tasks that come round.
import { expect, test } from 'vitest'
import { PeriodicTask } from '#storage/periodic-task.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'

test('PeriodicTask runs again an interval after each run has ended', async () => {
  const clock = new VirtualClock()
  const begun: number[] = []
  const task = new PeriodicTask(clock, 100, async () => {
    begun.push(clock.monotonic())
    await new Promise<void>((resolve) => clock.after(30, resolve))
  })
  await clock.run(400)
  expect(begun).toEqual([100, 230, 360])
  await task.stop()
  await clock.run(1000)
  expect(begun.length).toBe(3)
  expect(clock.pendingTimers).toBe(0)
})

test('PeriodicTask.stop() waits for the run that is under way, and no other follows', async () => {
  const clock = new VirtualClock()
  let hasEnded = false
  const task = new PeriodicTask(clock, 100, async () => {
    await new Promise<void>((resolve) => clock.after(50, resolve))
    hasEnded = true
  })
  await clock.run(110)
  const stopped = task.stop()
  expect(hasEnded).toBe(false)
  await clock.run(50)
  await stopped
  expect(hasEnded).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})
