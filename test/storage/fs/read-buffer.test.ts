// Buffers that are lent again and again.
import { expect, test } from 'vitest'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'

test('ReadBufferPool.lease() gives as many bytes as were asked for, and the same memory again', () => {
  const pool = new ReadBufferPool()
  const first = pool.lease(5000)
  expect(first.bytes.length).toBe(5000)
  const memory = first.bytes.buffer
  first.release()
  first.release()
  expect(first.bytes.length).toBe(0)
  const second = pool.lease(8192)
  expect(second.bytes.buffer).toBe(memory)
  expect(pool.lease(8192).bytes.buffer).not.toBe(memory)
})

test('ReadBufferPool keeps no more than it may', () => {
  const pool = new ReadBufferPool(10_000)
  const leases = [pool.lease(4096), pool.lease(4096), pool.lease(4096)]
  expect(pool.stats).toEqual({ keptBytes: 0, lentBytes: 3 * 4096 })
  for (const lease of leases) lease.release()
  expect(pool.stats).toEqual({ keptBytes: 2 * 4096, lentBytes: 0 })
})
