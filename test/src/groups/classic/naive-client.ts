// A consumer as simple as can be: joins, lets the leader deal partitions like cards, beats, and does what errors say.

import { errorName } from '../../../../src/protocol/error-codes.ts'
import type { JoinGroupResponse } from '../../../../src/protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../../../src/protocol/messages/14-sync-group.ts'
import { type Asked, type ClassicShard, protocol } from './classic-shard.ts'

const HEARTBEAT_MS = 3_000
/** Of every client, so that it bounds every wait. */
export const REBALANCE_TIMEOUT_MS = 30_000

/** An answer that a client waits for, and since when. */
export interface Waiting {
  readonly asked: Asked<unknown>
  readonly sinceMs: number
}

/** One client. `step` does whatever it has to do next. */
export class NaiveClient {
  readonly name: string
  readonly groupInstanceId: string | null
  readonly #version: number
  memberId = ''
  generationId = -1
  /** What it owns, while it believes to be in a generation. */
  owned: readonly number[] | undefined
  topic = 'topic'
  isGone = false
  /** Until then it works on what it has: it beats, as clients do by themselves, but hears nothing. */
  busyUntilMs = 0
  waiting: Waiting | undefined
  #join: Asked<JoinGroupResponse> | undefined
  #sync: Asked<SyncGroupResponse> | undefined
  #beat: Asked<{ errorCode: number }> | undefined
  #beatAt = 0

  constructor(name: string, options: { groupInstanceId: string | null; version: number }) {
    this.name = name
    this.groupInstanceId = options.groupInstanceId
    this.#version = options.version
  }

  /** Asks for whatever comes next, unless it waits. */
  step(shard: ClassicShard, partitionCount: number): void {
    if (this.isGone) return
    if (shard.clock.monotonic() < this.busyUntilMs) {
      const { memberId, groupInstanceId, generationId } = this
      if (memberId !== '') shard.heartbeat({ memberId, groupInstanceId, generationId })
      return
    }
    this.#hear(shard, partitionCount)
    if (this.waiting?.asked.isOpen) return
    const now = shard.clock.monotonic()
    const { memberId, groupInstanceId, generationId } = this
    if (!this.owned) {
      const protocols = [protocol('range', this.topic), protocol('sticky', this.topic)]
      const rebalanceTimeoutMs = REBALANCE_TIMEOUT_MS
      const said = { memberId, groupInstanceId, protocols, rebalanceTimeoutMs }
      this.#join = shard.join({ ...said, version: this.#version })
      this.waiting = { asked: this.#join, sinceMs: now }
    } else if (now >= this.#beatAt) {
      this.#beatAt = now + HEARTBEAT_MS
      this.#beat = shard.heartbeat({ memberId, groupInstanceId, generationId })
    }
  }

  leave(shard: ClassicShard): void {
    this.isGone = true
    const { memberId, groupInstanceId } = this
    if (memberId !== '') shard.leave({ memberId, groupInstanceId })
  }

  /** It wants something else now. */
  resubscribe(topic: string): void {
    this.topic = topic
    if (!this.waiting?.asked.isOpen) this.owned = undefined
  }

  #hear(shard: ClassicShard, partitionCount: number): void {
    const beat = this.#beat
    if (beat && !beat.isOpen) {
      this.#beat = undefined
      this.#obey(beat.error?.code ?? codeOf(beat.answer))
    }
    const join = this.#join
    if (join && !join.isOpen) {
      this.#join = undefined
      this.#joined(shard, partitionCount, join)
    }
    const sync = this.#sync
    if (sync && !sync.isOpen) {
      this.#sync = undefined
      const code = sync.error?.code ?? codeOf(sync.answer)
      if (code === undefined) this.owned = [...(sync.answer?.assignment ?? [])]
      else this.#obey(code)
    }
  }

  #joined(shard: ClassicShard, partitionCount: number, join: Asked<JoinGroupResponse>): void {
    const code = join.error?.code ?? codeOf(join.answer)
    if (join.answer && (code === undefined || code === 'MEMBER_ID_REQUIRED')) {
      this.memberId = join.answer.memberId
    }
    if (code !== undefined || !join.answer) {
      this.#obey(code)
      return
    }
    const { generationId, memberId, members, skipAssignment } = join.answer
    this.generationId = generationId
    const assignments = members.map((member, index) => ({
      memberId: member.memberId,
      assignment: Uint8Array.from(
        Array.from({ length: partitionCount }, (_, partition) => partition).filter(
          (partition) => partition % members.length === index,
        ),
      ),
    }))
    const { groupInstanceId } = this
    this.#sync = shard.sync({
      memberId,
      groupInstanceId,
      generationId,
      assignments: skipAssignment ? [] : assignments,
    })
    this.waiting = { asked: this.#sync, sinceMs: shard.clock.monotonic() }
  }

  #obey(code: string | undefined): void {
    if (code === undefined) return
    // The coordinator has moved: the generation may well go on.
    if (code === 'NOT_COORDINATOR' && this.owned) return
    this.owned = undefined
    if (code === 'UNKNOWN_MEMBER_ID') this.memberId = ''
    if (code === 'FENCED_INSTANCE_ID') this.isGone = true
  }
}

function codeOf(answer: { errorCode: number } | undefined): string | undefined {
  return answer === undefined || answer.errorCode === 0 ? undefined : errorName(answer.errorCode)
}
