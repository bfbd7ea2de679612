// The file with a partition's topic id.
import { expect, test } from 'vitest'
import {
  parsePartitionMetadata,
  serializePartitionMetadata,
} from '#storage/state/partition-metadata.ts'

const ID = 'EcBj2HU8TJaSLKRhi_xImw'

test('partition.metadata is two lines without a newline at the end', () => {
  const bytes = serializePartitionMetadata(ID)
  expect(new TextDecoder().decode(bytes)).toBe(`version: 0\ntopic_id: ${ID}`)
  expect(parsePartitionMetadata(bytes)).toBe(ID)
  expect(parsePartitionMetadata(Uint8Array.of(...bytes, 10))).toBe(ID)
})

test.each([
  '',
  'version: 0\n',
  `version: 1\ntopic_id: ${ID}`,
  'version: 0\ntopic_id: short',
  'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA',
])('partition.metadata with the content %j is refused', (text) => {
  expect(() => parsePartitionMetadata(new TextEncoder().encode(text))).toThrow(
    'The file partition.metadata',
  )
})
