// What clients are told of features.
import { expect, test } from 'vitest'
import { describeFeatures } from '#src/broker/features.ts'
import { EMPTY_IMAGE, MetadataImage } from '#src/metadata/image.ts'
import { DEFAULT_FEATURES } from '#src/metadata/record-versions.ts'

const image = (features: Iterable<readonly [string, number]>, kRaftVersion = 1) =>
  new MetadataImage({
    ...EMPTY_IMAGE.state,
    offset: 12,
    features: new Map(features),
    quorum: { ...EMPTY_IMAGE.state.quorum, kRaftVersion },
  })

test("describeFeatures() lowers Kafka's defaults to what is implemented, and leaves out level 0", () => {
  const { finalized, epoch } = describeFeatures(image(DEFAULT_FEATURES))
  expect(finalized).toEqual([
    { name: 'metadata.version', level: 30 },
    { name: 'eligible.leader.replicas.version', level: 1 },
    { name: 'group.version', level: 1 },
    { name: 'kraft.version', level: 1 },
  ])
  expect(epoch).toBe(12)
})

test('describeFeatures() never shows a level above the finalised one', () => {
  const { finalized } = describeFeatures(image([['metadata.version', 25]], 0))
  expect(finalized).toEqual([{ name: 'metadata.version', level: 25 }])
})

test('describeFeatures() supports no transactions of the second kind before they exist', () => {
  const { supported } = describeFeatures(image([]))
  expect(supported).toContainEqual({ name: 'transaction.version', minVersion: 0, maxVersion: 0 })
  expect(supported).toContainEqual({ name: 'metadata.version', minVersion: 7, maxVersion: 30 })
  for (const { minVersion, maxVersion } of supported) expect(minVersion <= maxVersion).toBe(true)
})

test('describeFeatures() has an epoch that counts before the first record', () => {
  expect(describeFeatures(EMPTY_IMAGE).epoch).toBe(0)
})
