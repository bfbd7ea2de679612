// What a process knows about itself.
import { expect, test } from 'vitest'
import {
  onTermination,
  processId,
  processUsage,
  releaseMemory,
  runtimeName,
} from '../../../src/platform/process.ts'

test('runtimeName() names the runtime that runs it', () => {
  const name = process.versions['bun'] ? 'bun' : 'Deno' in globalThis ? 'deno' : 'node'
  expect(runtimeName()).toMatch(new RegExp(`^${name} \\d+\\.\\d+`))
  expect(processId()).toBe(process.pid)
})

test('processUsage() is in bytes and seconds', () => {
  const { residentBytes, cpuSeconds, startSeconds } = processUsage()
  expect(residentBytes).toBeGreaterThan(1024 * 1024)
  expect(cpuSeconds).toBeGreaterThan(0)
  expect(cpuSeconds).toBeLessThan(10_000)
  expect(Math.abs(Date.now() / 1000 - startSeconds)).toBeLessThan(3_600)
})

test('onTermination() hears of the signal until it is told not to', async () => {
  const heard = Promise.withResolvers<string>()
  const stop = onTermination(heard.resolve)
  process.kill(process.pid, 'SIGTERM')
  expect(await heard.promise).toBe('SIGTERM')
  const before = process.listenerCount('SIGINT')
  stop()
  expect(process.listenerCount('SIGINT')).toBe(before - 1)
})

test('releaseMemory() keeps what is still held', () => {
  const held = Array.from({ length: 1_000 }, (_, index) => ({ text: `held ${index}` }))
  releaseMemory()
  expect(held.every(({ text }, index) => text === `held ${index}`)).toBe(true)
})
