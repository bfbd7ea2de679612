// Finds what a history says that a log with groups may not do, in Jepsen's terms. README.md says what each term means.
import { Evidence, OffsetSet, type PartitionEvidence } from './evidence.ts'
import { type AnomalyKind, Findings } from './findings.ts'
import type { HistoryEvent, SeenRecord } from './history.ts'
import { type Commit, CommittedPosition, type Moment } from './positions.ts'

/** What the checker found, and how much there was to check. */
export interface Verdict {
  /** A sentence each, opened by the kind; at most ten of a kind. */
  readonly anomalies: readonly string[]
  readonly kinds: readonly AnomalyKind[]
  readonly counts: ReadonlyMap<AnomalyKind, number>
  /** What was there to be checked: a history in which little happened proves little. */
  readonly seen: Seen
}

/** How much happened. */
export interface Seen {
  events: number
  /** Values that were acknowledged. */
  acknowledged: number
  /** Values of which nobody knows whether they were written. */
  unknown: number
  /** Records given to consumers. */
  delivered: number
  /** Those that their group had been given before. */
  redelivered: number
  /** Commits that were acknowledged. */
  committed: number
  /** Partitions that were assigned. */
  assigned: number
  /** Beginnings of reading that were compared with what was committed, and answers that onlookers got. */
  positions: number
}

/**
 * Checks a history, which it goes through twice, in the order of time. It says only what is certain: where two things
 * happened at once, or nobody knows whether one happened, every order and outcome is allowed.
 */
export function checkHistory(history: Iterable<HistoryEvent>): Verdict {
  const findings = new Findings()
  const evidence = new Evidence(history, findings)
  const groups = new Groups(evidence, findings)
  for (const event of history) groups.take(event)
  groups.finish()
  for (const { offset, isRefused } of evidence.sent.values()) {
    if (offset !== undefined) groups.seen.acknowledged += 1
    else if (!isRefused) groups.seen.unknown += 1
  }
  const { anomalies, kinds, counts } = findings
  return { anomalies, kinds, counts, seen: groups.seen }
}

/** A consumer reads one partition, from when it was assigned until it is taken away. */
interface Session {
  readonly assignedAt: number
  readonly generation?: number | undefined
  /** The next offset to read; undefined until it is known. */
  position: number | undefined
  /** Below this the group had surely committed when the session began lower without a reason. */
  floor: number
}

/** A running consumer. */
interface Member {
  readonly group: string
  /** What owns partitions: the instance of a static member, else the process. */
  readonly owner: string
  readonly sessions: Map<number, Session>
  readonly commits: Map<number, { partition: number; commit: Commit }[]>
}

/** What a group has to do with one partition. */
class GroupPartition {
  readonly committed = new CommittedPosition()
  /** What it was given, or went past on purpose. */
  readonly given = new OffsetSet()
  /** Who was given the partition last in which generation. */
  readonly owners = new Map<number, string>()
  latest: { process: string; at: number } | undefined
  /** The highest position that was kept. */
  kept = -1
  /** True when somebody went to another position on purpose: then positions may go back. */
  wasSought = false
}

/** Follows groups through a history. */
class Groups {
  readonly seen: Seen = {
    events: 0,
    acknowledged: 0,
    unknown: 0,
    delivered: 0,
    redelivered: 0,
    committed: 0,
    assigned: 0,
    positions: 0,
  }
  readonly #evidence: Evidence
  readonly #findings: Findings
  readonly #groups = new Map<string, Map<number, GroupPartition>>()
  readonly #drained = new Set<string>()
  readonly #members = new Map<string, Member>()

  constructor(evidence: Evidence, findings: Findings) {
    this.#evidence = evidence
    this.#findings = findings
  }

  take(event: HistoryEvent): void {
    this.seen.events += 1
    if (event.op === 'start') {
      const { process, group, instance } = event
      const owner = instance ?? process
      this.#members.set(process, { group, owner, sessions: new Map(), commits: new Map() })
    } else if (event.op === 'fetched') this.#takeFetched(event)
    else if (event.op === 'drained') this.#drained.add(event.group)
    else {
      const member = this.#members.get(event.process)
      if (member !== undefined) this.#takeOf(member, event)
    }
  }

