// Memory held while brokers are measured stays held: a collector may let go of what its program asks for no more.
import { expect, test } from 'vitest'
import { availableGib, holdMemory } from '../../../bench/peers/ballast.ts'

test('memory that is held stays held while its process has nothing to do', async () => {
  const ballast = await holdMemory(availableGib() - 0.5)
  try {
    // Without anybody who refers to it, Bun gives it back within a second and a half.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(() => ballast.check()).not.toThrow()
  } finally {
    ballast.letGo()
  }
})

test('more memory than there is can not be left free', async () => {
  await expect(holdMemory(availableGib() + 1)).rejects.toThrow(/are available/)
})
