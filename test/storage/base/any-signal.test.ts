// One signal out of several.
import { expect, test } from 'vitest'
import { anySignal } from '#storage/base/any-signal.ts'

test.each([0, 1])('anySignal() aborts with source %i, before or after it was made', (index) => {
  const sources = [new AbortController(), new AbortController()]
  const signals = sources.map(({ signal }) => signal)
  const { signal } = anySignal(signals)
  expect(signal.aborted).toBe(false)
  sources[index]?.abort()
  expect(signal.aborted).toBe(true)
  expect(anySignal(signals).signal.aborted).toBe(true)
})

test('anySignal() lets go of its sources when it is released', () => {
  const source = new AbortController()
  const { signal, release } = anySignal([source.signal])
  release()
  release()
  source.abort()
  expect(signal.aborted).toBe(false)
})
