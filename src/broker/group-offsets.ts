// Committed offsets, as doors ask for them: topics by name or by id, those that do not exist among them.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import { type Uuid, ZERO_UUID } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Session } from '../access/session.ts'
import type { OffsetClient, OffsetReader } from '../groups/group.ts'
import type { GroupPlan } from '../groups/group-parts.ts'
import type {
  FetchedOffset,
  OffsetToCommit,
  OfTopic,
  PartitionOutcome,
} from '../groups/offsets/offset-calls.ts'
import type { OffsetManager } from '../groups/offsets/offset-manager.ts'
import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import { refusalOf } from './refusal.ts'

/** Something for each of some partitions of a topic that a client names: by its id where that is given, else by its name. */
export interface NamedTopic<T> {
  readonly name: string
  /** Undefined where the client knows no ids. */
  readonly topicId: Uuid | undefined
  readonly partitions: readonly T[]
}

/** The offsets of a topic; see `FetchedOffset`. */
export type FetchedTopic = NamedTopic<FetchedOffset>

/** A commit of offsets; see `OffsetCommit`. */
export interface CommitCall {
  readonly groupId: string
  readonly client: OffsetClient
  /** -1: as long as the broker keeps them. */
  readonly retentionTimeMs: Int64
  readonly topics: readonly NamedTopic<OffsetToCommit>[]
}

/** A look at the offsets of a group; see `OffsetQuery`. */
export interface OffsetFetchCall {
  readonly groupId: string
  readonly client: OffsetReader
  /** Null for all that have an offset. */
  readonly topics: readonly NamedTopic<number>[] | null
  readonly requireStable: boolean
}

/** What the offsets of groups stand on. */
export interface GroupOffsetsParts {
  image(): MetadataImage
  /** Plans on the offsets of this group's shard; resolves when the plan is committed. Rejects with why the shard can't. */
  write<A>(groupId: string, plan: (offsets: OffsetManager) => GroupPlan<A>): Promise<A>
}

/** The committed offsets of groups. */
export class GroupOffsets {
  readonly #parts: GroupOffsetsParts

  constructor(parts: GroupOffsetsParts) {
    this.#parts = parts
  }

  /**
   * An outcome for each partition, whatever is wrong: topics and partitions that do not exist are refused by themselves,
   * and a refusal of the group is one of all others. Each topic comes once.
   */
  async commit(
    _session: Session,
    { groupId, client, retentionTimeMs, topics }: CommitCall,
  ): Promise<readonly NamedTopic<PartitionOutcome>[]> {
    const { known, refused } = this.#sort(topics)
    if (known.length === 0) return refused.topics()
    const request = { groupId, client, retentionTimeMs, topics: known.map(({ found }) => found) }
    const committed = await this.#parts
      .write(groupId, (offsets) => offsets.commit(request))
      .catch((error: unknown) => refusedAll(request.topics, refusalOf(error).code))
    for (const [index, { partitions }] of committed.entries()) {
      for (const outcome of partitions) refused.add(known[index]?.asked, outcome)
    }
    return refused.topics()
  }

  /** Rejects with what the group or its coordinator refuses. What has no offset is -1, without an error. */
  async fetch(
    _session: Session,
    { groupId, client, topics, requireStable }: OffsetFetchCall,
  ): Promise<readonly FetchedTopic[]> {
    const { known, unknown } = this.#resolve(topics ?? [])
    const query = { groupId, client, topics: topics && known, requireStable }
    const fetched = await this.#parts.write(groupId, (offsets) => offsets.fetch(query))
    const found = fetched.map(({ topic, ...rest }) => ({ name: topic, ...rest }))
    return [...found, ...unknown]
  }

  /** As `commit`, but rejects with what the group or its coordinator refuses. */
  async delete(
    _session: Session,
    { groupId, topics }: { groupId: string; topics: readonly NamedTopic<{ partition: number }>[] },
  ): Promise<readonly NamedTopic<PartitionOutcome>[]> {
    if (groupId === '') throw new KafkaError('INVALID_GROUP_ID', 'The group id is empty')
    const { known, refused } = this.#sort(topics)
    const deletion = {
      groupId,
      topics: known.map(({ found }) => ({
        ...found,
        partitions: found.partitions.map(({ partition }) => partition),
      })),
    }
    const deleted = await this.#parts.write(groupId, (offsets) => offsets.delete(deletion))
    for (const [index, { partitions }] of deleted.entries()) {
      for (const outcome of partitions) refused.add(known[index]?.asked, outcome)
    }
    return refused.topics()
  }

  #find({ name, topicId }: NamedTopic<unknown>): TopicImage | undefined {
    const image = this.#parts.image()
    return topicId === undefined ? image.topic(name) : image.topicById(topicId)
  }

  /** Topics for a look at their offsets: names that mean nothing may have offsets still, ids may not. */
  #resolve(topics: readonly NamedTopic<number>[]) {
    const known: OfTopic<number>[] = []
    const unknown: FetchedTopic[] = []
    for (const asked of topics) {
      const { name, topicId, partitions } = asked
      const image = this.#find(asked)
      if (!image && topicId !== undefined) {
        unknown.push({ name, topicId, partitions: partitions.map(ofUnknownTopic) })
      } else {
        known.push({ topic: image?.name ?? name, topicId: image?.id ?? ZERO_UUID, partitions })
      }
    }
    return { known, unknown }
  }

  /** What exists of what is asked, and the outcomes of what does not. */
  #sort<T extends { readonly partition: number }>(topics: readonly NamedTopic<T>[]) {
    const known: { asked: NamedTopic<T>; found: OfTopic<T> }[] = []
    const refused = new Outcomes()
    for (const asked of topics) {
      const image = this.#find(asked)
      const isThere = ({ partition }: T) => image?.partitions[partition] !== undefined
      const isIdUnknown = !image && asked.topicId !== undefined
      const error = isIdUnknown ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
      for (const one of asked.partitions) {
        if (!isThere(one)) refused.add(asked, { partition: one.partition, error })
      }
      const partitions = asked.partitions.filter(isThere)
      if (!image || partitions.length === 0) continue
      known.push({ asked, found: { topic: image.name, topicId: image.id, partitions } })
    }
    return { known, refused }
  }
}

/** Outcomes by topic, as the client named it. */
class Outcomes {
  readonly #topics = new Map<
    string,
    { name: string; topicId: Uuid | undefined; partitions: PartitionOutcome[] }
  >()

  add(topic: NamedTopic<unknown> | undefined, outcome: PartitionOutcome): void {
    if (!topic) return
    const { name, topicId } = topic
    const key = topicId ?? name
    const known = this.#topics.get(key)
    if (known) known.partitions.push(outcome)
    else this.#topics.set(key, { name, topicId, partitions: [outcome] })
  }

  topics(): readonly NamedTopic<PartitionOutcome>[] {
    return [...this.#topics.values()]
  }
}

function refusedAll(
  topics: readonly OfTopic<{ readonly partition: number }>[],
  error: KafkaErrorName,
): readonly OfTopic<PartitionOutcome>[] {
  return topics.map((topic) => ({
    ...topic,
    partitions: topic.partitions.map(({ partition }) => ({ partition, error })),
  }))
}

const ofUnknownTopic = (partition: number): FetchedOffset => ({
  partition,
  offset: -1,
  leaderEpoch: -1,
  metadata: '',
  error: 'UNKNOWN_TOPIC_ID',
})
