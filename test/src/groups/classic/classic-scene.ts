// A group of three in each of its states, and what happens there told in words: for tables.

import { groupRecordCodec } from '../../../../src/groups/group-record.ts'
import { errorName } from '../../../../src/protocol/error-codes.ts'
import { settle } from '../../../simulation/virtual-clock.ts'
import { type Asked, ClassicShard, joined, protocol, type ShardOptions } from './classic-shard.ts'

/** What a scene begins with. */
export type SceneState =
  | 'unknown'
  | 'Empty'
  | 'initial'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Stable'

/**
 * Leader L and follower F are dynamic members, S is static with instance s. They know `range` and `sticky`.
 * `initial` is a PreparingRebalance that nobody has ended yet, of L alone; in `PreparingRebalance` F has joined again.
 */
export class Scene {
  readonly shard: ClassicShard
  /** Ids by name. */
  readonly ids = new Map<string, string>()
  readonly #names = new Map<string, string>()
  #recordsBefore = 0
  /** What F and S wait for since before the scene. */
  readonly parked = new Map<string, Asked<unknown>>()

  private constructor(options: ShardOptions) {
    this.shard = new ClassicShard(options)
  }

  static async at(state: SceneState, options: ShardOptions = {}): Promise<Scene> {
    const scene = new Scene(options)
    await scene.#reach(state)
    scene.#recordsBefore = scene.shard.log.length
    return scene
  }

  id(name: string): string {
    return this.ids.get(name) ?? name
  }

  /** A member's join as it was the first time. */
  join(name: string, said: Parameters<ClassicShard['join']>[0] = {}) {
    return this.shard.join({
      memberId: this.id(name),
      groupInstanceId: name === 'S' ? 's' : null,
      protocols: PROTOCOLS,
      clientId: name,
      ...said,
    })
  }

  sync(name: string, said: Parameters<ClassicShard['sync']>[0] = {}) {
    return this.shard.sync({
      memberId: this.id(name),
      groupInstanceId: name === 'S' ? 's' : null,
      ...said,
    })
  }

  /** The leader's sync: each gets its name, but S nothing. */
  assign() {
    const assignments = ['L', 'F'].map((name) => ({
      memberId: this.id(name),
      assignment: new TextEncoder().encode(name),
    }))
    return this.sync('L', { assignments })
  }

  heartbeat(name: string, said: Parameters<ClassicShard['heartbeat']>[0] = {}) {
    return this.shard.heartbeat({
      memberId: this.id(name),
      groupInstanceId: name === 'S' ? 's' : null,
      ...said,
    })
  }

  /** What clients are told; `none` where there is no group. */
  get state(): string {
    return this.shard.groups.get('g')?.state ?? 'none'
  }

  /** What the log has been told since the scene began. */
  get records(): readonly string[] {
    return this.shard.log.slice(this.#recordsBefore).map(({ key, value }) => {
      const record = groupRecordCodec.decode(key, value)
      if (record?.type !== 'GroupMetadata') return 'something else'
      if (record.value === null) return 'tombstone'
      const { generation, members, protocol: chosen, leader } = record.value
      const all = members.map(
        ({ memberId, assignment }) => `${this.#name(memberId)}=${text(assignment)}`,
      )
      const how = all.length === 0 ? 'nobody' : `${chosen} led by ${this.#name(leader ?? '')}:`
      return ['generation', generation, how, ...all].join(' ')
    })
  }

  /** An answer in words: `parked` while there is none. */
  async tell(asked: Asked<unknown>): Promise<string> {
    await settle()
    if (asked.error) return asked.error.code
    const { answer } = asked
    if (typeof answer !== 'object' || answer === null) return 'parked'
    if ('leader' in answer) return this.#tellJoin(answer as ReturnType<typeof joined>)
    const { errorCode } = answer as { errorCode: number }
    if (errorCode !== 0) return errorName(errorCode)
    if ('assignment' in answer) return `assigned ${text(answer.assignment as Uint8Array)}`
    if (!('members' in answer)) return 'ok'
    const members = answer.members as { errorCode: number }[]
    return members.map((one) => (one.errorCode === 0 ? 'ok' : errorName(one.errorCode))).join(' ')
  }

  #tellJoin(answer: ReturnType<typeof joined>): string {
    const { errorCode, generationId, leader, memberId, members, skipAssignment } = answer
    if (errorCode !== 0) {
      const name = this.#name(memberId)
      return name === '' ? errorName(errorCode) : `${errorName(errorCode)} for ${name}`
    }
    const names = members.map((member) => this.#name(member.memberId)).sort()
    return [
      `${this.#name(memberId)} in ${generationId} by ${answer.protocolName} led by ${this.#name(leader)}`,
      ...(names.length > 0 ? [`of ${names.join('')}`] : []),
      ...(skipAssignment ? ['assigned already'] : []),
    ].join(' ')
  }

  #name(memberId: string): string {
    if (memberId === '') return ''
    // `new` has an id that nobody knew when the scene began.
    return this.#names.get(memberId) ?? (/^.*-[0-9a-f-]{36}$/.test(memberId) ? 'new' : memberId)
  }

  #know(name: string, memberId: string): void {
    this.ids.set(name, memberId)
    this.#names.set(memberId, name)
  }

  async #reach(state: SceneState): Promise<void> {
    const { shard } = this
    if (state === 'unknown') return
    const first = this.join('L', { memberId: '', version: 3 })
    if (state === 'initial') {
      await settle()
      this.#know('L', [...shard.group().members.keys()][0] ?? '')
      this.parked.set('L', first)
      return
    }
    const joins = [first, this.join('F', { memberId: '', version: 3 })]
    joins.push(this.join('S', { memberId: '' }))
    // F and S came while the group waited for more: it waits once more.
    await shard.clock.run(6_010)
    for (const join of joins) {
      const { memberId } = joined(join)
      this.#know(memberId.startsWith('s-') ? 'S' : memberId.slice(0, 1), memberId)
    }
    if (state === 'CompletingRebalance') return
    this.assign()
    this.sync('F')
    this.sync('S')
    await settle()
    if (state === 'PreparingRebalance') {
      this.parked.set('F', this.join('F', { protocols: [...PROTOCOLS, protocol('other')] }))
    }
    if (state === 'Empty') {
      shard.leave(...['L', 'F', 'S'].map((name) => ({ memberId: this.id(name) })))
    }
    await settle()
  }
}

const PROTOCOLS = [protocol('range'), protocol('sticky')]

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
