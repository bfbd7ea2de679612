// Directories that are removed some time after their deletion.
import { expect, test } from 'vitest'
import { DelayedRemovals } from '#storage/delayed-removals.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'

function removalsOn(disk: SimulatedDisk) {
  for (const name of ['a', 'b', 'c']) disk.makeDirectory(`/data/${name}/sub`)
  const clock = new VirtualClock()
  const problems: unknown[] = []
  const removals = new DelayedRemovals(disk, clock, (error) => problems.push(error))
  const left = () => disk.list('/data').map(({ name }) => name)
  return { clock, problems, removals, left }
}

test('DelayedRemovals removes a directory after its delay, and spares what is unwanted then', () => {
  const { clock, removals, left } = removalsOn(new SimulatedDisk())
  removals.add('/data/a', 100, () => false)
  removals.add('/data/b', 100, () => true)
  clock.advance(99)
  expect(left()).toEqual(['a', 'b', 'c'])
  clock.advance(1)
  expect(left()).toEqual(['b', 'c'])
})

test('DelayedRemovals.cancel() leaves what is still there, and no timer', () => {
  const { clock, removals, left } = removalsOn(new SimulatedDisk())
  removals.add('/data/a', 100, () => false)
  removals.cancel()
  expect(clock.pendingTimers).toBe(0)
  clock.advance(1000)
  expect(left()).toEqual(['a', 'b', 'c'])
})

test('DelayedRemovals reports a removal that fails and goes on with the others', () => {
  const disk = new SimulatedDisk()
  const { clock, problems, removals, left } = removalsOn(disk)
  removals.add('/data/a', 100, () => false)
  removals.add('/data/b', 200, () => false)
  disk.fail({ on: 'remove', path: '/data/a', code: 'EIO' })
  clock.advance(200)
  expect(problems).toMatchObject([{ code: 'EIO' }])
  expect(left()).toContain('a')
  expect(left()).not.toContain('b')
})
