// Shapes of the bodies that administer: checked on arrival, and shown in /openapi.json. Loaded when first needed.
import * as v from 'valibot'

const int32 = v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(2_147_483_647))
const configValue = v.nullish(v.string())

/** `POST /v3/clusters/{id}/topics` */
export const CreateTopic = v.object({
  topic_name: v.string(),
  partitions_count: v.nullish(int32),
  replication_factor: v.nullish(v.pipe(int32, v.maxValue(32_767))),
  replicas_assignments: v.nullish(
    v.array(v.object({ partition_id: int32, broker_ids: v.array(int32) })),
  ),
  configs: v.nullish(v.array(v.object({ name: v.string(), value: configValue }))),
  validate_only: v.nullish(v.boolean()),
})

/** `PATCH /v3/clusters/{id}/topics/{topic}` */
export const GrowTopic = v.object({ partitions_count: int32 })

/** `PUT …/configs/{name}` */
export const SetConfig = v.object({ value: configValue })

/** `POST …/configs:alter`. APPEND and SUBTRACT are ours, for configs that are lists. */
export const AlterConfigs = v.object({
  data: v.array(
    v.object({
      name: v.string(),
      value: configValue,
      operation: v.nullish(v.picklist(['SET', 'DELETE', 'APPEND', 'SUBTRACT'])),
    }),
  ),
  validate_only: v.nullish(v.boolean()),
})

const partitionNumber = v.pipe(int32, v.minValue(0))
const offset = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const partition = { topic: v.string(), partition: partitionNumber }

/** `POST /consumers/{group}/instances/{instance}/subscription` */
export const ConsumerSubscription = v.object({
  topics: v.nullish(v.array(v.string())),
  topic_pattern: v.nullish(v.string()),
})

/** `POST …/assignments`, `POST …/positions/beginning`, `POST …/positions/end`, `GET …/offsets` */
export const ConsumerPartitions = v.object({ partitions: v.array(v.object(partition)) })

/** `POST …/offsets` */
export const ConsumerOffsets = v.object({
  offsets: v.array(v.object({ ...partition, offset, metadata: v.nullish(v.string()) })),
})

/** `POST …/positions` */
export const ConsumerPositions = v.object({
  offsets: v.nullish(v.array(v.object({ ...partition, offset }))),
  timestamps: v.nullish(
    v.array(v.object({ ...partition, timestamp: v.union([v.string(), v.number()]) })),
  ),
})

const named = {
  topics: v.nullish(v.pipe(v.array(v.string()), v.minLength(1))),
  partitions: v.nullish(v.pipe(v.array(v.strictObject(partition)), v.minLength(1))),
}

/** `POST /groups/{group}/reset` */
export const ResetOffsets = v.strictObject({
  to: v.picklist(['earliest', 'latest', 'current', 'offset', 'timestamp', 'duration', 'shift']),
  offset: v.nullish(v.pipe(v.number(), v.safeInteger())),
  timestamp: v.nullish(v.union([v.string(), v.pipe(v.number(), v.safeInteger())])),
  duration: v.nullish(v.string()),
  shift: v.nullish(v.pipe(v.number(), v.safeInteger())),
  topics: named.topics,
  partitions: v.nullish(
    v.pipe(
      v.array(
        v.strictObject({ ...partition, offset: v.nullish(v.pipe(v.number(), v.safeInteger())) }),
      ),
      v.minLength(1),
    ),
  ),
  dry_run: v.nullish(v.boolean()),
  force: v.nullish(v.boolean()),
})

/** `DELETE /groups/{group}/offsets` */
export const ForgetOffsets = v.strictObject(named)

/** The bodies by name. */
export const BODIES = {
  CreateTopic,
  GrowTopic,
  SetConfig,
  AlterConfigs,
  ConsumerSubscription,
  ConsumerPartitions,
  ConsumerOffsets,
  ConsumerPositions,
  ResetOffsets,
  ForgetOffsets,
}

/** What a body of a name holds once it has been checked. */
export type Body<Name extends keyof typeof BODIES> = v.InferOutput<(typeof BODIES)[Name]>

/** Checks a parsed body; the first thing that is wrong with it as a sentence, or its content. */
export function checkBody<Name extends keyof typeof BODIES>(
  name: Name,
  body: unknown,
): { readonly content: Body<Name> } | { readonly problem: string } {
  const result = v.safeParse<(typeof BODIES)[Name]>(BODIES[name], body)
  if (result.success) return { content: result.output }
  const [issue] = result.issues
  const path = v.getDotPath(issue)
  return { problem: path === null ? issue.message : `${path}: ${issue.message}` }
}
