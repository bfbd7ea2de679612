// The offsets of one shard over a log in memory, with a codec between plan and log as a broker has it.
import { BrokerConfig } from '../../../../src/config/broker-config.ts'
import type { Plan } from '../../../../src/coordinators/shard.ts'
import { ClassicGroups } from '../../../../src/groups/classic/classic-groups.ts'
import type { Group, OffsetClient } from '../../../../src/groups/group.ts'
import type { GroupParts } from '../../../../src/groups/group-parts.ts'
import { type GroupRecord, groupRecordCodec } from '../../../../src/groups/group-record.ts'
import type { FetchedOffset, OfTopic } from '../../../../src/groups/offsets/offset-calls.ts'
import { OffsetManager } from '../../../../src/groups/offsets/offset-manager.ts'
import type { MetadataImage } from '../../../../src/metadata/image.ts'
import { replayMetadata } from '../../../../src/metadata/replay.ts'
import { Deadlines } from '../../../../src/partitions/deadlines.ts'
import { EffectiveConfigs } from '../../../../src/partitions/effective-configs.ts'
import type { NewMetadataRecord } from '../../../../src/protocol/records/metadata-record.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { type Uuid, uuidFromBytes, ZERO_UUID } from '../../../../storage/base/uuid.ts'
import type { Int64 } from '../../../../storage/bytes/int64.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'
import { DIRECTORY_ID, storedRecords } from '../../metadata/provider-fixture.ts'

type LogEntry =
  | { readonly key: Uint8Array; readonly value: Uint8Array | null; readonly producerId: Int64 }
  | { readonly ended: Int64; readonly isCommitted: boolean }

/** A topic id that is the same for the same number. */
export const topicId = (n: number): Uuid => uuidFromBytes(new Uint8Array(16).fill(n + 1))

/** The metadata of topics of ten partitions each, in `[name, id]`. */
export function imageOf(topics: readonly (readonly [string, Uuid])[]): MetadataImage {
  const records = topics.flatMap(([name, id]): NewMetadataRecord[] => [
    { type: 'TopicRecord', version: 0, data: { name, topicId: id } },
    ...Array.from({ length: 10 }, (_, n): NewMetadataRecord => partitionRecord(id, n)),
  ])
  return replayMetadata(storedRecords(records)).image
}

function partitionRecord(id: Uuid, partitionId: number): NewMetadataRecord {
  const lists = { replicas: [1], isr: [1], removingReplicas: [], addingReplicas: [] }
  const numbers = { leader: 1, leaderEpoch: 0, partitionEpoch: 0 }
  const data = { partitionId, topicId: id, ...lists, ...numbers, directories: [DIRECTORY_ID] }
  return { type: 'PartitionRecord', version: 2, data }
}

/** A tool, or a consumer that manages its partitions itself. */
export const TOOL: OffsetClient = {
  memberId: '',
  groupInstanceId: null,
  generationIdOrMemberEpoch: -1,
  version: 9,
}

/** A group of any kind, as a test wants it. */
export function someGroup(groupId: string, more: Partial<Group> = {}): Group {
  return {
    groupId,
    type: 'consumer',
    state: 'Stable',
    protocolType: 'consumer',
    isEmpty: false,
    isSubscribedTo: () => false,
    validateCommit: () => undefined,
    validateFetch: () => undefined,
    validateDelete: () => undefined,
    validateOffsetDelete: () => undefined,
    offsetExpiration: () => ({ baseTimestamp: (time) => time }),
    tombstones: () => [{ type: 'ConsumerGroupMetadata', key: { groupId }, value: null }],
    ...more,
  }
}

/** One shard. `load` makes it anew from what is in its log. */
export class OffsetShard {
  readonly clock = new VirtualClock()
  readonly log: LogEntry[] = []
  /** The records of each plan that was written. */
  readonly batches: GroupRecord[][] = []
  image: MetadataImage
  /** What the log refuses writes with. */
  refusal: KafkaError | undefined
  /** Called with each plan that the shard has begun by itself. */
  onOwnPlan: () => void = () => undefined
  groups = new Map<string, Group>()
  offsets: OffsetManager
  readonly #configs: EffectiveConfigs
  readonly #seed: number
  #classic: ClassicGroups | undefined
  #isAlive = { value: true }

