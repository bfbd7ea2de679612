// Modules that are loaded at their first use.
import { expect, test } from 'vitest'
import { loadPackage, loadWorkerThreads, loadZlib } from '#storage/base/late-modules.ts'

test('loadPackage() loads what is installed, and throws for what is not', () => {
  const { RE2JS } = loadPackage<typeof import('re2js')>('re2js')
  expect(RE2JS.compile('a+').matches('aaa')).toBe(true)
  expect(() => loadPackage('no-such-package')).toThrow(/no-such-package/)
})

test('loadZlib() and loadWorkerThreads() give the modules of the runtime', async () => {
  expect(loadZlib()).toBe((await import('node:zlib')).default)
  expect(loadWorkerThreads().isMainThread).toBe((await import('node:worker_threads')).isMainThread)
})
