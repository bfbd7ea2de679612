// The identity of a data directory.
import { expect, test } from 'vitest'
import { parseMetaProperties, serializeMetaProperties } from '#storage/state/meta-properties.ts'

const parse = (text: string) => parseMetaProperties(new TextEncoder().encode(text))

test('meta.properties as Kafka writes it is understood', () => {
  const text =
    '#\n#Sun Nov 22 16:55:45 UTC 2026\nnode.id=1\ndirectory.id=EcBj2HU8TJaSLKRhi_xImw\nversion=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\n'
  expect(parse(text)).toEqual({
    clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
    nodeId: 1,
    directoryId: 'EcBj2HU8TJaSLKRhi_xImw',
  })
})

test('meta.properties of version 0 has a broker id', () => {
  expect(parse('version=0\nbroker.id=3\n')).toEqual({
    clusterId: undefined,
    nodeId: 3,
    directoryId: undefined,
  })
  expect(parse('broker.id=3\ncluster.id=c\n')).toMatchObject({ clusterId: 'c', nodeId: 3 })
})

test('meta.properties reads back what was written', () => {
  const meta = { clusterId: 'a cluster = #1', nodeId: 42, directoryId: 'EcBj2HU8TJaSLKRhi_xImw' }
  expect(parseMetaProperties(serializeMetaProperties(meta))).toEqual(meta)
})

test.each([
  '',
  'version=2\nnode.id=1\ncluster.id=c',
  'version=1\ncluster.id=c',
  'version=1\nnode.id=-1\ncluster.id=c',
  'version=1\nnode.id=1',
  'version=1\nnode.id=1\ncluster.id=c\ndirectory.id=short',
])('meta.properties with the content %j is refused', (text) => {
  expect(() => parse(text)).toThrow('The file meta.properties has')
})
