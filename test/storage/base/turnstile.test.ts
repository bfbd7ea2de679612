// Works that wait for room.
import { expect, test } from 'vitest'
import { Turnstile } from '#storage/base/turnstile.ts'
import { settle } from '../../simulation/virtual-clock.ts'

test('Turnstile.run() lets a limited number begin, at once, and the rest in order, failures or not', async () => {
  const turnstile = new Turnstile(2)
  const begun: number[] = []
  const ends: ((error?: Error) => void)[] = []
  const works = [0, 1, 2, 3, 4].map((number) =>
    turnstile.run(() => {
      begun.push(number)
      return new Promise<number>((resolve, reject) => {
        ends[number] = (error) => (error ? reject(error) : resolve(number))
      })
    }),
  )
  expect(begun).toEqual([0, 1])
  ends[1]?.(new Error('refused'))
  await expect(works[1]).rejects.toThrow('refused')
  await settle()
  expect(begun).toEqual([0, 1, 2])
  ends[0]?.()
  ends[2]?.()
  await settle()
  expect(begun).toEqual([0, 1, 2, 3, 4])
  ends[3]?.()
  ends[4]?.()
  expect(await Promise.all([works[0], works[2], works[3], works[4]])).toEqual([0, 2, 3, 4])
  expect(await turnstile.run(() => Promise.resolve(5))).toBe(5)
})
