// The guess at a mistyped name.
import { expect, test } from 'vitest'
import { nearestName } from '#src/config/nearest-name.ts'

test.each([
  ['num.partition', 'num.partitions'],
  ['num.patritions', 'num.partitions'],
  ['NUM.PARTITIONS', 'num.partitions'],
  ['log.dir', 'log.dirs'],
  ['zzzzzzzzzz', undefined],
])('nearestName() of %s is %s', (name, nearest) => {
  expect(nearestName(name, ['num.partitions', 'log.dirs', 'num.io.threads'])).toBe(nearest)
})

test('nearestName() counts a swap of neighbours as one slip', () => {
  expect(nearestName('abdc', ['abxx', 'abcd'])).toBe('abcd')
})
