// Fetch sessions: epochs that follow one another, and slots that go to those who need them most.
import { expect, test } from 'vitest'
import { nextSessionEpoch } from '#src/partitions/fetch-session.ts'
import { FetchSessionCache, type SessionRequest } from '#src/partitions/fetch-session-cache.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const EVICTION_MS = 120_000
const ZERO = 'AAAAAAAAAAAAAAAAAAAAAA'

function cacheOf(maxSlots: number) {
  const clock = new VirtualClock()
  return { clock, cache: new FetchSessionCache({ maxSlots, clock, random: new SeededRandom(1) }) }
}

/** A request for `count` partitions of one topic. */
function request(count: number, session: Partial<SessionRequest> = {}): SessionRequest {
  const targets = Array.from({ length: count }, (_, partition) => ({
    topic: 'orders',
    topicId: ZERO,
    partition,
    offset: 0,
    maxBytes: 1,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
  }))
  return { sessionId: 0, sessionEpoch: 0, usesTopicIds: false, targets, forgotten: [], ...session }
}

test('The epoch behind 2147483647 is 1: 0 and -1 have meanings of their own', () => {
  expect([0, 1, 2_147_483_647].map(nextSessionEpoch)).toEqual([1, 2, 1])
})

test('A session goes through its epochs and wraps', () => {
  const { cache } = cacheOf(2)
  const session = cache.begin(request(1))
  if (!session) throw new Error('There is a slot')
  const { id: sessionId } = session
  for (const sessionEpoch of [1, 2, 3]) cache.open(request(0, { sessionId, sessionEpoch }))
  session.epoch = 2_147_483_647
  cache.open(request(0, { sessionId, sessionEpoch: 2_147_483_647 }))
  expect(session.epoch).toBe(1)
})

test('A session that loses its last partition ends', () => {
  const { cache } = cacheOf(2)
  const session = cache.begin(request(1))
  const forgotten = [{ topic: 'orders', topicId: ZERO, partition: 0 }]
  const left = cache.open(request(0, { sessionId: session?.id ?? 0, sessionEpoch: 1, forgotten }))
  expect(left).toEqual({ targets: [], session: undefined, mayBegin: false })
  expect(cache.size).toBe(0)
})

test.each([0, -1])('A full fetch with epoch %i ends the session that it names', (sessionEpoch) => {
  const { cache } = cacheOf(2)
  const session = cache.begin(request(1))
  const opened = cache.open(request(1, { sessionId: session?.id ?? 0, sessionEpoch }))
  expect(opened.mayBegin).toBe(sessionEpoch === 0)
  expect(cache.size).toBe(0)
})

test.each([
  {
    why: 'all are in use and young',
    ages: [1000, 1000],
    sizes: [1, 1],
    size: 9,
    evicted: undefined,
  },
  {
    why: 'one was idle for two minutes',
    ages: [EVICTION_MS + 1, 1000],
    sizes: [9, 1],
    size: 1,
    evicted: 0,
  },
  {
    why: 'an idle one is exactly two minutes old',
    ages: [EVICTION_MS, 1000],
    sizes: [9, 1],
    size: 1,
    evicted: undefined,
  },
])(
  'With all slots taken, where $why, a new session finds $evicted',
  ({ ages, sizes, size, evicted }) => {
    const { cache, clock } = cacheOf(2)
    const ids = sizes.map((count, index) => {
      clock.advance((ages[index - 1] ?? ages[0] ?? 0) - (ages[index] ?? 0))
      return cache.begin(request(count))?.id ?? 0
    })
    clock.advance(ages.at(-1) ?? 0)
    const begun = cache.begin(request(size))
    expect(begun !== undefined).toBe(evicted !== undefined)
    for (const [index, sessionId] of ids.entries()) {
      const use = () => cache.open(request(0, { sessionId, sessionEpoch: 1 }))
      if (index === evicted) expect(use).toThrow(`${sessionId}`)
      else expect(use).not.toThrow()
    }
  },
)

test('An old session gives its slot to a larger one, the smallest first, but not to one of its size', () => {
  const { cache, clock } = cacheOf(2)
  const small = cache.begin(request(2))?.id ?? 0
  const large = cache.begin(request(5))?.id ?? 0
  for (let sessionEpoch = 1; sessionEpoch <= 3; sessionEpoch++) {
    clock.advance(EVICTION_MS / 2)
    for (const sessionId of [small, large]) cache.open(request(0, { sessionId, sessionEpoch }))
  }
  expect(cache.begin(request(2))).toBeUndefined()
  expect(cache.begin(request(3))).toBeDefined()
  expect(() => cache.open(request(0, { sessionId: small, sessionEpoch: 4 }))).toThrow()
  expect(() => cache.open(request(0, { sessionId: large, sessionEpoch: 4 }))).not.toThrow()
})

test('Without slots nobody gets a session', () => {
  expect(cacheOf(0).cache.begin(request(1))).toBeUndefined()
})
