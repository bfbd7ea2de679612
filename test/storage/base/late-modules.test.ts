// Descriptors that are set aside for modules that come late.
import { closeSync, openSync, readdirSync } from 'node:fs'
import { devNull } from 'node:os'
import { expect, test } from 'vitest'
import { holdSpareDescriptors, loadLate } from '#storage/base/late-modules.ts'

const open = (): number => readdirSync('/proc/self/fd').length
const onLinux = test.runIf(process.platform === 'linux')

onLinux(
  'loadLate() gives a load the descriptors that were set aside, and sets them aside again',
  async () => {
    holdSpareDescriptors()
    const before = open()
    const during = await loadLate(async () => {
      await Promise.resolve()
      return open()
    })
    expect(during).toBe(before - 16)
    expect(open()).toBe(before)
    await expect(loadLate(() => Promise.reject(new Error('Not there')))).rejects.toThrow(
      'Not there',
    )
    expect(open()).toBe(before)
  },
)

onLinux('loadLate() sets nothing aside again while another load is under way', async () => {
  holdSpareDescriptors()
  const end = Promise.withResolvers<number>()
  const slow = loadLate(() => end.promise)
  // What others take meanwhile is theirs.
  const taken = Array.from({ length: 4 }, () => openSync(devNull, 'r'))
  const within = open()
  await loadLate(() => Promise.resolve(1))
  expect(open()).toBe(within)
  for (const fd of taken) closeSync(fd)
  end.resolve(2)
  expect(await slow).toBe(2)
  expect(open()).toBe(within + 12)
})
