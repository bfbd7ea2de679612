// Patterns kept up as topics come and go, against resolving them anew.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compileTopicPattern,
  matchingTopics,
} from '../../../../src/groups/subscriptions/topic-pattern.ts'
import { TopicPatterns } from '../../../../src/groups/subscriptions/topic-patterns.ts'

const texts = ['a.*', '.*b', 'a|b|ab', '.*', 'c', '[^a]+']
const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 2 })

type Step =
  | { readonly kind: 'add' | 'remove'; readonly text: string }
  | { readonly kind: 'change'; readonly created: string[]; readonly deleted: string[] }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('add' as const, 'remove' as const),
    text: fc.constantFrom(...texts),
  }),
  fc.record({
    kind: fc.constant('change' as const),
    created: fc.array(name),
    deleted: fc.array(name),
  }),
)

const resolved = (text: string, names: Iterable<string>) =>
  matchingTopics(compileTopicPattern(text), names)

test('TopicPatterns knows after any changes what resolving anew finds, and which patterns changed', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name), fc.array(step, { maxLength: 20 }), (initial, steps) => {
      const patterns = new TopicPatterns(initial)
      let names = new Set(initial)
      const uses = new Map<string, number>()
      for (const one of steps) {
        const before = new Map(texts.map((text) => [text, patterns.topicsOf(text)]))
        if (one.kind === 'change') {
          // A topic that is in both lists existed, was deleted and is there again.
          const deleted = one.deleted.filter((gone) => names.has(gone))
          const created = one.created.filter(
            (fresh) => !names.has(fresh) || deleted.includes(fresh),
          )
          names = names.difference(new Set(deleted)).union(new Set(created))
          const changed = patterns.apply({ created, deleted })
          const expected = [...uses.keys()].filter(
            (text) =>
              resolved(text, names).symmetricDifference(before.get(text) ?? new Set()).size > 0,
          )
          expect(changed.toSorted()).toEqual(expected.toSorted())
          for (const text of uses.keys())
            expect(patterns.topicsOf(text) === before.get(text)).toBe(!changed.includes(text))
        } else if (one.kind === 'add') {
          expect(patterns.add(one.text)).toEqual(resolved(one.text, names))
          uses.set(one.text, (uses.get(one.text) ?? 0) + 1)
        } else {
          patterns.remove(one.text)
          const left = (uses.get(one.text) ?? 0) - 1
          if (left > 0) uses.set(one.text, left)
          else uses.delete(one.text)
        }
        for (const text of texts)
          expect(patterns.topicsOf(text)).toEqual(
            uses.has(text) ? resolved(text, names) : undefined,
          )
      }
    }),
    { numRuns: 300 },
  )
})

test('TopicPatterns passes over what a change repeats or undoes', () => {
  const patterns = new TopicPatterns(['a'])
  patterns.add('.*')
  expect(patterns.apply({ created: ['a'], deleted: [] })).toEqual([])
  expect(patterns.apply({ created: ['a'], deleted: ['a'] })).toEqual([])
  expect(patterns.apply({ created: [], deleted: ['b'] })).toEqual([])
  expect(patterns.apply({ created: ['b'], deleted: ['a'] })).toEqual(['.*'])
  expect(patterns.topicsOf('.*')).toEqual(new Set(['b']))
})

test('TopicPatterns is the same as before after it has refused a pattern', () => {
  const patterns = new TopicPatterns(['a'])
  expect(() => patterns.add('(')).toThrow(/RE2/)
  expect(patterns.topicsOf('(')).toBeUndefined()
  expect(patterns.apply({ created: ['('], deleted: [] })).toEqual([])
})
