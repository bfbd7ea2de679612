// Deadlines: on time, once, and all of them on one timer.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines } from '#src/partitions/deadlines.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

test('Deadlines run each action once, never early and at most 5 ms late, unless it is taken back', () => {
  const delay = fc.record({
    startMs: fc.nat(500),
    delayMs: fc.nat(1000),
    isTakenBack: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(delay, { maxLength: 40 }), (delays) => {
      const clock = new VirtualClock()
      const deadlines = new Deadlines(clock)
      const ran = new Map<number, number>()
      const takeBacks: (() => void)[] = []
      for (const [index, { startMs, delayMs }] of delays.entries()) {
        clock.after(startMs, () => {
          const run = () => {
            expect(ran.has(index)).toBe(false)
            ran.set(index, clock.monotonic() - startMs - delayMs)
          }
          takeBacks[index] = deadlines.add(delayMs, run)
        })
      }
      for (const [index, { startMs, delayMs, isTakenBack }] of delays.entries()) {
        // Behind the timer that sets it, and before it is due.
        if (isTakenBack && delayMs > 0) clock.after(startMs, () => takeBacks[index]?.())
      }
      clock.advance(2000)
      for (const [index, { delayMs, isTakenBack }] of delays.entries()) {
        const lateMs = ran.get(index)
        if (isTakenBack && delayMs > 0) expect(lateMs).toBeUndefined()
        else expect(lateMs).toSatisfy((late: number) => late >= 0 && late <= 5)
      }
      expect(clock.pendingTimers).toBe(0)
    }),
  )
})

test('Deadlines hold one timer however many there are, and none when all are taken back', () => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  const takeBacks = Array.from({ length: 1000 }, (_, n) => deadlines.add(500 + n, () => undefined))
  expect(clock.pendingTimers).toBe(1)
  for (const takeBack of takeBacks) takeBack()
  expect(clock.pendingTimers).toBe(0)
})

test('Deadlines that are cleared never run', () => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  let count = 0
  deadlines.add(10, () => count++)
  deadlines.clear()
  clock.advance(100)
  expect(count).toBe(0)
})
