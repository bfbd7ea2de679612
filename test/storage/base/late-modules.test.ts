// Modules that are loaded at their first use, and the descriptors that are set aside for them.
import { closeSync, openSync, readdirSync } from 'node:fs'
import { devNull } from 'node:os'
import { expect, test } from 'vitest'
import {
  holdSpareDescriptors,
  lateModule,
  loadPackage,
  loadWorkerThreads,
  loadZlib,
} from '#storage/base/late-modules.ts'

test('loadPackage() loads what is installed, and throws for what is not', () => {
  const { RE2JS } = loadPackage<typeof import('re2js')>('re2js')
  expect(RE2JS.compile('a+').matches('aaa')).toBe(true)
  expect(() => loadPackage('no-such-package')).toThrow(/no-such-package/)
})

test('loadZlib() and loadWorkerThreads() give the modules of the runtime', async () => {
  expect(loadZlib()).toBe((await import('node:zlib')).default)
  expect(loadWorkerThreads().isMainThread).toBe((await import('node:worker_threads')).isMainThread)
})

test('lateModule() loads once for all who ask, and again after a failure', async () => {
  let loads = 0
  const load = lateModule(async () => {
    loads++
    await Promise.resolve()
    if (loads === 1) throw new Error('Not there')
    return loads
  })
  const outcomes = await Promise.allSettled([load(), load()])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(loads).toBe(1)
  expect(await Promise.all([load(), load()])).toEqual([2, 2])
  expect(await load()).toBe(2)
})

const open = (): number => readdirSync('/proc/self/fd').length
const onLinux = test.runIf(process.platform === 'linux')

onLinux(
  'lateModule() gives a load the descriptors that were set aside, and sets them aside again',
  async () => {
    holdSpareDescriptors()
    const before = open()
    const during = await lateModule(async () => {
      await Promise.resolve()
      return open()
    })()
    expect(during).toBe(before - 16)
    expect(open()).toBe(before)
    await expect(lateModule(() => Promise.reject(new Error('Not there')))()).rejects.toThrow(
      'Not there',
    )
    expect(open()).toBe(before)
  },
)

onLinux('lateModule() sets nothing aside again while another load is under way', async () => {
  holdSpareDescriptors()
  const end = Promise.withResolvers<number>()
  const slow = lateModule(() => end.promise)()
  // What others take meanwhile is theirs.
  const taken = Array.from({ length: 4 }, () => openSync(devNull, 'r'))
  const within = open()
  await lateModule(() => Promise.resolve(1))()
  expect(open()).toBe(within)
  for (const fd of taken) closeSync(fd)
  end.resolve(2)
  expect(await slow).toBe(2)
  expect(open()).toBe(within + 12)
})
