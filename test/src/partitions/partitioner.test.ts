// The partitioner agrees with Java's.
import { expect, test } from 'vitest'
import { murmur2, partitionForKey } from '#src/partitions/partitioner.ts'

// From `org.apache.kafka.common.utils.Utils.murmur2` and `toPositive(…) % 7` of kafka-clients 4.3.1.
test.each([
  ['', 275646681, 2],
  ['a', -1563381124, 5],
  ['ab', 316155434, 0],
  ['abc', 479470107, 4],
  ['abcd', -1323649548, 5],
  ['abcde', 461995741, 4],
  ['en', -831774769, 2],
  ['hello world', 1221641059, 2],
  ['ключ', 2122343024, 4],
  ['21', -973932308, 3],
  ['a-little-bit-long-string', -985981536, 1],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971, 3],
])('murmur2() and partitionForKey() choose for %j what Java chooses', (key, hash, partition) => {
  const bytes = new TextEncoder().encode(key)
  expect(murmur2(bytes)).toBe(hash)
  expect(partitionForKey(bytes, 7)).toBe(partition)
})

test('murmur2() reads bytes above 127 as Java does', () => {
  expect(murmur2(Uint8Array.of(255, 254, 128, 127, 0, 251))).toBe(-348978048)
})
