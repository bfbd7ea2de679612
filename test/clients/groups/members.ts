// Members of groups, of both protocols, that do exactly what they are told to.
import type { RawClient } from '../raw-client.ts'
import { BEAT, CONSUME, JOIN, LEAVE, SYNC } from './exchanges.ts'
import type { Talk } from './talk.ts'

const encoder = new TextEncoder()

/** Bytes of a text. */
export const bytes = (text: string): Uint8Array => encoder.encode(text)

/** What a consumer of Java writes into its JoinGroup, version 1: topics, no user data, what it owns. */
export function subscription(
  topics: readonly string[],
  owned: readonly (readonly [string, readonly number[]])[] = [],
): Uint8Array {
  return Buffer.concat([int16(1), list(topics, text), int32(-1), list(owned, assigned)])
}

/** What a leader gives to a member, version 1. */
export function assignment(topics: readonly (readonly [string, readonly number[]])[]): Uint8Array {
  return Buffer.concat([int16(1), list(topics, assigned), int32(-1)])
}

const int16 = (value: number) => Buffer.from([(value >> 8) & 255, value & 255])
const int32 = (value: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}
const text = (value: string) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
const list = <T>(items: readonly T[], write: (item: T) => Buffer) =>
  Buffer.concat([int32(items.length), ...items.map(write)])
const assigned = ([topic, partitions]: readonly [string, readonly number[]]) =>
  Buffer.concat([text(topic), list(partitions, int32)])

/** What a classic member says of itself. */
export interface ClassicOptions {
  readonly groupId: string
  readonly name: string
  readonly instance?: string | null
  readonly protocolType?: string
  /** Name and metadata of each. */
  readonly protocols?: readonly (readonly [string, Uint8Array])[]
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  /** Of JoinGroup; the other APIs take theirs from it. */
  readonly version?: number
}

/** A member of a classic group, on a connection of its own. */
export class ClassicMember {
  memberId = ''
  generationId = -1
  readonly #options: ClassicOptions
  readonly #talk: Talk
  readonly #client: RawClient

  private constructor(talk: Talk, client: RawClient, options: ClassicOptions) {
    this.#talk = talk
    this.#client = client
    this.#options = options
  }

  static async connect(talk: Talk, options: ClassicOptions): Promise<ClassicMember> {
    return new ClassicMember(talk, await talk.connect(), options)
  }

  get version(): number {
    return this.#options.version ?? 9
  }

  /** One JoinGroup; the answer's ids become the member's. */
  async join(changes: Partial<ClassicOptions> = {}) {
    const { groupId, name, instance, protocolType, protocols, ...rest } = {
      ...this.#options,
      ...changes,
    }
    const answer = await this.#client.ask(
      JOIN,
      {
        groupId,
        sessionTimeoutMs: rest.sessionTimeoutMs ?? 20_000,
        rebalanceTimeoutMs: rest.rebalanceTimeoutMs ?? 20_000,
        memberId: this.memberId,
        groupInstanceId: instance ?? null,
        protocolType: protocolType ?? 'consumer',
        protocols: (protocols ?? [['range', subscription([`topic of ${name}`])]]).map(
          ([protocol, metadata]) => ({ name: protocol, metadata }),
        ),
        reason: null,
      },
      rest.version ?? this.version,
    )
    if (answer.memberId !== '') {
      this.memberId = answer.memberId
      this.#talk.call(answer.memberId, name)
    }
    if (answer.errorCode === 0) this.generationId = answer.generationId
    return answer
  }

  /** As clients do: once more with the id that the first answer gave. */
  async joinFully(changes: Partial<ClassicOptions> = {}) {
    const first = await this.join(changes)
    return first.errorCode === 79 ? await this.join(changes) : first
  }

  async sync(
    assignments: readonly (readonly [ClassicMember, Uint8Array])[] = [],
    changes: { generationId?: number; protocolType?: string; protocolName?: string } = {},
  ) {
    const { groupId, instance } = this.#options
    return await this.#client.ask(
      SYNC,
      {
        groupId,
        generationId: changes.generationId ?? this.generationId,
        memberId: this.memberId,
        groupInstanceId: instance ?? null,
        protocolType: changes.protocolType ?? 'consumer',
        protocolName: changes.protocolName ?? 'range',
        assignments: assignments.map(([{ memberId }, given]) => ({ memberId, assignment: given })),
      },
      Math.min(this.version, 5),
    )
  }

  async beat(changes: { generationId?: number; instance?: string } = {}) {
    const { groupId, instance } = this.#options
    return await this.#client.ask(
      BEAT,
      {
        groupId,
        generationId: changes.generationId ?? this.generationId,
        memberId: this.memberId,
        groupInstanceId: changes.instance ?? instance ?? null,
      },
      Math.min(this.version, 4),
    )
  }

  /** Heartbeats until the answer has this code; notes the last. */
  async beatUntil(label: string, code: number) {
    return await this.#talk.until(
      label,
      () => this.beat(),
      ({ errorCode }) => errorCode === code,
    )
  }

  async leave() {
    const { groupId, instance } = this.#options
    const { memberId } = this
    const members = [{ memberId, groupInstanceId: instance ?? null, reason: null }]
    const version = Math.min(this.version, 5)
    const body = version < 3 ? { groupId, memberId } : { groupId, members }
    return await this.#client.ask(LEAVE, body, version)
  }
}

