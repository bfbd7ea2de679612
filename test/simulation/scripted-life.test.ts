// One scripted life, stopped at every change of its files.
import { expect, test } from 'vitest'
import { liveAndStop } from './scripted-life.ts'
import { seedsToRun } from './seeds.ts'

test('A data directory keeps its word at whichever change of a life it stops', async () => {
  const wrong: string[] = []
  let stops = 0
  for (const losses of seedsToRun(1)) {
    for (let at = 1, wasMet = true; wasMet; at++) {
      try {
        ;({ wasMet } = await liveAndStop(at, losses * 100_000 + at))
        if (wasMet) stops++
      } catch (error) {
        wrong.push(
          `stop at change ${at}, losses ${losses}: ${error instanceof Error ? error.message : error}`,
        )
      }
      if (wrong.length > 5) break
    }
  }
  expect(wrong).toEqual([])
  expect(stops).toBeGreaterThan(300)
}, 600_000)
