// Waiting wakes on exactly the events that can end it.
import { expect, test } from 'vitest'
import { type Watched, waitForAny } from '#src/partitions/waiting.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

/** A position that becomes ready by hand and counts who watches it. */
function position(): Watched & { ready: boolean; watchers: Set<() => void>; wake(): void } {
  const watchers = new Set<() => void>()
  return {
    ready: false,
    watchers,
    isReady() {
      return this.ready
    },
    watch(wake) {
      watchers.add(wake)
      return () => watchers.delete(wake)
    },
    wake() {
      for (const wake of [...watchers]) wake()
    },
  }
}

test('waitForAny() answers at once when a target is ready', async () => {
  const target = position()
  target.ready = true
  expect(await waitForAny(new VirtualClock(), [position(), target], { waitMs: 1000 })).toBe(true)
})

test('waitForAny() goes on waiting when a target moves without becoming ready, and lets go of all when one is', async () => {
  const clock = new VirtualClock()
  const [left, right] = [position(), position()]
  const found = waitForAny(clock, [left, right], { waitMs: 1000 })
  left.wake()
  expect(left.watchers.size).toBe(1)
  right.ready = true
  right.wake()
  expect(await found).toBe(true)
  expect([left.watchers.size, right.watchers.size]).toEqual([0, 0])
})

test('waitForAny() gives up when its time has passed, not before', async () => {
  const clock = new VirtualClock()
  const target = position()
  let answer: boolean | undefined
  const waiting = waitForAny(clock, [target], { waitMs: 1000 }).then((found) => (answer = found))
  clock.advance(999)
  await Promise.resolve()
  expect(answer).toBeUndefined()
  clock.advance(1)
  await waiting
  expect(answer).toBe(false)
  expect(target.watchers.size).toBe(0)
})

test('waitForAny() gives up when its caller does', async () => {
  const target = position()
  const caller = new AbortController()
  const waiting = waitForAny(new VirtualClock(), [target], { waitMs: 1000, signal: caller.signal })
  caller.abort()
  expect(await waiting).toBe(false)
  expect(target.watchers.size).toBe(0)
})
