// Threads: what is asked is answered in order, and failures arrive as what they were.
import { expect, test } from 'vitest'
import { type BackgroundThread, startThread } from '#storage/base/background-thread.ts'
import { AssertionError, KafkaError, StorageFault } from '#storage/base/errors.ts'

async function withThread(use: (thread: BackgroundThread) => Promise<void>): Promise<void> {
  const thread = await startThread(new URL('./echo-thread.ts', import.meta.url))
  try {
    await use(thread)
  } finally {
    await thread.end()
  }
}

test('BackgroundThread.ask() is answered in order, with bytes, maps and large numbers whole', async () => {
  const requests = [1, new Map([[2n ** 60n, Uint8Array.of(1, 2)]]), { deep: [null, 'x', Infinity] }]
  await withThread(async (thread) => {
    expect(await Promise.all(requests.map((request) => thread.ask(request)))).toEqual(requests)
  })
})

test('BackgroundThread.ask() rejects with what was thrown, and goes on', async () => {
  const errors = [
    new KafkaError('CORRUPT_MESSAGE', 'refused'),
    new StorageFault('a fault'),
    new AssertionError('a bug'),
    Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' }),
  ]
  await withThread(async (thread) => {
    const asked = ['refuse', 'fault', 'bug', 'full'].map((request) => {
      return thread.ask(request).catch((error: unknown) => error)
    })
    const thrown = await Promise.all(asked)
    expect(thrown).toEqual(errors)
    expect(thrown.map((error) => (error as Error).constructor)).toEqual(
      errors.map((error) => error.constructor),
    )
    expect(await thread.ask('more')).toBe('more')
  })
})

test('BackgroundThread.interrupt() reaches a thread that works', async () => {
  await withThread(async (thread) => {
    const answer = thread.ask('wait')
    thread.interrupt()
    expect(await answer).toBe('interrupted')
  })
})

test('BackgroundThread.ask() rejects when the thread ends, then and later', async () => {
  await withThread(async (thread) => {
    const asked = [thread.ask('exit'), thread.ask('never')]
    for (const answer of asked) await expect(answer).rejects.toThrow(/^A thread in the background/)
    await expect(thread.ask('again')).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  })
})

test('startThread() rejects when the script is missing', async () => {
  const missing = new URL('./no-such-thread.js', import.meta.url)
  await expect(startThread(missing)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
})
