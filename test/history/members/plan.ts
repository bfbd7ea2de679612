// What a program of members is told on its command line, and what all of them do alike.
import { HistoryWriter } from '../history.ts'

/** The work of one process: some consumers in a group, and some producers. The only argument, as JSON. */
export interface Plan {
  readonly bootstrap: string
  /** `http://host:port`, where the broker has such a door. */
  readonly http?: string | undefined
  readonly topic: string
  readonly partitionCount: number
  readonly group: string
  /** Which of the two group protocols the consumers speak. */
  readonly protocol: 'classic' | 'consumer'
  /** How long a consumer may be silent; of the classic protocol only: the other one asks the broker. */
  readonly sessionTimeoutMs: number
  /** Where histories go. */
  readonly directory: string
  readonly members: readonly PlannedMember[]
  /** Names of producers. */
  readonly producers: readonly string[]
}

/** One consumer. Its name is that of its history, and no other's. */
export interface PlannedMember {
  readonly name: string
  /** The instance id of a static member. */
  readonly instance?: string
}

/** The plan on the command line. */
export const plan: Plan = JSON.parse(process.argv[2] ?? '{}')

/** Resolves after a while. */
export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** True when the process was asked to end. */
export const ending = { isAsked: false }

/** Calls back when the process is asked to end, and ends it when that is done, or has taken too long. */
export function onEnd(close: () => Promise<unknown>): void {
  process.on('SIGTERM', () => {
    if (ending.isAsked) return
    ending.isAsked = true
    const end = () => process.exit(0)
    setTimeout(end, 10_000)
    close().then(end, end)
  })
}

/** A consumer commits what it was given when that was so long ago, so that some is always uncommitted. */
export const commitEveryMs = 250

/** A position that is asked for, and what came of it, in a history. */
export class Commits {
  readonly #history: HistoryWriter
  #next = 0
  #last = 0

  constructor(history: HistoryWriter) {
    this.#history = history
  }

  /** True when it is time for the next one. */
  get isDue(): boolean {
    return performance.now() - this.#last > commitEveryMs
  }

  /** Commits, and writes that down before and after; passes on why it failed. */
  async run(offsets: readonly [number, number][], commit: () => Promise<unknown>): Promise<void> {
    const id = this.#next++
    this.#last = performance.now()
    this.#history.write({ op: 'commit', id, offsets })
    try {
      await commit()
    } catch (error) {
      // A retry may hide that an earlier attempt went through: what failed is not known to be refused.
      this.#history.write({ op: 'uncommitted', id })
      throw error
    }
    this.#history.write({ op: 'committed', id })
  }
}

/** Sends values one after the other until the process ends, a few at a time to a partition, each of them once. */
export async function produce(
  name: string,
  send: (partition: number, values: string[]) => Promise<number>,
): Promise<void> {
  const history = new HistoryWriter(plan.directory, name)
  for (let number = 0; !ending.isAsked; ) {
    const partition = Math.floor(Math.random() * plan.partitionCount)
    const count = 1 + Math.floor(Math.random() * 4)
    const values = Array.from({ length: count }, () => `${name}-${number++}`)
    history.write({ op: 'send', partition, values })
    try {
      const offset = await send(partition, values)
      history.write({ op: 'sent', partition, offset, values })
    } catch {
      history.write({ op: 'unsent', values })
      await sleep(200)
    }
    await sleep(20)
  }
}
