// What the parts of one shard of the group coordinator share.
import type { Random } from '#storage/base/world.ts'
import type { Plan, ShardHost } from '../coordinators/shard.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { EffectiveConfigs } from '../partitions/effective-configs.ts'
import type { Group } from './group.ts'
import type { GroupRecord } from './group-record.ts'

/** What a part of the group coordinator wants to be written and answered. */
export type GroupPlan<Answer> = Plan<GroupRecord, Answer>

/** Handed to every part of a shard. */
export interface GroupParts {
  readonly host: ShardHost<GroupRecord>
  readonly random: Random
  /** The groups of the shard by id, of all kinds. Changed by replay, and by classic groups whose members are not logged yet. */
  readonly groups: Map<string, Group>
  /** Settings in force: `configs.broker` with Kafka's keys. */
  readonly configs: EffectiveConfigs
  /** The newest image; settings of single groups are its configs of type GROUP. */
  image(): MetadataImage
}
