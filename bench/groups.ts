// Loading of `__consumer_offsets`: `npm run bench:groups [-- COMMITS]`. Writes offset commits over all partitions, starts the
// broker anew and prints how long its start takes, how long until every group is there, and the longest stall of the loop.

import { ANONYMOUS } from '#src/access/session.ts'
import { systemClock } from '#storage/base/world.ts'
import { KafkaError, type RunningBroker, startBroker } from '../mod.ts'
import { withFolder } from './workspace.ts'

const TICK_MS = 2
const TOPIC = 'bench'
const PARTITIONS = 100
const COMMITS_PER_GROUP = 10
/** Requests that wait for their answers at a time. */
const SIDE_BY_SIDE = 64
const commits = Number(process.argv[2] ?? 1_000_000)

async function open(data: string): Promise<RunningBroker> {
  const config = { 'millrace.acks.all.fsync': 'false' }
  return await startBroker({ data, http: false, kafka: false, config, onEvent: console.log })
}

/** Each request commits all partitions; each group does so ten times. */
async function commitAll({ broker }: RunningBroker): Promise<void> {
  await broker.createTopic(ANONYMOUS, { name: TOPIC, partitionCount: PARTITIONS })
  await broker.groups.findCoordinator(ANONYMOUS, '')
  const requests = Math.ceil(commits / PARTITIONS)
  let next = 0
  const client = async () => {
    while (next < requests) {
      const request = next++
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
        partition,
        offset: request,
        leaderEpoch: 0,
        metadata: '',
      }))
      await broker.groups.offsets.commit(ANONYMOUS, {
        groupId: `group-${Math.floor(request / COMMITS_PER_GROUP)}`,
        client: { memberId: '', groupInstanceId: null, generationIdOrMemberEpoch: -1, version: 9 },
        retentionTimeMs: -1,
        topics: [{ name: TOPIC, topicId: undefined, partitions }],
      })
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, client))
}

/** Asks until every shard has been loaded. */
async function groupCount({ broker }: RunningBroker): Promise<number> {
  for (;;) {
    try {
      return (await broker.groups.list(ANONYMOUS, { states: [], types: [] })).length
    } catch (error) {
      if (!(error instanceof KafkaError && error.code === 'COORDINATOR_LOAD_IN_PROGRESS'))
        throw error
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

/** Runs one phase and prints what it took. */
async function phase<T>(what: string, work: () => Promise<T>): Promise<T> {
  let stall = 0
  let last = systemClock.monotonic()
  const ticker = setInterval(() => {
    const now = systemClock.monotonic()
    stall = Math.max(stall, now - last - TICK_MS)
    last = now
  }, TICK_MS)
  const start = last
  const result = await work()
  const took = systemClock.monotonic() - start
  clearInterval(ticker)
  stall = Math.max(stall, systemClock.monotonic() - last - TICK_MS)
  const rss = `${(process.memoryUsage.rss() / 1_048_576).toFixed(0)} MiB`
  console.log(
    `${what.padEnd(24)} ${took.toFixed(0).padStart(7)} ms  stall ${stall.toFixed(0)} ms  ${rss}`,
  )
  return result
}

console.log(`${commits} offset commits`)
await withFolder(async (folder) => {
  const first = await open(folder)
  await phase('commit', () => commitAll(first))
  await phase('stop', () => first.stop())
  const second = await phase('start', () => open(folder))
  const count = await phase('load all groups', () => groupCount(second))
  console.log(`${count} groups`)
  await phase('stop', () => second.stop())
})
