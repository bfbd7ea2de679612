// The shards of groups and their records: sixty modules, loaded when a partition of groups is, as many a broker never has one.
import { lateModule } from '#storage/base/late-modules.ts'
import type * as records from './group-record.ts'
import type * as shards from './group-shard.ts'

/** What the shards of groups are made with. */
export type GroupShards = Pick<typeof shards, 'GroupShard'> &
  Pick<typeof records, 'groupRecordCodec'>

/** Loads them, once; again when that failed, where the runtime does. */
export const loadGroupShards: () => Promise<GroupShards> = lateModule(async () => {
  const { GroupShard } = await import('./group-shard.ts')
  const { groupRecordCodec } = await import('./group-record.ts')
  return { GroupShard, groupRecordCodec }
})
