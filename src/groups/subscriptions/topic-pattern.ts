// Topic patterns of KIP-848's members: regular expressions in RE2's syntax, which need time linear in a topic's name.
import type { RE2JS } from 're2js'
import { KafkaError } from '#storage/base/errors.ts'
import { loadPackage } from '#storage/base/late-modules.ts'

/**
 * How many instructions a pattern may compile to: several hundred topics listed by name, and what limits the worst
 * patterns to about a millisecond per name. Kafka has no such limit, and resolves patterns on another thread.
 */
const MAX_INSTRUCTIONS = 10_000

/** A checked pattern. */
export interface TopicPattern {
  /** As the member wrote it. */
  readonly text: string
  /** Whether the pattern describes the whole name. */
  matches(name: string): boolean
}

/** Throws INVALID_REGULAR_EXPRESSION where the text is not RE2's syntax, or beyond its bounds or ours. */
export function compileTopicPattern(text: string): TopicPattern {
  const expression = compiled(text)
  const size = expression.programSize()
  if (size > MAX_INSTRUCTIONS) {
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `The topic pattern takes ${size} instructions, more than ${MAX_INSTRUCTIONS}`,
    )
  }
  return { text, matches: (name) => expression.matches(name) }
}

function compiled(text: string): RE2JS {
  const { RE2JS, RE2JSException } = loadPackage<typeof import('re2js')>('re2js')
  try {
    return RE2JS.compile(text)
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause
    const reason = cause.message.replace(/^error parsing regexp: /, '')
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `The topic pattern \`${shorten(text)}\` is not a regular expression in RE2's syntax: ${shorten(reason)}`,
      { cause },
    )
  }
}

/** Patterns may be as long as a string on the wire, which then had no room for the message. */
const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)
