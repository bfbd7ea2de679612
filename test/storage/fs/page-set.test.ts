// Sets of pages agree with a naive set.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PageSet } from '#storage/fs/page-set.ts'

const SIZE = 100_000
const range = fc
  .tuple(fc.nat(SIZE - 1), fc.integer({ min: 1, max: 20_000 }))
  .map(([position, size]) => ({ position, size: Math.min(size, SIZE - position) }))

function pagesOf({ position, size }: { position: number; size: number }): number[] {
  const first = Math.floor(position / 4096)
  const count = Math.floor((position + size - 1) / 4096) - first + 1
  return Array.from({ length: count }, (_, at) => first + at)
}

test('PageSet agrees with a set of page numbers', () => {
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 8 }),
      fc.array(range, { minLength: 1 }),
      (added, asked) => {
        const pages = new PageSet(SIZE)
        const expected = new Set<number>()
        for (const one of added) {
          pages.add(one.position, one.size)
          for (const page of pagesOf(one)) expected.add(page)
        }
        for (const one of asked) {
          const isThere = pagesOf(one).every((page) => expected.has(page))
          expect(pages.has(one.position, one.size)).toBe(isThere)
        }
        pages.clear()
        for (const one of asked) expect(pages.has(one.position, one.size)).toBe(false)
      },
    ),
  )
})
