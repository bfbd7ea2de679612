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

test('Deadlines of the same time can take each other back, and all of them', () => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  const ran: string[] = []
  const takeBacks: (() => void)[] = []
  deadlines.add(10, () => {
    ran.push('first')
    takeBacks[0]?.()
  })
  takeBacks.push(deadlines.add(10, () => ran.push('taken back')))
  deadlines.add(10, () => {
    ran.push('second')
    deadlines.clear()
  })
  deadlines.add(10, () => ran.push('cleared'))
  clock.advance(100)
  expect(ran).toEqual(['first', 'second'])
  expect(clock.pendingTimers).toBe(0)
})

test('Deadlines go on behind an action that throws', () => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  const ran: string[] = []
  deadlines.add(10, () => {
    throw new TypeError('A bug')
  })
  deadlines.add(10, () => ran.push('same time'))
  deadlines.add(20, () => ran.push('later'))
  expect(() => clock.advance(100)).toThrow(TypeError)
  clock.advance(100)
  expect(ran).toEqual(['same time', 'later'])
})

test('Deadlines that are added by an action for now let the loop have its turn first', () => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  let count = 0
  const again = () => {
    if (++count < 10) deadlines.add(0, again)
  }
  deadlines.add(0, again)
  clock.advance(0)
  expect(count).toBe(1)
  clock.advance(9 * 5)
  expect(count).toBe(10)
})

test('Deadlines can be more times apart than a call takes arguments, and cost no look at all of them', () => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  const ran: number[] = []
  const count = 130_000
  // Backwards and forwards, so that none of them comes where it belongs by chance.
  for (let n = 0; n < count; n++) {
    const at = n % 2 === 0 ? n : count - n
    deadlines.add(at * 5, () => ran.push(at))
  }
  const before = performance.now()
  clock.advance(count * 5)
  expect(performance.now() - before).toBeLessThan(10_000)
  expect(ran).toHaveLength(count)
  expect(ran.every((at, index) => index === 0 || (ran[index - 1] ?? 0) <= at)).toBe(true)
})
