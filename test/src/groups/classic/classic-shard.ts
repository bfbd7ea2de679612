// Classic groups on a virtual clock and a log in memory, and who speaks to them.

import { BrokerConfig } from '../../../../src/config/broker-config.ts'
import type { Plan } from '../../../../src/coordinators/shard.ts'
import { ClassicGroup } from '../../../../src/groups/classic/classic-group.ts'
import { ClassicGroups } from '../../../../src/groups/classic/classic-groups.ts'
import type { Group } from '../../../../src/groups/group.ts'
import type { GroupParts } from '../../../../src/groups/group-parts.ts'
import { type GroupRecord, groupRecordCodec } from '../../../../src/groups/group-record.ts'
import { EMPTY_IMAGE } from '../../../../src/metadata/image.ts'
import { Deadlines } from '../../../../src/partitions/deadlines.ts'
import { EffectiveConfigs } from '../../../../src/partitions/effective-configs.ts'
import type {
  JoinGroupRequest,
  JoinGroupResponse,
} from '../../../../src/protocol/messages/11-join-group.ts'
import type { HeartbeatRequest } from '../../../../src/protocol/messages/12-heartbeat.ts'
import type { LeaveGroupRequest } from '../../../../src/protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest } from '../../../../src/protocol/messages/14-sync-group.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'

/** A record as the log has it. */
export type LogEntry = ReturnType<typeof groupRecordCodec.encode>

/** How a shard is to begin. */
export interface ShardOptions {
  readonly clock?: VirtualClock
  readonly random?: SeededRandom
  readonly log?: readonly LogEntry[]
  readonly config?: Readonly<Record<string, string>>
}

/** A question and, as soon as it is there, its answer. */
export class Asked<Answer> {
  answer: Answer | undefined
  error: KafkaError | undefined

  constructor(promise: Promise<Answer>) {
    promise.then(
      (answer) => {
        this.answer = answer
      },
      (error: unknown) => {
        if (!(error instanceof KafkaError)) throw error
        this.error = error
      },
    )
  }

  get isOpen(): boolean {
    return this.answer === undefined && this.error === undefined
  }
}

/** Plans, appends, applies, commits and answers, as a coordinator does. Commits at once unless told to hold them. */
export class ClassicShard {
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly groups = new Map<string, Group>()
  readonly log: LogEntry[]
  readonly classic: ClassicGroups
  /** Why appends fail, if they do. */
  appendError: KafkaError | undefined
  isHolding = false
  #held: ((error: KafkaError | undefined) => void)[] = []

  constructor({
    clock = new VirtualClock(),
    random = new SeededRandom(1),
    log = [],
    config = {},
  }: ShardOptions = {}) {
    this.clock = clock
    this.random = random
    this.log = [...log]
    const parts: GroupParts = {
      host: {
        partition: 0,
        clock,
        deadlines: new Deadlines(clock),
        write: (plan) => this.write(plan),
      },
      random,
      groups: this.groups,
      configs: new EffectiveConfigs(1, BrokerConfig.load({ flags: config })),
      image: () => EMPTY_IMAGE,
    }
    this.classic = new ClassicGroups(parts)
    for (const { key, value } of log) {
      const record = groupRecordCodec.decode(key, value)
      if (record) this.#replay(record)
    }
    this.classic.loaded()
  }

  async write<Answer>(planned: () => Plan<GroupRecord, Answer>): Promise<Answer> {
    const { records, answer, settled } = planned()
    if (records.length > 0 && this.appendError) {
      settled?.(this.appendError)
      throw this.appendError
    }
    for (const record of records) {
      this.log.push(groupRecordCodec.encode(record))
      this.#replay(record)
    }
    if (this.isHolding) {
      const error = await new Promise<KafkaError | undefined>((resolve) => {
        this.#held.push(resolve)
      })
      settled?.(error)
      if (error) throw error
    } else settled?.(undefined)
    return await answer
  }

  /** Commits what was held, or says why it can't be. */
  release(error?: KafkaError): void {
    this.isHolding = false
    for (const go of this.#held.splice(0)) go(error)
  }

  /** The group, which is there and of the classic kind. */
  group(groupId = 'g'): ClassicGroup {
    const group = this.groups.get(groupId)
    if (!(group instanceof ClassicGroup)) throw new Error(`Group ${groupId} is not there`)
    return group
  }

  join(join: Partial<JoinGroupRequest> & { version?: number; clientId?: string } = {}) {
    const { version = 9, clientId = 'client', ...said } = join
    const request: JoinGroupRequest = {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [protocol('range')],
      reason: null,
      ...said,
    }
    const client = { clientId, clientHost: '/127.0.0.1' }
    return this.#ask(() => this.classic.join(client, request, version))
  }

  sync(said: Partial<SyncGroupRequest>) {
    const request: SyncGroupRequest = {
      groupId: 'g',
      generationId: 1,
      memberId: '',
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: [],
      ...said,
    }
    return this.#ask(() => this.classic.sync(request))
  }

  heartbeat(said: Partial<HeartbeatRequest>) {
    const request = {
      groupId: 'g',
      generationId: 1,
      memberId: '',
      groupInstanceId: null,
      ...said,
    }
    return this.#ask(() => this.classic.heartbeat(request))
  }

  leave(...members: Partial<LeaveGroupRequest['members'][number]>[]) {
    return this.#ask(() =>
      this.classic.leave({
        groupId: 'g',
        memberId: '',
        members: members.map((one) => ({
          memberId: '',
          groupInstanceId: null,
          reason: null,
          ...one,
        })),
      }),
    )
  }

  #ask<Answer>(plan: () => Plan<GroupRecord, Answer>): Asked<Answer> {
    return new Asked(this.write(plan))
  }

  #replay(record: GroupRecord): void {
    if (record.type === 'GroupMetadata') this.classic.replay(record)
  }
}

/** A protocol; its metadata is a subscription to a topic, as consumers write it. */
export function protocol(name: string, topic = 'topic') {
  const utf8 = new TextEncoder().encode(topic)
  return {
    name,
    metadata: Uint8Array.of(0, 0, 0, 0, 0, 1, 0, utf8.length, ...utf8, 255, 255, 255, 255),
  }
}

/** The answer of a join that has to have one. */
export function joined({ answer }: Asked<JoinGroupResponse>): JoinGroupResponse {
  if (!answer) throw new Error('The join is not answered')
  return answer
}
