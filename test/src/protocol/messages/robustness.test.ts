// Every message against bytes that Kafka never wrote: cut, changed, with huge counts, with unknown tags.
import { existsSync, globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import type { Message } from '../../../../src/protocol/codec/message.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { type GoldenMessage, goldenMessages } from '../../../golden/messages/golden-messages.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { messages } from './all-messages.ts'

// Refusals by the hundred thousand: taking their stack traces would be most of the work.
beforeAll(() => {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  return () => {
    Error.stackTraceLimit = before
  }
})

const declared = [...messages].map(([name, message]) => ({ name, message }))

/** The full sample of every version; the default one where `sample` says so. */
function samplesOf(name: string, sample: GoldenMessage['sample'] = 'full'): GoldenMessage[] {
  return (goldenMessages.get(name) ?? []).filter((golden) => golden.sample === sample)
}

/** 'read', or the code of the refusal; any other error passes through and fails the test. */
function outcome(message: Message, bytes: Uint8Array, version: number): string {
  try {
    message.decode(bytes, version)
    return 'read'
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}

test('all-messages.ts has every file of src/protocol/messages', () => {
  const cwd = fileURLToPath(new URL('../../../../src/protocol/messages', import.meta.url))
  expect(existsSync(cwd)).toBe(true)
  const names = globSync('*.ts', { cwd }).map((file) => file.replace(/^\d+-|\.ts$/g, ''))
  const known = [...messages.keys()].map((name) => name.replace(/(Request|Response)$/, ''))
  const kebab = known.map((name) => name.replace(/(?<=.)[A-Z]/g, '-$&').toLowerCase())
  const headers = new Set(['request-header', 'response-header'])
  const files = new Set(kebab.filter((name) => !headers.has(name)))
  expect([...files, 'headers'].toSorted()).toEqual(names.toSorted())
})

test.each(declared)('$name refuses every beginning of itself', ({ name, message }) => {
  for (const { version, bytes } of samplesOf(name)) {
    for (let size = 0; size < bytes.length; size++) {
      const found = outcome(message, bytes.subarray(0, size), version)
      if (found !== 'CORRUPT_MESSAGE') expect(found, `v${version}, ${size} bytes`).toBe('refused')
    }
  }
})

// What a length or count can be at worst, in classic and compact form, and bytes that end no varint.
const hostile = ['7fffffff', '80000000', '7fff', 'ffffffff0f']

test.each(declared)('$name survives hostile lengths anywhere', ({ name, message }) => {
  for (const { version, bytes } of samplesOf(name)) {
    for (const form of hostile) {
      const planted = new Uint8Array(Buffer.from(form, 'hex'))
      for (let at = 0; at + planted.length <= bytes.length; at++) {
        const changed = bytes.slice()
        changed.set(planted, at)
        outcome(message, changed, version)
      }
    }
  }
})

test.each(declared)('$name survives random changes', ({ name, message }) => {
  const seed = Math.trunc(Math.random() * 2 ** 32)
  const random = new SeededRandom(seed)
  for (const { version, bytes } of samplesOf(name)) {
    for (let round = 0; round < 60; round++) {
      const changed = round % 4 === 0 ? random.bytes(random.uint32() % 64) : bytes.slice()
      for (let changes = 1 + (random.uint32() % 3); changes > 0; changes--)
        if (changed.length > 0) changed[random.uint32() % changed.length] = random.uint32()
      try {
        outcome(message, changed, version)
      } catch (cause) {
        throw new Error(`Seed ${seed}, v${version}, round ${round}`, { cause })
      }
    }
  }
})

test.each(declared)('$name skips tags that it does not know', ({ name, message }) => {
  for (const { version, bytes, value } of samplesOf(name, 'default')) {
    if (!message.isFlexible(version)) continue
    // A fresh message ends in its empty tag section; two unknown tags take its place.
    expect(bytes.at(-1)).toBe(0)
    const tags = [2, 0xe8, 0x07, 3, 1, 2, 3, 0xe9, 0x07, 0]
    const tagged = new Uint8Array([...bytes.subarray(0, -1), ...tags])
    expect(message.decode(tagged, version), `v${version}`).toStrictEqual(value)
  }
})