  /** What can be said only at the end: nothing was passed over, and a drained group was given everything. */
  finish(): void {
    for (const [group, partitions] of this.#groups)
      for (const [number, partition] of partitions)
        this.#findMissing(group, number, partition, partition.kept, 'group-skip')
    for (const group of this.#drained)
      for (const [number, { readEnd }] of this.#evidence.partitions)
        this.#findMissing(group, number, this.#partition(group, number), readEnd, 'unseen')
  }

  #findMissing(
    group: string,
    number: number,
    { given }: GroupPartition,
    end: number,
    kind: 'group-skip' | 'unseen',
  ): void {
    const partition = this.#evidence.partition(number)
    const why =
      kind === 'unseen' ? 'which should have been given everything' : `which committed ${end}`
    for (let at = partition.start; at < end; at++)
      if (partition.isThere(at) && !given.has(at))
        this.#findings.add(kind, `${number}@${at} was given to nobody in ${group}, ${why}`)
  }

  #takeOf(member: Member, event: HistoryEvent): void {
    if (event.op === 'assign') this.#assign(member, event)
    else if (event.op === 'revoke')
      for (const number of event.partitions) member.sessions.delete(number)
    else if (event.op === 'close') member.sessions.clear()
    else if (event.op === 'position') this.#begin(member, event)
    else if (event.op === 'seek') this.#seek(member, event)
    else if (event.op === 'poll') this.#poll(member, event)
    else if (event.op === 'commit') this.#commit(member, event)
    else if (event.op === 'committed') this.#committed(member, event)
    else if (event.op === 'uncommitted') this.#uncommitted(member, event)
  }

  #partition(group: string, number: number): GroupPartition {
    const partitions = this.#groups.get(group) ?? new Map<number, GroupPartition>()
    this.#groups.set(group, partitions)
    const partition = partitions.get(number) ?? new GroupPartition()
    partitions.set(number, partition)
    return partition
  }

