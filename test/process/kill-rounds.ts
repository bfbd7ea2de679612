// kill -9 in the middle of writes, again and again on one data directory: everything acknowledged stays, in order, once.
import { expect } from 'vitest'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type BrokerProcess, type RuntimeName, startBrokerProcess } from './broker-process.ts'
import { type Attempt, contradictions } from './history.ts'

const partitionCount = 2
/** No round ends before so many records are acknowledged, however slow the machine is. */
const MIN_ACKNOWLEDGED = 15

/** What is to be killed, how often, and by which chance. */
export interface KillPlan {
  readonly runtime: RuntimeName
  readonly data: string
  readonly rounds: number
  /** Everything is read and compared after so many rounds, and after the last. */
  readonly checkEvery: number
  readonly seed: number
  /** Brokers that run: for the end of a test that failed. */
  readonly running: Set<BrokerProcess>
}

/** Starts a broker that rolls segments often. */
export async function startKillable(
  running: Set<BrokerProcess>,
  runtime: RuntimeName,
  data: string,
): Promise<BrokerProcess> {
  const settings = {
    'num.partitions': String(partitionCount),
    'log.segment.bytes': '1048576',
    'log.index.interval.bytes': '4096',
  }
  const broker = await startBrokerProcess({ runtime, data, settings })
  running.add(broker)
  return broker
}

/** Writes, kills, starts and reads. Returns how many records were acknowledged. */
export async function surviveKills(plan: KillPlan): Promise<number> {
  const { runtime, data, rounds, checkEvery, seed, running } = plan
  const random = new SeededRandom(seed)
  const attempts: Attempt[] = []
  const check = async (broker: BrokerProcess, when: string) => {
    const found = contradictions(attempts, await readEverything(broker))
    expect(found, `seed ${seed}, ${when}`).toEqual([])
  }
  for (let round = 0; round < rounds; round++) {
    const broker = await startKillable(running, runtime, data)
    if (round > 0) {
      const recovery = await (await broker.get('/recovery')).json()
      expect(recovery.had_clean_shutdown).toBe(false)
      if (round % checkEvery === 0) await check(broker, `round ${round}`)
    }
    const writers = Array.from({ length: 4 }, (_, index) =>
      write(broker, `round ${round} writer ${index}`, attempts),
    )
    const enough = countAcknowledged(attempts) + MIN_ACKNOWLEDGED
    const pauseMs = 150 + random.float() * 450
    let isOver = false
    const ended = Promise.all(writers).then(() => {
      isOver = true
    })
    do await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, pauseMs))])
    while (!isOver && countAcknowledged(attempts) < enough)
    await kill(running, broker)
    await Promise.all(writers)
  }
  const broker = await startKillable(running, runtime, data)
  await check(broker, 'last round')
  await kill(running, broker)
  return countAcknowledged(attempts)
}

const countAcknowledged = (attempts: readonly Attempt[]) =>
  attempts.filter(({ acknowledged }) => acknowledged !== undefined).length

/** kill -9. */
export async function kill(running: Set<BrokerProcess>, broker: BrokerProcess): Promise<void> {
  await broker.kill()
  running.delete(broker)
}

/** One client that writes until its broker is gone. Every second one asks for acks=1. */
async function write(broker: BrokerProcess, writer: string, attempts: Attempt[]): Promise<void> {
  const acks = Number(writer.slice(-1)) % 2 === 0 ? 'all' : '1'
  for (let number = 0; ; number++) {
    const batch = Array.from({ length: 1 + (number % 4) }, (_, index): Attempt => {
      const value = `${writer} ${number}.${index} ${'x'.repeat((number * 37) % 3000)}`
      return { writer, value }
    })
    attempts.push(...batch)
    try {
      const places = await broker.produce(
        'kill',
        batch.map(({ value }) => value),
        acks,
      )
      for (const [index, place] of places.entries()) {
        const attempt = batch[index]
        if (attempt) attempt.acknowledged = place
      }
    } catch {
      return
    }
  }
}

async function readEverything(broker: BrokerProcess) {
  const partitions = new Map<number, Awaited<ReturnType<BrokerProcess['readAll']>>>()
  for (let partition = 0; partition < partitionCount; partition++)
    partitions.set(partition, await broker.readAll('kill', partition))
  return partitions
}
