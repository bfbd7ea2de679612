// Commits of one consumer: in turn, tried again, and not for others.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { Commits } from '#src/broker/consumers/commits.ts'
import { moveTo, Positions, settle } from '#src/broker/consumers/positions.ts'
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'

const AT = { topic: 't', partition: 0 }

/** Commits of a group that refuses with these errors first, one each. */
function commitsOf(...refusals: (KafkaErrorName | undefined)[]) {
  return commitsByClock('settled', refusals)
}

function commitsByClock(
  byClock: 'settled' | 'arrived',
  refusals: (KafkaErrorName | undefined)[] = [],
) {
  const clock = new VirtualClock()
  const positions = new Positions()
  const kept: number[] = []
  const state = { losses: 0 }
  const commits = new Commits({
    groupOffsets: {
      commit: (_session, { topics }) => {
        const error = refusals.shift()
        const outcomes = topics.map(({ name, topicId, partitions }) => ({
          name,
          topicId,
          partitions: partitions.map(({ partition, offset }) => {
            if (error === undefined) kept.push(offset)
            return { partition, error }
          }),
        }))
        return Promise.resolve(outcomes)
      },
      fetch: () => Promise.resolve([]),
    },
    clock,
    positions,
    intervalMs: 1_000,
    byClock,
    committer: () => ({ session: ANONYMOUS, groupId: 'g', memberId: 'm', memberEpoch: 1 }),
    losses: () => state.losses,
    onCommitted: () => undefined,
  })
  const offset = (offset: number) => commits.offsets([{ ...AT, offset, metadata: '' }])
  return { clock, positions, kept, commits, offset, state }
}

test('Commits never lets a late commit overtake its successor', async () => {
  const { clock, kept, offset } = commitsOf('STALE_MEMBER_EPOCH')
  const both = Promise.all([offset(1), offset(2)])
  await clock.run(1_000)
  await both
  expect(kept).toEqual([1, 2])
})

test('Commits does not try again for a member that its group has given up meanwhile', async () => {
  const { clock, kept, offset, state } = commitsOf('STALE_MEMBER_EPOCH')
  const refused = expect(offset(1)).rejects.toMatchObject({ code: 'STALE_MEMBER_EPOCH' })
  await clock.run(10)
  state.losses += 1
  await clock.run(1_000)
  await refused
  expect(kept).toEqual([])
})

test('Commits goes on after a refusal that does not pass, and gives up one that lasts', async () => {
  const { clock, kept, offset } = commitsOf('OFFSET_METADATA_TOO_LARGE')
  await expect(offset(1)).rejects.toMatchObject({ code: 'OFFSET_METADATA_TOO_LARGE' })
  await offset(2)
  expect(kept).toEqual([2])
  const lasting = commitsOf(...Array<KafkaErrorName>(50).fill('NOT_COORDINATOR'))
  const refused = expect(lasting.offset(1)).rejects.toMatchObject({ code: 'NOT_COORDINATOR' })
  await lasting.clock.run(5_000)
  await refused
  expect(clock.pendingTimers).toBe(0)
})

test('Commits.soon() commits what is sent an interval after it was, and never goes back behind another commit', async () => {
  const { clock, kept, commits, positions } = commitsByClock('arrived')
  positions.add(AT)
  const [position] = positions.all()
  if (!position) throw new Error('No position')
  moveTo(position, 5)
  await commits.positions(() => positions.all(), 'arrived')
  position.offset = position.given = 9
  settle(position, 7)
  commits.soon()
  await clock.run(1_999)
  expect(kept).toEqual([5])
  settle(position, 8)
  await clock.run(1)
  expect(kept).toEqual([5, 7])
  await clock.run(1_000)
  expect(kept).toEqual([5, 7, 8])
  settle(position)
  commits.soon()
  await commits.positions(() => positions.all(), 'settled')
  await clock.run(5_000)
  expect(kept).toEqual([5, 7, 8, 9])
  expect(clock.pendingTimers).toBe(0)
})

test('Commits.soon() commits what is settled when the interval is over, once', async () => {
  const { clock, kept, commits, positions } = commitsOf()
  positions.add(AT)
  const [position] = positions.all()
  if (!position) throw new Error('No position')
  moveTo(position, 5)
  position.offset = position.given = 9
  commits.soon()
  commits.soon()
  settle(position, 7)
  await clock.run(999)
  expect(kept).toEqual([])
  await clock.run(5_000)
  expect(kept).toEqual([7])
  commits.soon()
  commits.stop()
  settle(position)
  await clock.run(5_000)
  expect(kept).toEqual([7])
})
