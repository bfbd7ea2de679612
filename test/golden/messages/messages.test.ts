// Every declared message in every version against the bytes of Kafka's own generated classes.
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import {
  requestHeaderVersion,
  responseHeaderVersion,
} from '../../../src/protocol/messages/headers.ts'
import { KafkaError } from '../../../storage/base/errors.ts'
import { messages } from '../../src/protocol/messages/all-messages.ts'
import { goldenApis, goldenMessages, lackingFields } from './golden-messages.ts'

const declared = [...messages].map(([name, message]) => ({ name, message }))
const samplesOf = (name: string) => goldenMessages.get(name) ?? []

test('Every message of Kafka 4.3.1 is declared', () => {
  expect([...messages.keys()].toSorted()).toEqual([...goldenMessages.keys()].toSorted())
})

test.each(declared)('$name has versions and samples as Kafka 4.3.1', ({ name, message }) => {
  const versions = new Set(samplesOf(name).map(({ version }) => version))
  const [oldest, newest] = message.versions
  expect([...versions]).toEqual(Array.from({ length: newest - oldest + 1 }, (_, at) => oldest + at))
  expect(samplesOf(name)).toHaveLength(4 * versions.size)
})

test.each(declared)('$name is read as Kafka reads it', ({ name, message }) => {
  for (const { version, sample, bytes, value } of samplesOf(name)) {
    const read = message.decode(bytes, version)
    if (!isDeepStrictEqual(read, value)) expect(read, `v${version} ${sample}`).toStrictEqual(value)
  }
})

test.each(declared)('$name is written as Kafka writes it', ({ name, message }) => {
  for (const { version, sample, bytes, value } of samplesOf(name)) {
    const written = message.encode(value, version)
    if (Buffer.compare(written, bytes) === 0) continue
    expect(hex(written), `v${version} ${sample}`).toBe(hex(bytes))
  }
})

test.each(declared)('$name drops or refuses what a version lacks, as Kafka does', (each) => {
  const { name, message } = each
  for (const { version, path, value, isDropped } of lackingFields.get(name) ?? []) {
    const full = samplesOf(name).find((it) => it.version === version && it.sample === 'full')
    const changed = structuredClone(full?.value)
    setAt(changed, path.split('.'), value)
    let written: string
    try {
      written = hex(message.encode(changed, version))
    } catch (error) {
      written = error instanceof KafkaError ? 'refused' : String(error)
    }
    const expected = isDropped ? hex(full?.bytes ?? new Uint8Array()) : 'refused'
    if (written !== expected) expect(written, `v${version} ${path}`).toBe(expected)
  }
})

test.each(goldenApis)('$name has the key, versions and headers of Kafka 4.3.1', (api) => {
  const request = declaredAs(`${api.name}Request`)
  const response = declaredAs(`${api.name}Response`)
  expect([request.key, request.versions]).toEqual([api.key, api.versions])
  expect([response.key, response.versions]).toEqual([api.key, api.versions])
  const versions = api.requestHeaders.map((_, at) => api.versions[0] + at)
  expect(versions.map((version) => requestHeaderVersion(request, version))).toEqual(
    api.requestHeaders,
  )
  expect(versions.map((version) => responseHeaderVersion(response, version))).toEqual(
    api.responseHeaders,
  )
})

function declaredAs(name: string) {
  const message = messages.get(name)
  if (message === undefined) throw new Error(`${name} is not declared`)
  return message
}

/** Sets a field that lies in the first elements of lists. */
function setAt(struct: unknown, [name = '', ...rest]: readonly string[], value: unknown): void {
  const fields = (Array.isArray(struct) ? struct[0] : struct) as Record<string, unknown>
  if (rest.length === 0) fields[name] = value
  else setAt(fields[name], rest, value)
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
