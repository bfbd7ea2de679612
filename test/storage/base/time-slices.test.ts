// Work in slices: nobody holds the loop for longer than a slice and a piece, however many work at a time.
import { setImmediate } from 'node:timers'
import { expect, test } from 'vitest'
import { TimeSlices } from '#storage/base/time-slices.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

test.each([1, 2, 50])(
  'TimeSlices let the loop turn after each slice when %i work at a time',
  async (workers) => {
    const clock = new VirtualClock()
    const slices = new TimeSlices(clock, 4)
    let turnStartedAt = clock.monotonic()
    let longest = 0
    let isDone = false
    const turn = () => {
      longest = Math.max(longest, clock.monotonic() - turnStartedAt)
      turnStartedAt = clock.monotonic()
      if (!isDone) setImmediate(turn)
    }
    setImmediate(turn)
    const work = async () => {
      for (let piece = 0; piece < 20; piece++) {
        await slices.breathe()
        clock.advance(3)
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
    isDone = true
    expect(clock.monotonic()).toBe(workers * 20 * 3)
    // A slice of 4 ms that a piece of 3 ms began in: 6 ms; one more where the turn falls between.
    expect(longest).toBeLessThanOrEqual(9)
  },
)

test('TimeSlices give everybody a turn', async () => {
  const clock = new VirtualClock()
  const slices = new TimeSlices(clock, 4)
  const done: string[] = []
  const work = async (name: string) => {
    for (let piece = 0; piece < 3; piece++) {
      clock.advance(5)
      await slices.breathe()
      done.push(name)
    }
  }
  await Promise.all([work('a'), work('b')])
  expect(done.slice(0, 4).sort()).toEqual(['a', 'a', 'b', 'b'])
})

test.each([
  { why: 'others had work', givesWay: true, othersMs: 1, rests: 3 },
  { why: 'nobody else did', givesWay: true, othersMs: 0, rests: 0 },
  { why: 'it is waited for', givesWay: false, othersMs: 1, rests: 0 },
])('TimeSlices rest $rests times of 3 when $why', async ({ givesWay, othersMs, rests }) => {
  const clock = new VirtualClock()
  const slices = new TimeSlices(clock, 4, { givesWay })
  let rested = 0
  let isDone = false
  const others = () => {
    rested += clock.pendingTimers
    // What is set for a millisecond fires in here.
    clock.advance(othersMs)
    if (!isDone) setImmediate(others)
  }
  setImmediate(others)
  for (let piece = 0; piece < 3; piece++) {
    clock.advance(5)
    await slices.breathe()
  }
  isDone = true
  expect(rested).toBe(rests)
})
