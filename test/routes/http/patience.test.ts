// Waits that have a limit, on one timer.
import { expect, test } from 'vitest'
import { Patience } from '../../../routes/http/patience.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const tooLong = () => new Error('too long')

test('Patience settles as the promise does', async () => {
  const patience = new Patience(new VirtualClock(), 1000)
  expect(await patience.limit(Promise.resolve(7), tooLong)).toBe(7)
  const broken = patience.limit(Promise.reject(new Error('broken')), tooLong)
  await expect(broken).rejects.toThrow('broken')
})

test('Patience ends when its time is over, for each when its own is', async () => {
  const clock = new VirtualClock()
  const patience = new Patience(clock, 1000)
  const ended: string[] = []
  const wait = (name: string) =>
    patience.limit(new Promise(() => {}), tooLong).catch(() => ended.push(name))
  const first = wait('first')
  await clock.advance(500)
  const second = wait('second')
  await clock.advance(499)
  expect(ended).toEqual([])
  await clock.advance(101)
  await first
  expect(ended).toEqual(['first'])
  await clock.advance(500)
  await second
  expect(ended).toEqual(['first', 'second'])
})

test('Patience leaves no timer behind when nobody waits', async () => {
  const clock = new VirtualClock()
  const patience = new Patience(clock, 1000)
  await patience.limit(Promise.resolve(), tooLong)
  await clock.advance(100)
  expect(clock.pendingTimers).toBe(0)
})
