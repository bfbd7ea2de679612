// One run of a group on a broker: members and producers at work, somebody who disturbs them, a last read, and the verdict.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MortalBroker } from './brokers.ts'
import { checkHistory, type Verdict } from './checker.ts'
import { HistoryWriter, readHistory } from './history.ts'
import { Program, type ProgramKind, type ProgramParts } from './programs.ts'
import { Watch } from './watch.ts'

/** Partitions of the topic: as many as members, so that each is busy. */
export const partitionCount = 12
/** How long a member may be silent. */
export const sessionTimeoutMs = 4000

/** Who takes part in a run. */
export interface GroupRunOptions {
  readonly broker: MortalBroker
  readonly folder: string
  readonly protocol: 'classic' | 'consumer'
  readonly members: readonly (readonly [ProgramKind, ProgramParts])[]
  readonly producers: readonly (readonly [ProgramKind, ProgramParts])[]
  /** What is done to them while they work. */
  readonly disturb: (run: GroupRun) => Promise<void>
}

/** A run, as the one who disturbs it sees it. */
export class GroupRun {
  readonly broker: MortalBroker
  readonly members: readonly Program[]
  readonly producers: readonly Program[]
  readonly directory: string
  readonly #watch: Watch
  readonly #started = performance.now()
  readonly #diary: string[] = []
  readonly #onlooker: Program
  readonly #plan

  constructor(options: GroupRunOptions) {
    this.broker = options.broker
    this.directory = join(options.folder, 'history')
    mkdirSync(this.directory, { recursive: true })
    this.#plan = {
      bootstrap: options.broker.bootstrap,
      http: options.broker.http,
      topic: 'events',
      partitionCount,
      group: 'watched',
      protocol: options.protocol,
      sessionTimeoutMs,
      directory: this.directory,
    }
    const program = ([kind, parts]: readonly [ProgramKind, ProgramParts]) =>
      new Program(kind, parts, this.#plan)
    this.members = options.members.map(program)
    this.producers = options.producers.map(program)
    this.#onlooker = program(['onlooker', {}])
    this.#watch = new Watch(this.directory)
  }

  /** What happened when, for people. */
  get diary(): string {
    return this.#diary.join('\n')
  }

  note(what: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1)
    const { delivered, acknowledged } = this.#watch
    this.#diary.push(`${seconds} s, ${acknowledged} sent, ${delivered} given: ${what}`)
    if (process.env['HISTORY_DIARY'] === '1') console.error(this.#diary.at(-1))
  }

  /** Starts everything, and waits until the members share the partitions. */
  async begin(): Promise<void> {
    await this.broker.start()
    this.note(`${this.broker.name} is up`)
    await this.#runOnce('create-topic')
    for (const program of [...this.members, ...this.producers, this.#onlooker]) program.start()
    await this.settled(60_000)
  }

  /** Waits until the members share the partitions; throws when they do not. */
  async settled(timeoutMs = 30_000): Promise<void> {
    await this.#shared(this.members, timeoutMs)
  }

  /** Waits until all members but those of one program share the partitions; throws when they do not. */
  async settledWithout(gone: Program, timeoutMs = 30_000): Promise<void> {
    await this.#shared(
      this.members.filter((program) => program !== gone),
      timeoutMs,
    )
  }

  async #shared(programs: readonly Program[], timeoutMs: number): Promise<void> {
    const isShared = () =>
      this.#watch.areShared(
        programs.flatMap((program) => program.members),
        partitionCount,
      )
    if (!(await this.#watch.until(isShared, timeoutMs)))
      throw new Error(`The members do not share the partitions:\n${this.diary}\n${this.owners()}`)
    this.note('partitions are shared')
  }

  /** Waits until consumers were given so many more records; throws when they were not. */
  async progress(count: number, timeoutMs = 30_000): Promise<void> {
    const goal = this.#watch.delivered + count
    if (!(await this.#watch.until(() => this.#watch.delivered >= goal, timeoutMs)))
      throw new Error(`Consumers were not given ${count} more:\n${this.diary}\n${this.owners()}`)
    this.note(`${count} more were given`)
  }

  /** kill -9 of a program. */
  async kill(program: Program): Promise<void> {
    const names = program.members.join(', ')
    await program.kill()
    this.note(`${names} were killed`)
  }

  /** Has a program end. */
  async terminate(program: Program): Promise<void> {
    const names = program.members.join(', ')
    await program.terminate()
    this.note(`${names} have ended`)
  }

  /** kill -9 of the broker, which comes back after a while. */
  async killBroker(downMs = 500): Promise<void> {
    await this.broker.kill()
    this.note('the broker was killed')
    await new Promise((resolve) => setTimeout(resolve, downMs))
    await this.broker.start()
    this.note('the broker is back')
  }

  /** Who owns what. */
  owners(): string {
    return [...this.#watch.owned]
      .map(([process, partitions]) => `${process}: ${[...partitions].join(' ')}`)
      .join('\n')
  }

  /** Lets producers end, reads everything, lets the members catch up and end, and checks. */
  async end(): Promise<Verdict> {
    await Promise.all(this.producers.map((program) => program.terminate()))
    this.note('producers have ended')
    await this.#runOnce('reader')
    const isDrained = await this.#watch.until(() => this.#watch.isDrained, 60_000)
    this.note(isDrained ? 'members have caught up' : 'members did not catch up')
    // Their last positions, committed while nothing else happens.
    await this.#watch.until(() => false, 1000)
    const driver = new HistoryWriter(this.directory, 'driver')
    driver.write({ op: 'drained', group: this.#plan.group })
    await Promise.all(this.members.map((program) => program.terminate()))
    await this.#watch.until(() => false, 1000)
    await this.stop()
    return checkHistory(readHistory(this.directory))
  }

  /** Ends all processes, however far they are. */
  async stop(): Promise<void> {
    await this.#onlooker.terminate()
    await Promise.all([...this.members, ...this.producers].map((program) => program.kill()))
    await this.broker.kill()
  }

  async #runOnce(kind: ProgramKind): Promise<void> {
    const program = new Program(kind, {}, this.#plan)
    program.start()
    const code = await program.ended()
    if (code === 0) return
    const output = readFileSync(join(this.directory, `${kind}.out`), 'utf8')
    throw new Error(`${kind} ended with ${code}: ${output}`)
  }
}

/** Runs a group, and says what its history shows. */
export async function runGroup(options: GroupRunOptions): Promise<{
  readonly verdict: Verdict
  readonly diary: string
}> {
  const run = new GroupRun(options)
  try {
    await run.begin()
    await options.disturb(run)
    const verdict = await run.end()
    return { verdict, diary: run.diary }
  } finally {
    await run.stop()
  }
}
