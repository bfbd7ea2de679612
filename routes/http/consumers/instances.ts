// The consumer instances of a door: found by group and name, bounded in number, gone when nobody uses them.
import type { Session } from '#src/access/session.ts'
import type { Broker } from '#src/broker/broker.ts'
import type { GroupConsumer } from '#src/broker/consumers/group-consumer.ts'
import { randomUuid } from '#storage/base/uuid.ts'
import type { Clock, Random, Timer } from '#storage/base/world.ts'
import { HttpError } from '../errors.ts'
import type { InstanceConfig } from './instance-config.ts'

const UNKNOWN_INSTANCE = 40403
const INSTANCE_EXISTS = 40902
const TOO_MANY = 50302

/** One consumer of a client that comes back with its name. */
export interface ConsumerInstance {
  readonly group: string
  readonly name: string
  readonly config: InstanceConfig
  readonly consumer: GroupConsumer
}

/** What instances live on. */
export interface InstancesParts {
  readonly groups: Pick<Broker['groups'], 'openConsumer'>
  readonly clock: Clock
  readonly random: Random
  readonly maxCount: number
  /** An instance that nobody has used for so long leaves its group. */
  readonly idleMs: number
}

interface Entry extends ConsumerInstance {
  usedAt: number
  /** Requests under way. */
  users: number
  /** The last of the reads that wait for each other. */
  reads: Promise<unknown>
  timer: Timer
}

/** Instances, from their creation until they are deleted or forgotten. */
export class ConsumerInstances {
  readonly #parts: InstancesParts
  readonly #entries = new Map<string, Entry>()

  constructor(parts: InstancesParts) {
    this.#parts = parts
  }

  /** How many there are. */
  get count(): number {
    return this.#entries.size
  }

  /** Throws 409 when the group has one of that name, 503 when there are too many. */
  create(session: Session, group: string, config: InstanceConfig): ConsumerInstance {
    const { groups, clock, random, maxCount, idleMs } = this.#parts
    const name = config.name ?? `rest-consumer-${randomUuid(random)}`
    const key = keyOf(group, name)
    if (this.#entries.has(key)) {
      throw new HttpError(INSTANCE_EXISTS, `Group ${group} has a consumer instance ${name} already`)
    }
    if (this.#entries.size >= maxCount) {
      throw new HttpError(TOO_MANY, `All ${maxCount} consumer instances are taken`, {
        'retry-after': '5',
      })
    }
    // Groups show the client's id: the name says more there than the program that speaks HTTP.
    const { principal, clientAddress } = session
    const options = { ...config.options, groupId: group }
    const consumer = groups.openConsumer({ principal, clientAddress, clientId: name }, options)
    const timer = clock.after(idleMs, () => this.#checkIdle(key))
    const usedAt = clock.monotonic()
    const entry = {
      group,
      name,
      config,
      consumer,
      usedAt,
      users: 0,
      reads: Promise.resolve(),
      timer,
    }
    this.#entries.set(key, entry)
    return entry
  }

  /** Does something with an instance, which is not idle meanwhile. Throws 404. */
  async use<T>(
    group: string,
    name: string,
    work: (instance: ConsumerInstance) => T | Promise<T>,
  ): Promise<T> {
    const entry = this.#find(group, name)
    entry.users += 1
    try {
      return await work(entry)
    } catch (error) {
      // Deleted while the request was under way.
      if (entry.consumer.isClosed) throw unknown(group, name)
      throw error
    } finally {
      entry.users -= 1
      entry.usedAt = this.#parts.clock.monotonic()
    }
  }

  /** As `use`, one after another: a second read of the same instance waits for the first. */
  useInTurn<T>(
    group: string,
    name: string,
    work: (instance: ConsumerInstance) => Promise<T>,
  ): Promise<T> {
    return this.use(group, name, (instance) => {
      const entry = this.#find(group, name)
      const turn = entry.reads.then(() => work(instance))
      entry.reads = turn.catch(() => undefined)
      return turn
    })
  }

  /** Commits, if the instance does so by itself, and leaves the group. Throws 404. */
  async delete(group: string, name: string): Promise<void> {
    const entry = this.#find(group, name)
    this.#forget(entry)
    await entry.consumer.close()
  }

  /** No instance is waited for any more; the broker closes their consumers itself. */
  stop(): void {
    for (const entry of [...this.#entries.values()]) this.#forget(entry)
  }

  #find(group: string, name: string): Entry {
    const entry = this.#entries.get(keyOf(group, name))
    if (entry === undefined) throw unknown(group, name)
    return entry
  }

  #forget(entry: Entry): void {
    entry.timer.cancel()
    this.#entries.delete(keyOf(entry.group, entry.name))
  }

  #checkIdle(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    const { clock, idleMs } = this.#parts
    const restMs = entry.users > 0 ? idleMs : entry.usedAt + idleMs - clock.monotonic()
    if (restMs > 0) {
      entry.timer = clock.after(restMs, () => this.#checkIdle(key))
      return
    }
    this.#forget(entry)
    // Its client may have died with the last records in its hands.
    void entry.consumer.close({ isLost: true, isForGood: true }).catch(() => undefined)
  }
}

function keyOf(group: string, name: string): string {
  return JSON.stringify([group, name])
}

function unknown(group: string, name: string): HttpError {
  return new HttpError(UNKNOWN_INSTANCE, `Group ${group} has no consumer instance ${name}`)
}
