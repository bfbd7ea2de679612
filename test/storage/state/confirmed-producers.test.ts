// Recovery after compaction: what a replay can no longer tell, because the cleaner took it, the snapshots still say.
import { expect, test } from 'vitest'
import { ProducerState } from '#storage/state/producer-state.ts'

const now = 1_000
const options = { expirationMs: 1_000_000 }
const entry = {
  producerId: 7,
  epoch: 0,
  lastSequence: 4,
  lastOffset: 40,
  offsetDelta: 0,
  timestamp: 900,
  coordinatorEpoch: 0,
  currentTxnFirstOffset: -1,
}

/** A state with one producer that had a transaction open, as an older snapshot has it. */
function replayed(): ProducerState {
  const producers = new ProducerState(options)
  const older = { ...entry, lastSequence: 3, lastOffset: 30, currentTxnFirstOffset: 30 }
  producers.restore([older], { endOffset: 31, nowMs: now })
  return producers
}

test('ProducerState.confirm() ends a transaction whose marker was compacted away', () => {
  const producers = replayed()
  expect(producers.firstUnstableOffset).toBe(30)
  producers.confirm([entry], { endOffset: 50, nowMs: now })
  expect(producers.firstUnstableOffset).toBeUndefined()
  expect(producers.producer(7)).toMatchObject({ currentTxnFirstOffset: -1, epoch: 0 })
  expect(producers.endOffset).toBe(50)
})

test('ProducerState.confirm() takes the last sequence from the snapshot when its batch was compacted away', () => {
  const producers = replayed()
  producers.confirm([entry], { endOffset: 50, nowMs: now })
  expect(producers.producer(7)?.batches).toMatchObject([{ lastSequence: 4, lastOffset: 40 }])
})

test('ProducerState.confirm() keeps the batches that a replay found before the last one', () => {
  const producers = new ProducerState(options)
  for (const [sequence, offset] of [
    [3, 30],
    [4, 40],
  ] as const) {
    const append = producers.prepare('replication')
    append.add({
      producerId: 7,
      producerEpoch: 0,
      baseSequence: sequence,
      lastSequence: sequence,
      baseOffset: offset,
      lastOffset: offset,
      maxTimestamp: 900,
      isTransactional: false,
      isControl: false,
    })
    producers.apply(append, offset + 1)
  }
  producers.confirm([entry], { endOffset: 50, nowMs: now })
  expect(producers.producer(7)?.batches.map(({ lastSequence }) => lastSequence)).toEqual([3, 4])
})

test('ProducerState.confirm() forgets a producer that the snapshot no longer has', () => {
  const producers = replayed()
  producers.confirm([], { endOffset: 50, nowMs: now })
  expect(producers.isEmpty).toBe(true)
})
