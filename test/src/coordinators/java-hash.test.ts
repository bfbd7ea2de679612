// Java's own results, from `String.hashCode`.
import { expect, test } from 'vitest'
import { javaHash } from '#src/coordinators/java-hash.ts'

test.each([
  { text: '', hash: 0 },
  { text: 'a', hash: 97 },
  { text: 'hello', hash: 99_162_322 },
  { text: 'polygenelubricants', hash: -2_147_483_648 },
  { text: '\u{1F600}', hash: 1_772_899 },
])('javaHash() is that of Java for $text', ({ text, hash }) => {
  expect(javaHash(text)).toBe(hash)
})
