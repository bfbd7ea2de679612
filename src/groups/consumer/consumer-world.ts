// What the parts of the consumer protocol work with, made once for a shard.
import { KafkaError } from '#storage/base/errors.ts'
import type { ClassicGroups } from '../classic/classic-groups.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import type { GroupRecord } from '../group-record.ts'
import type { ConsumerSettingsCache } from './consumer-settings.ts'
import type { MemberTimers } from './member-timers.ts'
import type { TopicHashes } from './topic-hashes.ts'

/** Shared by the parts. */
export interface ConsumerWorld {
  readonly parts: GroupParts
  /** Told when a group has become a classic one. */
  readonly classic: Pick<ClassicGroups, 'downgraded'>
  readonly settings: ConsumerSettingsCache
  readonly hashes: TopicHashes
  readonly timers: MemberTimers
  /** The offset of the newest metadata that created a topic. */
  newTopicsVersion(): number
}

/** What a plan of these parts has come to so far. */
export interface Draft {
  readonly records: GroupRecord[]
  /** What is not logged, done when nothing can be refused any more. */
  readonly effects: (() => void)[]
  /** Whether the patterns of the group should be looked at again. */
  needsRegexRefresh: boolean
}

/** What a plan answers, and what is to be called when it is settled. */
export interface Planned<Answer> {
  readonly answer: Answer
  readonly settled: GroupPlan<Answer>['settled']
}

/** Nothing yet. */
export function newDraft(): Draft {
  return { records: [], effects: [], needsRegexRefresh: false }
}

/** The setting that says which way groups may migrate. */
export function allowsMigration(parts: GroupParts, way: 'UPGRADE' | 'DOWNGRADE' | 'ANY'): boolean {
  const policy = parts.configs.broker.string('group.consumer.migration.policy')?.toUpperCase()
  return way === 'ANY' ? policy !== 'DISABLED' : policy === 'BIDIRECTIONAL' || policy === way
}

/** Refused as Kafka refuses whoever speaks the wrong protocol with a group. */
export function notConsumerGroup(groupId: string, reason: string): KafkaError {
  return new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} ${reason}`)
}
