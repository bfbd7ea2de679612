// Unpacking off the loop: how much of it goes on at a time.
import { expect, test } from 'vitest'
import { type Unpacker, unpackLater } from '#storage/batch/compression/unpacking.ts'

test('unpackLater() unpacks four at a time, the others in the order in which they came', async () => {
  const underWay: (() => void)[] = []
  const begun: number[] = []
  const unpacker: Unpacker<Uint8Array> = {
    *parts(bytes) {
      begun.push(bytes[0] ?? -1)
      const half = yield bytes
      yield half
      return half
    },
    now: (bytes) => bytes,
    later: (bytes) => new Promise((resolve) => underWay.push(() => resolve(bytes))),
  }
  const all = Array.from({ length: 10 }, (_, number) =>
    unpackLater(unpacker, Uint8Array.of(number), 1),
  )
  let most = 0
  const done = Promise.allSettled(all)
  for (let step = 0; step < 20; step++) {
    most = Math.max(most, underWay.length)
    underWay.shift()?.()
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  expect(most).toBe(4)
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await done
  expect((await Promise.all(all)).map(([first]) => first)).toEqual(begun)
})

test('unpackLater() goes on after one that can not be unpacked', async () => {
  const unpacker: Unpacker<Uint8Array> = {
    *parts(bytes) {
      return yield bytes
    },
    now: (bytes) => bytes,
    later: (bytes) =>
      bytes.length === 0 ? Promise.reject(new Error('Nothing to unpack')) : Promise.resolve(bytes),
  }
  for (let number = 0; number < 9; number++) {
    await expect(unpackLater(unpacker, new Uint8Array(0), 1)).rejects.toThrow('Nothing to unpack')
  }
  expect(await unpackLater(unpacker, Uint8Array.of(1), 1)).toEqual(Uint8Array.of(1))
})
