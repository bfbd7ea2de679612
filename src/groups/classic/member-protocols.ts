// Which protocols the members of a group have in common, and which one they want most.
import type { ClassicProtocol } from './classic-member.ts'

/** Who takes part in the choice. */
interface Voter {
  readonly protocols: readonly ClassicProtocol[]
  vote(isCandidate: (name: string) => boolean): string | undefined
}

/** How many members know each protocol: kept as they come and go, so that one more member costs no look at the others. */
export class MemberProtocols {
  readonly #members = new Map<string, number>()

  add(protocols: readonly ClassicProtocol[]): void {
    for (const name of namesOf(protocols)) this.#members.set(name, this.#count(name) + 1)
  }

  remove(protocols: readonly ClassicProtocol[]): void {
    for (const name of namesOf(protocols)) {
      const left = this.#count(name) - 1
      if (left > 0) this.#members.set(name, left)
      else this.#members.delete(name)
    }
  }

  /** Whether all members of a group of this size know one of these. */
  hasOneFor(memberCount: number, protocols: readonly ClassicProtocol[]): boolean {
    return protocols.some(({ name }) => this.#count(name) === memberCount)
  }

  /** Each member votes for the first of its protocols that all know; the one with the most votes, of equal ones the first voted for. */
  select(members: ReadonlyMap<string, Voter>): string | null {
    const votes = new Map<string, number>()
    for (const member of members.values()) {
      const name = member.vote((candidate) => this.#count(candidate) === members.size)
      if (name !== undefined) votes.set(name, (votes.get(name) ?? 0) + 1)
    }
    let selected: string | null = null
    for (const [name, count] of votes) {
      if (selected === null || count > (votes.get(selected) ?? 0)) selected = name
    }
    return selected
  }

  #count(name: string): number {
    return this.#members.get(name) ?? 0
  }
}

function namesOf(protocols: readonly ClassicProtocol[]): ReadonlySet<string> {
  return new Set(protocols.map(({ name }) => name))
}
