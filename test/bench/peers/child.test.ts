// Programs that a bench runs.
import { expect, test } from 'vitest'
import { runProgram, within } from '../../../bench/peers/child.ts'

test('runProgram() resolves with what a program printed, and with nothing of a silent one', async () => {
  expect(await runProgram('echo', ['hello'], { deadlineMs: 60_000 })).toBe('hello\n')
  expect(await runProgram('echo', ['hello'], { deadlineMs: 60_000, isSilent: true })).toBe('')
})

test('runProgram() rejects with the status and the last words of a program that failed', async () => {
  const failing = runProgram('sh', ['-c', 'echo because >&2; exit 3'], { deadlineMs: 60_000 })
  await expect(failing).rejects.toThrow('sh ended with 3: because')
})

test('within() rejects when a promise takes longer, and else passes on what came of it', async () => {
  await expect(within(1, 'It', new Promise(() => undefined))).rejects.toThrow(
    'It was not done after 0.001 s',
  )
  expect(await within(60_000, 'It', Promise.resolve(7))).toBe(7)
})

test('runProgram() ends a program that takes too long', async () => {
  const hanging = runProgram('sleep', ['600'], { deadlineMs: 200 })
  await expect(hanging).rejects.toThrow('sleep was not done after 0.2 s')
})
