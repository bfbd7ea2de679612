// One fsync of a directory for all who ask.
import { expect, test } from 'vitest'
import { SharedSync } from '#storage/shared-sync.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'

test('SharedSync.sync() serves all who ask meanwhile with one fsync that begins after they asked', async () => {
  const works: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => works.push(work) })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  disk.makeDirectory('/data')
  const shared = new SharedSync(disk, '/data')
  const done: string[] = []
  const ask = (name: string) => shared.sync().then(() => done.push(name))
  const first = ask('first')
  await settle()
  const others = [ask('second'), ask('third')]
  await settle()
  expect(works.length).toBe(1)
  works.shift()?.()
  await first
  await settle()
  expect(done).toEqual(['first'])
  works.shift()?.()
  await Promise.all(others)
  expect(done).toEqual(['first', 'second', 'third'])
  expect(works.length).toBe(0)
})

test('SharedSync.sync() tells a failure to those whom it concerns only', async () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  const shared = new SharedSync(disk, '/data')
  disk.fail({ on: 'syncDirectory', code: 'EIO' })
  await expect(shared.sync()).rejects.toThrow('EIO')
  await expect(shared.sync()).resolves.toBeUndefined()
})
