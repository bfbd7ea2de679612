// The marker of a clean stop.
import { expect, test } from 'vitest'
import { parseCleanShutdown, serializeCleanShutdown } from '#storage/state/clean-shutdown.ts'

test('The clean shutdown marker is JSON as Kafka writes it', () => {
  const bytes = serializeCleanShutdown(14)
  expect(new TextDecoder().decode(bytes)).toBe('{"version":0,"brokerEpoch":14}')
  expect(parseCleanShutdown(bytes)).toBe(14)
})

test.each(['', '\0\0', 'null', '[]', '{}', '{"brokerEpoch":"14"}', '{"brokerEpoch":1.5}'])(
  'The clean shutdown marker with the content %j has no broker epoch',
  (text) => {
    expect(parseCleanShutdown(new TextEncoder().encode(text))).toBe(-1)
  },
)
