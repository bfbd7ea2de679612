// When sessions end, and what heartbeats cost.
import { expect, test } from 'vitest'
import { Sessions } from '../../../../src/groups/classic/sessions.ts'
import { Deadlines } from '../../../../src/partitions/deadlines.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'

function sessions() {
  const clock = new VirtualClock()
  const ended: string[] = []
  const all = new Sessions({ clock, deadlines: new Deadlines(clock) }, (memberId) => {
    ended.push(`${memberId} at ${clock.monotonic()}`)
  })
  return { clock, ended, all }
}

test('Sessions end each in its time, and once', () => {
  const { clock, ended, all } = sessions()
  all.renew('late', 3_000)
  all.renew('early', 1_000)
  all.renew('middle', 2_000)
  clock.advance(10_000)
  expect(ended).toEqual(['early at 1000', 'middle at 2000', 'late at 3000'])
  expect(clock.pendingTimers).toBe(0)
})

test('Sessions that are renewed end later, or earlier where the new time is shorter', () => {
  const { clock, ended, all } = sessions()
  all.renew('a', 1_000)
  all.renew('b', 300_000)
  clock.advance(900)
  all.renew('a', 1_000)
  all.renew('b', 500)
  clock.advance(700)
  expect(ended).toEqual(['b at 1400'])
  clock.advance(10_000)
  expect(ended).toEqual(['b at 1400', 'a at 1900'])
})

test('Sessions that are dropped do not end', () => {
  const { clock, ended, all } = sessions()
  all.renew('a', 1_000)
  all.renew('b', 2_000)
  all.drop('a')
  clock.advance(1_500)
  all.clear()
  clock.advance(10_000)
  expect([ended, clock.pendingTimers]).toEqual([[], 0])
})

test('Sessions may begin anew from within the end of another', () => {
  const clock = new VirtualClock()
  const ended: number[] = []
  const all: Sessions = new Sessions({ clock, deadlines: new Deadlines(clock) }, (memberId) => {
    ended.push(clock.monotonic())
    if (ended.length < 3) all.renew(memberId, 1_000)
  })
  all.renew('a', 1_000)
  clock.advance(10_000)
  expect(ended).toEqual([1_000, 2_000, 3_000])
})

test('Sessions of a thousand members that beat set few timers', () => {
  let timers = 0
  const clock = new VirtualClock()
  const counting = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delayMs: number, action: () => void) => {
      timers++
      return clock.after(delayMs, action)
    },
  }
  const all = new Sessions({ clock: counting, deadlines: new Deadlines(counting) }, () => {
    throw new Error('Nobody was silent')
  })
  for (let beat = 0; beat < 30; beat++) {
    for (let member = 0; member < 1_000; member++) all.renew(`m${member}`, 10_000)
    clock.advance(1_000)
  }
  expect(timers).toBeLessThanOrEqual(10)
})
