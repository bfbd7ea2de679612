// A log with one group, made up: it does what is allowed, in any order that choices lead to, and writes its history.
import type { Happening, HistoryEvent } from './history.ts'

/** What decides everything: the next of a list of numbers, and 0 when it is used up. */
export class Choices {
  readonly #numbers: readonly number[]
  #at = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  get isUsedUp(): boolean {
    return this.#at >= this.#numbers.length
  }

  /** A number in [0, bound). */
  below(bound: number): number {
    return (this.#numbers[this.#at++] ?? 0) % bound
  }

  /** One of them; undefined when there is none. */
  of<T>(all: readonly T[]): T | undefined {
    return all[this.below(Math.max(1, all.length))]
  }
}

const partitionCount = 2

interface Sending {
  readonly process: string
  readonly partition: number
  readonly values: readonly string[]
  /** Where they are, once they are there. */
  offset: number | undefined
}

interface Committing {
  readonly id: number
  readonly partition: number
  readonly offset: number
  isApplied: boolean
}

interface MadeUpMember {
  readonly process: string
  readonly positions: Map<number, number | undefined>
  /** True for one that has not noticed yet that others own what it had. */
  isZombie: boolean
  committing: Committing | undefined
}

class World {
  readonly events: HistoryEvent[] = []
  readonly #choices: Choices
  readonly #logs: string[][] = Array.from({ length: partitionCount }, () => [])
  readonly #committed = new Map<number, number>()
  #sendings: Sending[] = []
  #members: MadeUpMember[] = []
  #generation = 0
  #at = 1
  #names = 0
  #values = 0

  constructor(choices: Choices) {
    this.#choices = choices
  }

