// The group coordinator: every call finds the shard of its group, and is answered when what it wrote is committed.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock, Random } from '#storage/base/world.ts'
import { Coordinators } from '../coordinators/coordinators.ts'
import type { MetadataDelta } from '../metadata/delta.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { EffectiveConfigs } from '../partitions/effective-configs.ts'
import type { Partitions } from '../partitions/partitions.ts'
import type { GroupType } from './group.ts'
import type { GroupPlan } from './group-parts.ts'
import type { GroupRecord } from './group-record.ts'
import type { GroupShard, ListedGroup } from './group-shard.ts'
import type { GroupShards } from './group-shards.ts'
import type { DeletedTopic, OffsetCounters } from './offsets/offset-calls.ts'

/** What the coordinator stands on. */
export interface GroupCoordinatorParts {
  /** `__consumer_offsets`. */
  readonly topic: string
  readonly nodeId: number
  readonly clock: Clock
  readonly random: Random
  readonly partitions: Pick<Partitions, 'find' | 'isPending' | 'settled'>
  readonly configs: EffectiveConfigs
  image(): MetadataImage
  /** Asked whenever a shard is loaded, or someone looks for its coordinator. */
  loadShards(): Promise<GroupShards>
  /** Told what failed where nobody waits for it. */
  readonly onProblem: (error: unknown) => void
}

/** Which groups to list: all where nothing is named. Upper and lower case are the same. */
export interface GroupFilter {
  readonly states: readonly string[]
  readonly types: readonly string[]
}

/** How many there are of what. */
export interface GroupCensus {
  readonly groups: readonly {
    readonly type: GroupType
    readonly state: string
    readonly count: number
  }[]
  readonly offsetCount: number
}

/** All groups that this broker coordinates. */
export class GroupCoordinator {
  /** Of all shards since the broker's start. */
  readonly offsetCounters: OffsetCounters = { committed: 0, expired: 0, deleted: 0 }
  readonly #parts: GroupCoordinatorParts
  readonly #coordinators: Coordinators<GroupRecord, GroupShard>
  /** What was told last. */
  #problem: string | undefined

  constructor(parts: GroupCoordinatorParts) {
    const { configs } = parts
    this.#parts = parts
    const shardParts = { ...parts, offsetCounters: this.offsetCounters }
    this.#coordinators = new Coordinators<GroupRecord, GroupShard>({
      ...parts,
      loadKind: async () => {
        const { GroupShard, groupRecordCodec } = await parts.loadShards()
        return {
          recordCodec: groupRecordCodec,
          newShard: (host) => new GroupShard(host, shardParts),
        }
      },
      needsDisk: () => configs.broker.boolean('millrace.acks.all.fsync'),
      compression: () => configs.broker.number('offsets.topic.compression.codec'),
    })
  }

  /** The partition that keeps the group. Throws NOT_COORDINATOR while the topic does not exist. */
  partitionOf(groupId: string): number {
    return this.#coordinators.partitionOf(groupId)
  }

  /**
   * Resolves when nothing is left to be loaded but records, so that whoever is sent here is not refused for the rest. Rejects
   * with COORDINATOR_NOT_AVAILABLE when it can't be loaded, and tells why once: the next who ask may find it.
   */
  async ready(): Promise<void> {
    try {
      await this.#parts.loadShards()
      this.#problem = undefined
    } catch (cause) {
      const detail = 'The code of groups could not be loaded'
      const error = new KafkaError('COORDINATOR_NOT_AVAILABLE', detail, { cause })
      const problem = cause instanceof Error ? cause.message : String(cause)
      if (problem !== this.#problem) this.#parts.onProblem(error)
      this.#problem = problem
      throw error
    }
  }

  /** Rejects with what the plan threw, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS or COORDINATOR_NOT_AVAILABLE. */
  write<Answer>(groupId: string, plan: (shard: GroupShard) => GroupPlan<Answer>): Promise<Answer> {
    return this.#coordinators.write(groupId, plan)
  }

  /** As `write`, with nothing to be written. */
  read<Answer>(groupId: string, query: (shard: GroupShard) => Answer): Promise<Answer> {
    return this.#coordinators.read(groupId, query)
  }

  /** Rejects with COORDINATOR_LOAD_IN_PROGRESS while it can't be complete. */
  async list({ states, types }: GroupFilter): Promise<readonly ListedGroup[]> {
    const wantedStates = lowerCase(states)
    const wantedTypes = lowerCase(types)
    const lists = await this.#coordinators.readAll((shard) => shard.list())
    return lists.flat().filter(({ groupState, groupType }) => {
      const isState = wantedStates.size === 0 || wantedStates.has(groupState.toLowerCase())
      return isState && (wantedTypes.size === 0 || wantedTypes.has(groupType.toLowerCase()))
    })
  }

  /** What the loaded shards hold: groups by type and state, and the number of committed offsets. One look at each group. */
  census(): GroupCensus {
    const groups = new Map<string, { type: GroupType; state: string; count: number }>()
    let offsetCount = 0
    for (const shard of this.#coordinators.shards()) {
      offsetCount += shard.offsets.size
      for (const { type, state } of shard.groups()) {
        const key = `${type} ${state}`
        const known = groups.get(key)
        if (known) known.count++
        else groups.set(key, { type, state, count: 1 })
      }
    }
    return { groups: [...groups.values()], offsetCount }
  }

  /** Removes the group with its offsets. Rejects with GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, and as `write` does. */
  delete(groupId: string): Promise<void> {
    return this.write(groupId, (shard) => shard.offsets.deletion(groupId))
  }

  /** Takes over what the metadata says. After `Partitions.apply`. */
  apply(delta: MetadataDelta): void {
    this.#coordinators.apply(delta)
    if (delta.partitions.length === 0) return
    const deleted = deletedTopics(delta)
    for (const shard of this.#coordinators.shards()) shard.metadataChanged(delta, deleted)
  }

  /** What was written is committed and answered; what is parked is refused. */
  close(): Promise<void> {
    return this.#coordinators.close()
  }
}

function lowerCase(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.map((text) => text.trim().toLowerCase()))
}

function deletedTopics({ partitions, image }: MetadataDelta): readonly DeletedTopic[] {
  const deleted = new Map<string, DeletedTopic>()
  for (const { topic: name, topicId: id, after } of partitions) {
    if (!after && image.topicById(id) === undefined) deleted.set(id, { name, id })
  }
  return [...deleted.values()]
}
