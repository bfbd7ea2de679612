// The shards of groups and their records: sixty modules, loaded when a partition of groups is, as many a broker never has one.
import { loadLate } from '#storage/base/late-modules.ts'
import type * as records from './group-record.ts'
import type * as shards from './group-shard.ts'

/** What the shards of groups are made with. */
export type GroupShards = Pick<typeof shards, 'GroupShard'> &
  Pick<typeof records, 'groupRecordCodec'>

let loading: Promise<GroupShards> | undefined

/** Loads them, once; again when that failed, where the runtime does. */
export function loadGroupShards(): Promise<GroupShards> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<GroupShards> {
  const { GroupShard } = await loadLate(() => import('./group-shard.ts'))
  const { groupRecordCodec } = await loadLate(() => import('./group-record.ts'))
  return { GroupShard, groupRecordCodec }
}