  #assign(member: Member, event: HistoryEvent & { op: 'assign' }): void {
    const { process, at, generation } = event
    for (const number of event.partitions) {
      this.seen.assigned += 1
      member.sessions.set(number, { assignedAt: at, generation, position: undefined, floor: -1 })
      const partition = this.#partition(member.group, number)
      partition.latest = { process, at }
      if (generation === undefined) continue
      const other = this.#members.get(partition.owners.get(generation) ?? process)
      // A group that was empty may count its generations from the beginning: then the other has given it up.
      const isHeld = other?.sessions.get(number)?.generation === generation
      if (isHeld && other.owner !== member.owner)
        this.#findings.add(
          'two-owners',
          `${number} of ${member.group} was given to ${other.owner} and to ${member.owner} in generation ${generation}`,
        )
      partition.owners.set(generation, process)
    }
  }

  /** A consumer says where it begins. */
  #begin(member: Member, event: HistoryEvent & { op: 'position' }): void {
    const session = this.#session(member, event)
    const moment = { since: session.assignedAt, until: event.at }
    const who = `${event.process} begins at ${event.partition}@${event.offset}`
    session.floor = this.#compare(member.group, event.partition, event.offset, moment, who)
    session.position = event.offset
  }

  #seek(member: Member, event: HistoryEvent & { op: 'seek' }): void {
    const session = this.#session(member, event)
    const partition = this.#partition(member.group, event.partition)
    for (let at = session.position ?? 0; at < event.offset; at++) partition.given.add(at)
    session.position = event.offset
    session.floor = -1
    partition.wasSought = true
  }

  /** Compares a position with what may be committed; the lowest of that when the position is below without a reason, else −1. */
  #compare(group: string, number: number, offset: number, moment: Moment, who: string): number {
    this.seen.positions += 1
    const { committed } = this.#partition(group, number)
    const evidence = this.#evidence.partition(number)
    const { offsets, none } = committed.candidates(moment)
    if (none) offsets.push(Math.min(offset, evidence.start))
    if (offsets.includes(offset)) return -1
    const wasThere = committed.wasTried(offset) || offset <= evidence.start
    const can = [...new Set(offsets)].toSorted((a, b) => a - b)
    this.#findings.add(
      wasThere ? 'lost-commit' : 'invented-commit',
      `${who}, where ${group} can be at ${can.slice(-5).join(' or ')}`,
    )
    return Math.min(...offsets)
  }

  #poll(member: Member, event: HistoryEvent & { op: 'poll' }): void {
    const session = this.#session(member, event)
    const partition = this.#evidence.partition(event.partition)
    for (const record of event.records) {
      session.position ??= this.#infer(member, session, event, record)
      this.#step(event, partition, session.position, record)
      session.position = record[0] + 1
      this.#give(member.group, event, session, record)
    }
  }

  /** Where a consumer began that does not say it, from the first record that it was given. */
  #infer(
    { group }: Member,
    session: Session,
    event: HistoryEvent & { op: 'poll' },
    [first]: SeenRecord,
  ): number {
    const moment = { since: session.assignedAt, until: event.at }
    const evidence = this.#evidence.partition(event.partition)
    const { offsets, none } = this.#partition(group, event.partition).committed.candidates(moment)
    if (none) offsets.push(Math.min(first, evidence.start))
    // Offsets without a record may lie between a position and the first record behind it.
    const isBehind = (offset: number) => evidence.next(offset, first) === undefined
    const highest = Math.max(...offsets)
    if (highest < first && !isBehind(highest)) return highest
    const from = offsets.find((offset) => offset <= first && isBehind(offset)) ?? first
    const who = `${event.process} begins with ${event.partition}@${first}`
    session.floor = this.#compare(group, event.partition, from, moment, who)
    return from
  }

  #step(
    event: HistoryEvent & { op: 'poll' },
    partition: PartitionEvidence,
    position: number,
    [offset]: SeenRecord,
  ): void {
    const who = `${event.process} was given ${event.partition}@${offset}`
    if (offset < position)
      this.#findings.add('nonmonotonic-poll', `${who} when it was at ${position}`)
    const skipped = partition.next(position, offset)
    if (skipped !== undefined)
      this.#findings.add('poll-skip', `${who} when it was at ${position}, and ${skipped} exists`)
  }

  #give(
    group: string,
    { process, partition: number }: HistoryEvent & { op: 'poll' },
    { floor }: Session,
    [offset, value]: SeenRecord,
  ): void {
    const { given } = this.#partition(group, number)
    this.seen.delivered += 1
    if (given.has(offset)) {
      this.seen.redelivered += 1
      if (offset < floor)
        this.#findings.add(
          'duplicate',
          `${value} at ${number}@${offset} was given again, to ${process}, though ${group} had committed ${floor}`,
        )
    }
    given.add(offset)
  }

  /** Without one, the consumer reads what it was not given. */
  #session(member: Member, event: HistoryEvent & { partition: number }): Session {
    const known = member.sessions.get(event.partition)
    if (known !== undefined) return known
    const { process, partition, at } = event
    this.#findings.add('unowned-poll', `${process} reads ${partition}, which it does not own`)
    const session = { assignedAt: at, position: undefined, floor: -1 }
    member.sessions.set(partition, session)
    return session
  }

  #commit(member: Member, event: HistoryEvent & { op: 'commit' }): void {
    const commits = event.offsets.map(([partition, offset]) => {
      const { committed } = this.#partition(member.group, partition)
      return { partition, commit: committed.invoke(offset, event.at) }
    })
    member.commits.set(event.id, commits)
  }

  #committed(member: Member, event: HistoryEvent & { op: 'committed' }): void {
    for (const { partition: number, commit } of member.commits.get(event.id) ?? []) {
      const partition = this.#partition(member.group, number)
      this.seen.committed += 1
      this.#checkCommit(member, event.process, number, commit)
      partition.committed.acknowledge(commit, event.at)
      partition.kept = Math.max(partition.kept, commit.offset)
    }
    member.commits.delete(event.id)
  }

  #checkCommit(member: Member, process: string, number: number, commit: Commit): void {
    const { offset, invokedAt } = commit
    const { latest, committed, wasSought } = this.#partition(member.group, number)
    const who = `${process} could commit ${number}@${offset}`
    const before = committed.highestBefore(invokedAt)
    if (offset < before && !wasSought)
      this.#findings.add('committed-back', `${who} after ${before} had been committed`)
    const since = member.sessions.get(number)?.assignedAt ?? -1
    if (latest !== undefined && latest.process !== process && latest.at < invokedAt)
      if (since < latest.at)
        this.#findings.add('zombie-commit', `${who} after ${latest.process} had become its owner`)
  }

  #uncommitted(member: Member, event: HistoryEvent & { op: 'uncommitted' }): void {
    if (event.refused !== true) return
    for (const { partition, commit } of member.commits.get(event.id) ?? [])
      this.#partition(member.group, partition).committed.refuse(commit)
    member.commits.delete(event.id)
  }

  #takeFetched(event: HistoryEvent & { op: 'fetched' }): void {
    const moment = { since: event.since, until: event.at }
    for (const [number, offset] of event.offsets) {
      const who = `${event.process} finds ${offset} committed for ${number}`
      if (offset >= 0) {
        this.#compareFetched(event.group, number, offset, moment, who)
        continue
      }
      this.seen.positions += 1
      const { none } = this.#partition(event.group, number).committed.candidates(moment)
      if (!none)
        this.#findings.add('lost-commit', `${event.process} finds nothing committed for ${number}`)
    }
  }

  #compareFetched(
    group: string,
    number: number,
    offset: number,
    moment: Moment,
    who: string,
  ): void {
    this.seen.positions += 1
    const { committed } = this.#partition(group, number)
    const { offsets, none } = committed.candidates(moment)
    if (offsets.includes(offset)) return
    this.#findings.add(
      committed.wasTried(offset) ? 'lost-commit' : 'invented-commit',
      `${who}, where ${group} can be at ${offsets.slice(-5).join(' or ')}${none ? ' or nowhere' : ''}`,
    )
  }
}
