// Access to the golden groups: what the pure parts of Kafka's group coordinator make of given input.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { Assignor, SubscriptionType } from '../../../src/groups/assignors/assignor.ts'

/** A rebalance. Topics and members are indexes. */
export interface GoldenStep {
  /** The number of partitions of each topic. */
  readonly counts: readonly number[]
  readonly members: readonly (readonly [
    memberId: string,
    instanceId: string | null,
    topics: readonly number[],
    startsWithTargetOf: string,
  ])[]
  /** Of each topic the member that gets each partition, -1 for none. */
  readonly owners: readonly (readonly number[])[]
}

/** Rebalances of one group; each starts with the target of the one before. */
export interface GoldenGroup {
  readonly assignor: Assignor['name']
  readonly type: SubscriptionType
  readonly topics: readonly string[]
  readonly steps: readonly GoldenStep[]
}

/** The hash of `length` bytes; 64-bit integers are texts here and below. */
export interface GoldenXxh3 {
  readonly length: number
  readonly xxh3: string
}

/** The hash of a topic; `racks` are those of each partition's replicas. */
export interface GoldenTopicHash {
  readonly topic: string
  readonly id: string
  readonly racks: readonly (readonly string[])[]
  readonly hash: string
}

/** The hash of a group subscribed to topics with these hashes. */
export interface GoldenGroupHash {
  readonly group: Readonly<Record<string, string>>
  readonly hash: string
}

/** What Kafka writes for a consumer's subscription or assignment, both in base64. */
export interface GoldenConsumerProtocol {
  readonly message: 'subscription' | 'assignment'
  readonly version: number
  readonly value: {
    readonly topics?: readonly string[]
    readonly userData: string | null
    readonly owned?: Readonly<Record<string, readonly number[]>>
    readonly assigned?: Readonly<Record<string, readonly number[]>>
    readonly generationId?: number
    readonly rackId?: string | null
  }
  readonly bytes: string
}

/** The names that a topic pattern describes; null where Kafka refuses it. */
export interface GoldenPattern {
  readonly pattern: string
  readonly matches: readonly string[] | null
}

const file = fileURLToPath(new URL('groups.jsonl.gz', import.meta.url))
const lines = gunzipSync(readFileSync(file))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

const linesWith = <T>(field: string): readonly T[] => lines.filter((line) => field in line)

/** Groups and their rebalances. */
export const goldenGroups = linesWith<GoldenGroup>('assignor')
/** Hashes of plain bytes, of all lengths that are treated differently. */
export const goldenXxh3 = linesWith<GoldenXxh3>('xxh3')
/** Topics and their hashes. */
export const goldenTopicHashes = linesWith<GoldenTopicHash>('topic')
/** What groups are subscribed to, and its hashes. */
export const goldenGroupHashes = linesWith<GoldenGroupHash>('group')
/** Subscriptions and assignments of all versions. */
export const goldenConsumerProtocol = linesWith<GoldenConsumerProtocol>('message')
/** Patterns, right and wrong. */
export const goldenPatterns = linesWith<GoldenPattern>('pattern')
/** The names that patterns were tried on. */
export const goldenNames = linesWith<{ readonly names: readonly string[] }>('names')[0]?.names ?? []
