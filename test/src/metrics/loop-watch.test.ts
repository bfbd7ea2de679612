// How late the event loop is, counted.
import { expect, test } from 'vitest'
import { LoopWatch } from '#src/metrics/loop-watch.ts'
import type { Clock, Timer } from '#storage/base/world.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

/** A clock whose timers come late by as much as it is told. */
class LateClock implements Clock {
  lateMs = 0
  readonly #clock = new VirtualClock()

  now = (): number => this.#clock.now()
  monotonic = (): number => this.#clock.monotonic()
  after = (delayMs: number, action: () => void): Timer =>
    this.#clock.after(delayMs + this.lateMs, action)
  advance = (ms: number): void => this.#clock.advance(ms)
  get pendingTimers(): number {
    return this.#clock.pendingTimers
  }
}

const counted = (watch: LoopWatch) =>
  Object.fromEntries(watch.delays().map(({ le, count }) => [le, count]))

test('LoopWatch counts delays up to each bound, cumulatively', () => {
  const clock = new LateClock()
  const watch = new LoopWatch(clock)
  watch.delays()
  clock.advance(50)
  expect(counted(watch)).toMatchObject({ '0.001': 10, '1': 10, '+Inf': 10 })
  clock.lateMs = 40
  clock.advance(5)
  clock.lateMs = 0
  clock.advance(45)
  expect(counted(watch)).toMatchObject({ '0.001': 11, '0.03': 11, '0.05': 12, '+Inf': 12 })
})

test('LoopWatch counts what is longer than every bound under +Inf alone', () => {
  const clock = new LateClock()
  clock.lateMs = 3000
  const watch = new LoopWatch(clock)
  watch.delays()
  clock.advance(3005)
  expect(counted(watch)).toMatchObject({ '1': 0, '+Inf': 1 })
})

test('LoopWatch sets no timer before the first look, and none two minutes after the last', () => {
  const clock = new LateClock()
  const watch = new LoopWatch(clock)
  expect(clock.pendingTimers).toBe(0)
  watch.delays()
  clock.advance(119_000)
  expect(clock.pendingTimers).toBe(1)
  watch.delays()
  clock.advance(119_000)
  expect(clock.pendingTimers).toBe(1)
  clock.advance(2000)
  expect(clock.pendingTimers).toBe(0)
  watch.delays()
  expect(clock.pendingTimers).toBe(1)
})