  constructor({
    config = {},
    topics = [
      ['t', topicId(0)],
      ['u', topicId(1)],
    ],
    seed = 1,
  }: { config?: Record<string, string>; topics?: [string, Uuid][]; seed?: number } = {}) {
    this.#seed = seed
    this.image = imageOf(topics)
    this.#configs = new EffectiveConfigs(1, BrokerConfig.load({ flags: config }))
    this.offsets = this.load()
  }

  /** Loads the shard from its log. */
  load(): OffsetManager {
    this.#isAlive.value = false
    this.#isAlive = { value: true }
    this.groups = new Map()
    const offsets = this.#newManager()
    for (const [offset, entry] of this.log.entries()) {
      if ('ended' in entry) offsets.endTransaction(entry.ended, entry.isCommitted)
      else {
        const { key, value, producerId } = entry
        const record = groupRecordCodec.decode(key, value)
        const place = { offset, producerId, producerEpoch: producerId === -1 ? -1 : 0 }
        if (record) this.#replay(offsets, record, place)
      }
    }
    this.offsets = offsets
    return offsets
  }

  /** Appends and applies, and gives the answer: plans for offsets park nobody. */
  write<A>({ records, answer, settled }: Plan<GroupRecord, A>): A {
    if (this.refusal) {
      settled?.(this.refusal)
      throw this.refusal
    }
    for (const record of records) this.append(record)
    this.batches.push([...records])
    settled?.(undefined)
    return answer as A
  }

  /** Puts a record into the log, as it is, and applies it. */
  append(record: GroupRecord, producerId: Int64 = -1): void {
    const place = { offset: this.log.length, producerId, producerEpoch: producerId === -1 ? -1 : 0 }
    this.log.push({ ...groupRecordCodec.encode(record), producerId })
    this.#replay(this.offsets, record, place)
  }

  /** Puts the marker of a transaction into the log. */
  end(producerId: Int64, isCommitted: boolean): void {
    this.log.push({ ended: producerId, isCommitted })
    this.offsets.endTransaction(producerId, isCommitted)
  }

  /** Commits one offset as a tool does. */
  commit(groupId: string, topic: string, partition: number, offset: number, more: object = {}) {
    const id = this.image.topic(topic)?.id ?? ZERO_UUID
    const one = { partition, offset, leaderEpoch: -1, metadata: null, ...more }
    return this.write(
      this.offsets.commit({
        groupId,
        client: TOOL,
        retentionTimeMs: -1,
        topics: [{ topic, topicId: id, partitions: [one] }],
        ...more,
      }),
    )
  }

  /** The offsets of a group that a fetch of all finds, as `topic-partition` and offset. */
  fetchAll(groupId: string, requireStable = false): Record<string, number | string> {
    const plan = this.offsets.fetch({ groupId, client: TOOL, topics: null, requireStable })
    const topics = plan.answer as readonly OfTopic<FetchedOffset>[]
    return Object.fromEntries(
      topics.flatMap(({ topic, partitions }) =>
        partitions.map((found) => [`${topic}-${found.partition}`, found.error ?? found.offset]),
      ),
    )
  }

  #newManager(): OffsetManager {
    const isAlive = this.#isAlive
    const parts: GroupParts = {
      host: {
        partition: 0,
        clock: this.clock,
        deadlines: new Deadlines(this.clock),
        write: async (plan) => {
          if (!isAlive.value) throw new KafkaError('NOT_COORDINATOR', 'The shard is gone')
          const answer = this.write(plan())
          this.onOwnPlan()
          return await Promise.resolve(answer)
        },
      },
      random: new SeededRandom(this.#seed),
      groups: this.groups,
      configs: this.#configs,
      image: () => this.image,
    }
    const classic = new ClassicGroups(parts)
    this.#classic = classic
    return new OffsetManager(parts, (groupId) => classic.simpleGroup(groupId))
  }

  #replay(
    offsets: OffsetManager,
    record: GroupRecord,
    place: { offset: number; producerId: Int64; producerEpoch: number },
  ): void {
    if (record.type === 'OffsetCommit') offsets.replay(record, place)
    else if (record.type === 'GroupMetadata') this.#classic?.replay(record)
    else if (record.type === 'ConsumerGroupMetadata') this.groups.delete(record.key.groupId)
  }
}