  step(): void {
    const often = [
      () => this.#send(),
      () => this.#finishSend(),
      () => this.#poll(),
      () => this.#poll(),
      () => this.#commit(),
      () => this.#finishCommit(),
    ]
    const rarely = [() => this.#rebalance(), () => this.#look(), () => this.#crashBroker()]
    this.#choices.of([...often, ...often, ...often, ...rarely])?.()
  }

  /** Everything is read once more, by an onlooker and by the group. */
  end(): void {
    this.#crashBroker()
    for (const member of this.#members) this.#write(member.process, { op: 'close' })
    this.#members = []
    this.#rebalance()
    for (const { positions, process } of this.#members)
      for (const partition of positions.keys()) {
        const from = this.#begin(process, partition)
        const records = this.#records(partition, from)
        if (records.length > 0) this.#write(process, { op: 'poll', partition, records })
      }
    this.#write('driver', { op: 'drained', group: 'g' })
    for (const [partition, values] of this.#logs.entries()) {
      const records = this.#records(partition, 0)
      this.#write('reader', { op: 'log', partition, start: 0, end: values.length, records })
    }
  }

  #write(process: string, happening: Happening): void {
    this.#at += this.#choices.below(3)
    this.events.push({ at: this.#at, process, ...happening })
  }

  #records(partition: number, from: number, count = Number.POSITIVE_INFINITY) {
    const values = this.#logs[partition] ?? []
    return values.slice(from, from + count).map((value, index) => [from + index, value] as const)
  }

  #send(): void {
    const partition = this.#choices.below(partitionCount)
    const values = Array.from(
      { length: 1 + this.#choices.below(3) },
      () => `value ${this.#values++}`,
    )
    const sending = { process: `w${this.#values}`, partition, values, offset: undefined }
    this.#write(sending.process, { op: 'send', partition, values })
    if (this.#choices.below(2) === 0) this.#append(sending)
    this.#sendings.push(sending)
  }

  #append(sending: Sending): void {
    const log = this.#logs[sending.partition] ?? []
    sending.offset ??= log.push(...sending.values) - sending.values.length
  }

  #finishSend(): void {
    const sending = this.#choices.of(this.#sendings)
    if (sending === undefined) return
    this.#sendings = this.#sendings.filter((other) => other !== sending)
    const { process, partition, values } = sending
    const outcome = this.#choices.below(6)
    if (outcome === 0 && sending.offset === undefined)
      this.#write(process, { op: 'unsent', values, refused: true })
    else if (outcome === 1) this.#write(process, { op: 'unsent', values })
    else {
      this.#append(sending)
      this.#write(process, { op: 'sent', partition, offset: sending.offset ?? 0, values })
    }
  }

  /** Members come, leave, die and stay, some without noticing. */
  #rebalance(): void {
    this.#generation += 1
    const staying: MadeUpMember[] = []
    const zombies: MadeUpMember[] = []
    for (const member of this.#members.filter(({ isZombie }) => !isZombie)) {
      const fate = this.#choices.below(5)
      if (fate === 0) this.#write(member.process, { op: 'close' })
      else if (fate === 1) zombies.push({ ...member, isZombie: true })
      else if (fate > 2) {
        this.#write(member.process, { op: 'revoke', partitions: [...member.positions.keys()] })
        staying.push({ ...member, positions: new Map(), committing: undefined })
      }
    }
    while (staying.length === 0 || this.#choices.below(3) === 0) {
      const process = `c${this.#names++}`
      this.#write(process, { op: 'start', group: 'g' })
      staying.push({ process, positions: new Map(), isZombie: false, committing: undefined })
      if (this.#choices.isUsedUp) break
    }
    for (let partition = 0; partition < partitionCount; partition++)
      this.#choices.of(staying)?.positions.set(partition, undefined)
    this.#members = [...staying, ...zombies]
    for (const { process, positions } of staying) {
      const partitions = [...positions.keys()]
      this.#write(process, { op: 'assign', partitions, generation: this.#generation })
    }
  }

  /** Where a new owner begins; some say it. */
  #begin(process: string, partition: number): number {
    const offset = this.#committed.get(partition) ?? 0
    if (this.#choices.below(2) === 0) this.#write(process, { op: 'position', partition, offset })
    return offset
  }

  #poll(): void {
    const member = this.#choices.of(this.#members)
    const partition = this.#choices.of([...(member?.positions.keys() ?? [])])
    if (member === undefined || partition === undefined) return
    let position = member.positions.get(partition)
    if (position === undefined && member.isZombie) return
    position ??= this.#begin(member.process, partition)
    const records = this.#records(partition, position, 1 + this.#choices.below(4))
    // One that has not said where it begins is held to the position of its first records.
    if (records.length === 0) return
    member.positions.set(partition, position + records.length)
    this.#write(member.process, { op: 'poll', partition, records })
  }

  #commit(): void {
    const member = this.#choices.of(this.#members)
    const partition = this.#choices.of([...(member?.positions.keys() ?? [])])
    const offset = partition === undefined ? undefined : member?.positions.get(partition)
    if (member === undefined || partition === undefined || offset === undefined) return
    if (member.committing !== undefined) return
    const id = this.#at * 1000 + this.events.length
    const committing = { id, partition, offset, isApplied: false }
    this.#write(member.process, { op: 'commit', id, offsets: [[partition, offset]] })
    if (this.#choices.below(2) === 0) this.#apply(member, committing)
    member.committing = committing
  }

  #apply(member: MadeUpMember, committing: Committing): void {
    if (member.isZombie || committing.isApplied) return
    committing.isApplied = true
    this.#committed.set(committing.partition, committing.offset)
  }

  #finishCommit(): void {
    const member = this.#choices.of(this.#members.filter(({ committing }) => committing))
    const committing = member?.committing
    if (member === undefined || committing === undefined) return
    const { process } = member
    member.committing = undefined
    const { id } = committing
    const isKnown = this.#choices.below(4) > 0
    if (isKnown) this.#apply(member, committing)
    if (!isKnown) this.#write(process, { op: 'uncommitted', id })
    else if (committing.isApplied) this.#write(process, { op: 'committed', id })
    else this.#write(process, { op: 'uncommitted', id, refused: true })
  }

  #look(): void {
    const since = this.#at
    const offsets = Array.from(
      { length: partitionCount },
      (_, partition) => [partition, this.#committed.get(partition) ?? -1] as const,
    )
    this.#write('onlooker', { op: 'fetched', group: 'g', since, offsets })
  }

  /** Whoever waits for an answer gets none. */
  #crashBroker(): void {
    for (const { process, values } of this.#sendings) this.#write(process, { op: 'unsent', values })
    this.#sendings = []
    for (const member of this.#members) {
      if (member.committing === undefined) continue
      this.#write(member.process, { op: 'uncommitted', id: member.committing.id })
      member.committing = undefined
    }
  }
}

/** The history of a log and a group without anomalies. */
export function madeUpHistory(numbers: readonly number[]): HistoryEvent[] {
  const choices = new Choices(numbers)
  const world = new World(choices)
  while (!choices.isUsedUp) world.step()
  world.end()
  return world.events
}
