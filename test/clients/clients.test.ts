// Real Kafka clients go through the same scenarios against real Kafka and against us, and must see the same.
import { expect, test } from 'vitest'
import { askApiVersions } from './api-versions.ts'
import { clients } from './clients.ts'
import { isUpdate, keepRanges, pages, rangesOnPage, toUpdate } from './compatibility.ts'
import { absence, skipped, testClients } from './suite.ts'

const peers = testClients(clients)

test.skipIf(absence !== undefined)(
  `The compatibility page tells the APIs that are served, in Kafka's versions${skipped(absence)}`,
  async () => {
    const theirs = await askApiVersions(peers().kafka.bootstrap)
    const ours = await askApiVersions(peers().millrace.bootstrap)
    if (isUpdate) keepRanges(theirs, ours)
    expect(rangesOnPage(), toUpdate).toEqual(Object.fromEntries(ours))
    const different = [...ours].filter(([key, range]) => String(theirs.get(key)) !== String(range))
    expect(different).toEqual([])
  },
)

test('The compatibility page is what the kept results make of it', () => {
  const { actual, expected } = pages()
  expect(actual, toUpdate).toBe(expected)
})
