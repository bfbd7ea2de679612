// What the names of directories say.
import { expect, test } from 'vitest'
import { directoryKind, renamedDirectory } from '#storage/directory-names.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'

const HEX = '0123456789abcdef0123456789abcdef'

test.each([
  { name: 'orders-0', kind: 'partition' },
  { name: 'a-b.c_d-12', kind: 'partition' },
  { name: '__cluster_metadata-0', kind: 'metadata' },
  { name: '__cluster_metadata-1', kind: 'partition' },
  { name: `orders-0.${HEX}-delete`, kind: 'deleted' },
  { name: `orders-0.${HEX}-stray`, kind: 'stray' },
  { name: `orders-0.${HEX}-future`, kind: 'future' },
  { name: 'orders-0.0123-delete', kind: 'strange' },
  { name: 'lost+found', kind: 'ignored' },
  { name: 'remote-log-index-cache', kind: 'ignored' },
  { name: 'orders', kind: 'strange' },
  { name: '-0', kind: 'strange' },
  { name: 'orders--1', kind: 'partition' },
])('directoryKind() takes $name for $kind', ({ name, kind }) => {
  expect(directoryKind(name).kind).toBe(kind)
})

test.each(['delete', 'stray'] as const)(
  'renamedDirectory() makes a name for -%s that is understood',
  (suffix) => {
    const name = renamedDirectory({ topic: 'a-b', partition: 7 }, suffix, new SeededRandom(1))
    expect(name).toMatch(new RegExp(`^a-b-7\\.[0-9a-f]{32}-${suffix}$`))
    expect(directoryKind(name).kind).toBe(suffix === 'delete' ? 'deleted' : 'stray')
  },
)

test('renamedDirectory() cuts the topic so that the name has 255 characters', () => {
  const name = renamedDirectory(
    { topic: 't'.repeat(249), partition: 12 },
    'delete',
    new SeededRandom(1),
  )
  expect(name.length).toBe(255)
  expect(name).toMatch(/^t+-12\.[0-9a-f]{32}-delete$/)
})
