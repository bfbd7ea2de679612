// Values of command line options.
import { InvalidArgumentError } from 'commander'
import { addPair } from './serve-request.ts'

/** A whole number from 0 on. */
export function countOption(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError('It must be a whole number.')
}

/** Gathers an option that may come several times. */
export function gather(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** Gathers `name=value` options. */
export function gatherPairs(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const pairs = addPair(text, before)
  if (pairs !== undefined) return pairs
  throw new InvalidArgumentError('It must be name=value.')
}
