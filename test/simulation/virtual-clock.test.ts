// Time under control.
import { expect, test } from 'vitest'
import { VirtualClock } from './virtual-clock.ts'

test('VirtualClock.advance() fires what falls due, in order, and what that sets', () => {
  const clock = new VirtualClock(1000)
  const fired: string[] = []
  const note = (name: string) => () => fired.push(`${name}@${clock.now()}/${clock.monotonic()}`)
  clock.after(20, note('c'))
  clock.after(10, note('a'))
  clock.after(10, () => {
    note('b')()
    clock.after(5, note('d'))
  })
  clock.after(31, note('late'))
  clock.after(12, note('cancelled')).cancel()
  clock.advance(30)
  expect(fired).toEqual(['a@1010/10', 'b@1010/10', 'd@1015/15', 'c@1020/20'])
  expect(clock.now()).toBe(1030)
  expect(clock.pendingTimers).toBe(1)
  expect(clock.step()).toBe(true)
  expect(clock.monotonic()).toBe(31)
  expect(clock.step()).toBe(false)
})

test('VirtualClock.setNow() moves the wall clock alone', () => {
  const clock = new VirtualClock(1000)
  let fired = 0
  clock.after(10, () => fired++)
  clock.setNow(500)
  expect([clock.now(), clock.monotonic(), fired]).toEqual([500, 0, 0])
  clock.advance(10)
  expect([clock.now(), clock.monotonic(), fired]).toEqual([510, 10, 1])
})

test('VirtualClock.run() lets promises go on between timers', async () => {
  const clock = new VirtualClock()
  const times: number[] = []
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))
  const worker = async () => {
    for (let round = 0; round < 3; round++) {
      await sleep(10)
      times.push(clock.monotonic())
    }
  }
  const done = worker()
  await clock.run(100)
  await done
  expect(times).toEqual([10, 20, 30])
  expect(clock.monotonic()).toBe(100)
})