/** Partitions of a topic. */
export interface Owned {
  readonly topicId: string
  readonly partitions: readonly number[]
}

/** A heartbeat of the new protocol, but for the group's id. */
export interface ConsumerFields {
  readonly memberId?: string
  readonly memberEpoch?: number
  readonly instanceId?: string | null
  readonly rackId?: string | null
  readonly rebalanceTimeoutMs?: number
  readonly subscribedTopicNames?: string[] | null
  readonly subscribedTopicRegex?: string | null
  readonly serverAssignor?: string | null
  readonly topicPartitions?: readonly Owned[] | null
}

/** A member of the new protocol, on a connection of its own. */
export class ConsumerMember {
  memberId: string
  memberEpoch = 0
  /** What it was last told to have. */
  owned: readonly Owned[] = []
  readonly #groupId: string
  readonly #talk: Talk
  readonly #client: RawClient
  readonly #version: number

  private constructor(
    talk: Talk,
    client: RawClient,
    groupId: string,
    name: string,
    version: number,
  ) {
    this.#talk = talk
    this.#client = client
    this.#groupId = groupId
    this.memberId = name
    this.#version = version
  }

  /** The name is the member's id, too, from version 1 on. */
  static async connect(
    talk: Talk,
    groupId: string,
    name: string,
    version = 1,
  ): Promise<ConsumerMember> {
    const client = await talk.connect()
    return new ConsumerMember(talk, client, groupId, name, version)
  }

  /** One heartbeat with these fields; what is left out is unchanged, but for who it is. */
  async beat(fields: ConsumerFields = {}) {
    const body = {
      groupId: this.#groupId,
      memberId: this.memberId,
      memberEpoch: this.memberEpoch,
      ...fields,
    }
    const answer = await this.#client.ask(CONSUME, body, this.#version)
    if (answer.errorCode === 0) {
      if (answer.memberId) this.memberId = answer.memberId
      this.memberEpoch = answer.memberEpoch
      if (answer.assignment !== null) this.owned = answer.assignment.topicPartitions
    }
    return answer
  }

  /** The first heartbeat. */
  async join(topics: string[], fields: ConsumerFields = {}) {
    return await this.beat({
      memberEpoch: 0,
      rebalanceTimeoutMs: 20_000,
      subscribedTopicNames: topics,
      topicPartitions: [],
      ...fields,
    })
  }

  /** Says that it has what it was told to have, as often as it takes for the broker to say so; notes the last answer. */
  async settle(label: string, isDone: (member: ConsumerMember) => boolean) {
    return await this.#talk.until(
      label,
      () => this.beat({ topicPartitions: this.owned }),
      () => isDone(this),
    )
  }

  async leave(memberEpoch = -1) {
    return await this.beat({ memberEpoch })
  }
}
