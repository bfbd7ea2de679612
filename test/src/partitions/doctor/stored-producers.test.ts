// What a partition's files say of its producers, without being opened.
import { expect, test } from 'vitest'
import { storedProducers } from '#src/partitions/doctor/stored-producers.ts'
import { buildBatch, buildEndTransactionMarker } from '#storage/batch/batch-builder.ts'
import { serializeProducerSnapshot } from '#storage/state/producer-snapshot.ts'
import { SimulatedDisk } from '../../../simulation/simulated-disk.ts'
import { put } from '../left-directory.ts'

const PATH = '/a/orders-0'
const record = { value: new Uint8Array(1), timestamp: 1 }

const data = (producerId: number, baseOffset: number) =>
  buildBatch([record], {
    producerId,
    producerEpoch: 0,
    baseSequence: 0,
    isTransactional: true,
    baseOffset,
  })

const marker = (producerId: number, baseOffset: number) =>
  buildEndTransactionMarker(
    { isCommit: false, coordinatorEpoch: 0, producerId, producerEpoch: 0, timestamp: 1 },
    { baseOffset },
  )

function partition(batches: readonly Uint8Array[]): SimulatedDisk {
  const files = new SimulatedDisk()
  files.makeDirectory(PATH)
  put(files, `${PATH}/${'0'.repeat(20)}.log`, Uint8Array.from(batches.flatMap((one) => [...one])))
  return files
}

const openIn = (files: SimulatedDisk, isClean = false) =>
  Array.from(storedProducers(files, PATH, { isClean }).open)

test('storedProducers() finds the transactions that no marker has ended, and where each began', () => {
  const files = partition([data(7, 0), data(8, 1), data(7, 2), marker(7, 3), data(9, 4)])
  expect(openIn(files)).toEqual([
    [8, 1],
    [9, 4],
  ])
  expect(storedProducers(files, PATH, { isClean: false }).greatestId).toBe(9)
  expect(openIn(partition([data(7, 0), marker(7, 1), data(7, 2)]))).toEqual([[7, 2]])
  expect(openIn(partition([data(7, 0), marker(7, 1)]))).toEqual([])
})

test('storedProducers() goes on from the newest snapshot that can be read', () => {
  const files = partition([data(7, 0), data(8, 1), marker(7, 2), data(9, 3)])
  const entry = { epoch: 0, lastSequence: 0, offsetDelta: 0, timestamp: 1, coordinatorEpoch: 0 }
  const open = { ...entry, producerId: 7, lastOffset: 0, currentTxnFirstOffset: 0 }
  put(files, `${PATH}/00000000000000000001.snapshot`, serializeProducerSnapshot([open]))
  put(files, `${PATH}/00000000000000000003.snapshot`, 'damaged')
  expect(openIn(files)).toEqual([
    [8, 1],
    [9, 3],
  ])
  expect(storedProducers(files, PATH, { isClean: true })).toMatchObject({
    open: new Map([[7, 0]]),
    damaged: [{ name: '00000000000000000003.snapshot' }],
  })
})

test('storedProducers() reads up to a torn batch, and no further', () => {
  const torn = data(9, 2).subarray(0, 40)
  expect(openIn(partition([data(7, 0), marker(7, 1), torn]))).toEqual([])
})
