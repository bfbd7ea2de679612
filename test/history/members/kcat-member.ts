// Consumers of kcat, which is librdkafka on the command line, and their history. The argument is a plan.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { HistoryWriter } from '../history.ts'
import { onEnd, type PlannedMember, plan } from './plan.ts'

const { bootstrap, topic, group, directory } = plan
// It commits by itself, and does not say so: each position behind a record may be committed, nobody knows.
const settings = {
  'group.id': group,
  'partition.assignment.strategy': 'roundrobin',
  'session.timeout.ms': plan.sessionTimeoutMs,
  'heartbeat.interval.ms': 500,
  'auto.commit.interval.ms': 250,
  'auto.offset.reset': 'earliest',
  'reconnect.backoff.max.ms': 500,
  'fetch.wait.max.ms': 200,
}

function consume({ name, instance }: PlannedMember): () => Promise<void> {
  const history = new HistoryWriter(directory, name)
  const all = { ...settings, ...(instance === undefined ? {} : { 'group.instance.id': instance }) }
  const flags = Object.entries(all).flatMap(([key, value]) => ['-X', `${key}=${value}`])
  const argv = ['-b', bootstrap, '-G', group, '-J', '-u', '-E', ...flags, topic]
  // Both of its streams through one pipe, so that records and rebalances stay in order.
  const child = spawn('sh', ['-c', 'exec kcat "$@" 2>&1', 'kcat', ...argv], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  history.write({ op: 'start', group, ...(instance === undefined ? {} : { instance }) })
  let nextCommit = 0
  createInterface(child.stdout).on('line', (line) => {
    if (line.startsWith('{')) {
      const { partition, offset, payload } = JSON.parse(line)
      history.write({ op: 'poll', partition, records: [[offset, payload]] })
      history.write({ op: 'commit', id: nextCommit++, offsets: [[partition, offset + 1]] })
      return
    }
    const [, what] = /rebalanced \([^)]*\): (assigned|revoked)/.exec(line) ?? []
    if (what === undefined) return
    const partitions = [...line.matchAll(/ \[(\d+)\]/g)].map(([, number]) => Number(number))
    history.write(what === 'assigned' ? { op: 'assign', partitions } : { op: 'revoke', partitions })
  })
  const gone = once(child, 'close')
  return async () => {
    // Asked to end, it throws away what it was just given, and commits the position behind it.
    child.kill('SIGKILL')
    await gone
    history.write({ op: 'close' })
  }
}

const closers = plan.members.map(consume)
onEnd(() => Promise.all(closers.map((close) => close())))
