// Kafka's rules for topic names.
import { expect, test } from 'vitest'
import { checkTopicName, collisionForm, mayCollide } from '../../../src/metadata/topic-name.ts'

test.each(['a', 'A-z_0.9', '...', '-', 'x'.repeat(249), '__consumer_offsets'])(
  'checkTopicName() takes %s',
  (name) => {
    expect(() => checkTopicName(name)).not.toThrow()
  },
)

test.each(['', '.', '..', 'x'.repeat(250), 'a b', 'a/b', 'ä', 'a\n', 'a:b'])(
  'checkTopicName() refuses %j',
  (name) => {
    expect(() => checkTopicName(name)).toThrow(
      expect.objectContaining({ code: 'INVALID_TOPIC_EXCEPTION' }),
    )
  },
)

test('collisionForm() makes dots and underscores one', () => {
  expect(collisionForm('a.b_c')).toBe(collisionForm('a_b.c'))
  expect(mayCollide('a.b')).toBe(true)
  expect(mayCollide('a-b')).toBe(false)
})
