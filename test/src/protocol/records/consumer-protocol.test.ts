// How far the consumer protocol is understood. That its bytes are Kafka's is shown by test/golden/groups.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  consumerProtocolVersion,
  parseAssignment,
  parseSubscribedTopics,
  parseSubscription,
  serializeAssignment,
  serializeSubscription,
} from '../../../../src/protocol/records/consumer-protocol.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'

const subscription = {
  topics: ['b', 'a'],
  userData: Uint8Array.of(1, 2),
  ownedPartitions: [{ topic: 'a', partitions: [0, 3] }],
  generationId: 7,
  rackId: 'r',
}

/** The same bytes under another version, with more behind. */
function later(bytes: Uint8Array, version: number): Uint8Array {
  const changed = new Uint8Array(bytes.length + 3).fill(9)
  changed.set(bytes)
  new DataView(changed.buffer).setInt16(0, version)
  return changed
}

test('parseSubscription() reads a later version as the latest known', () => {
  const bytes = later(serializeSubscription(subscription), 9)
  expect(consumerProtocolVersion(bytes)).toBe(9)
  expect(parseSubscription(bytes)).toEqual(subscription)
  expect(parseSubscribedTopics(bytes)).toEqual(['b', 'a'])
})

test('parseAssignment() reads a later version as the latest known', () => {
  const assignment = { assignedPartitions: [{ topic: 'a', partitions: [1] }], userData: null }
  expect(parseAssignment(later(serializeAssignment(assignment), 4))).toEqual(assignment)
})

test.each([4, 32_767])('A version beyond the latest known, %i, is written as that', (version) => {
  expect(serializeSubscription(subscription, version)).toEqual(serializeSubscription(subscription))
  expect(serializeAssignment({ assignedPartitions: [] }, version)).toEqual(
    Uint8Array.of(0, 3, 0, 0, 0, 0, 255, 255, 255, 255),
  )
})

test('serializeSubscription() leaves out what a version has no place for', () => {
  expect(parseSubscription(serializeSubscription(subscription, 0))).toEqual({
    topics: ['b', 'a'],
    userData: Uint8Array.of(1, 2),
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
  })
})

test('parseSubscribedTopics() needs nothing behind the topics to be whole', () => {
  const bytes = serializeSubscription(subscription, 3).subarray(0, 2 + 4 + 6 + 6)
  expect(parseSubscribedTopics(bytes)).toEqual(['b', 'a'])
  expect(() => parseSubscription(bytes)).toThrow(KafkaError)
})

test.each([
  { why: 'no bytes', bytes: Uint8Array.of() },
  { why: 'half a version', bytes: Uint8Array.of(0) },
  { why: 'a version only', bytes: Uint8Array.of(0, 0) },
  { why: 'more topics than bytes', bytes: Uint8Array.of(0, 0, 127, 0, 0, 0, 0, 0) },
  { why: 'a negative version', bytes: Uint8Array.of(255, 255, 0, 0, 0, 0, 255, 255, 255, 255) },
])('parseSubscription() and parseAssignment() refuse $why', ({ bytes }) => {
  const refusal = expect.objectContaining({ code: 'CORRUPT_MESSAGE' })
  expect(() => parseSubscription(bytes)).toThrow(refusal)
  expect(() => parseAssignment(bytes)).toThrow(refusal)
})

test('A negative version is not written', () => {
  expect(() => serializeAssignment({ assignedPartitions: [] }, -1)).toThrow(KafkaError)
})

test('Any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const read of [parseSubscription, parseAssignment, parseSubscribedTopics]) {
        try {
          read(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CORRUPT_MESSAGE' })
        }
      }
    }),
  )
})
