// The settings of one topic: what it overrides, over the broker's defaults.
import { KafkaError } from '#storage/base/errors.ts'
import { isTopicConfigActedOn } from './acted-on.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { ConfigDefinition } from './config-definition.ts'
import { type ConfigEntry, type ConfigSynonym, configEntry } from './config-entry.ts'
import { type ConfigValue, isConfigValue, listItems, parseConfigValue } from './config-value.ts'
import { nearestName } from './nearest-name.ts'
import { TOPIC_CONFIGS, TOPIC_SYNONYMS } from './topic-configs.ts'

const DEFINITIONS: ReadonlyMap<string, ConfigDefinition> = new Map(
  TOPIC_CONFIGS.map((definition) => [definition.name, definition]),
)

/** Kafka's longest config value, in characters: records of the metadata log have no room for more. */
const MAX_VALUE_LENGTH = 32_767

/** A topic's settings with units and types, in the form that its logs take them. `Infinity` is "no limit". */
export interface TopicSettings {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly maxMessageBytes: number
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly compressionLevels: { readonly gzip: number; readonly lz4: number; readonly zstd: number }
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly cleanupPolicy: { readonly delete: boolean; readonly compact: boolean }
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly deleteRetentionMs: number
  readonly minInsyncReplicas: number
  readonly preallocate: boolean
  readonly uncleanLeaderElectionEnable: boolean
  readonly producerIdExpirationMs: number
  readonly maxDecompressedBytes: number
}

/**
 * Checks the overrides of a topic, all of them together, as they would stand after a change. Throws INVALID_CONFIG with
 * a sentence: an unknown key, no value, a bad value, or two that exclude each other.
 */
export function validateTopicConfigs(
  overrides: Iterable<readonly [string, string | null]>,
  broker: BrokerConfig,
): void {
  const checked = new Map<string, string>()
  for (const [name, text] of overrides) {
    const definition = DEFINITIONS.get(name)
    if (definition === undefined) throw unknownTopicConfig(name)
    if (text === null) {
      throw new KafkaError('INVALID_CONFIG', `Topic config ${name} has no value`)
    }
    if (text.length > MAX_VALUE_LENGTH) {
      throw new KafkaError(
        'INVALID_CONFIG',
        `The value of ${name} has ${text.length} characters, more than ${MAX_VALUE_LENGTH}`,
      )
    }
    parseConfigValue(definition, text)
    checked.set(name, text)
  }
  checkTogether(new TopicConfig(checked, broker))
}

/** The settings of one topic; immutable. An override that doesn't parse is passed over: another version wrote it. */
export class TopicConfig {
  readonly #overrides: ReadonlyMap<string, string>
  readonly #broker: BrokerConfig

  constructor(overrides: ReadonlyMap<string, string>, broker: BrokerConfig) {
    this.#overrides = new Map([...overrides].filter(([name, text]) => parses(name, text)))
    this.#broker = broker
  }

  /** The text that counts for a key, in the topic's units. Throws INVALID_CONFIG when no topic has such a key. */
  text(name: string): string {
    return this.#resolve(topicConfigDefinition(name)).text ?? ''
  }

  /** Every config of the topic, sorted by name, as DescribeConfigs shows it. */
  describe(): ConfigEntry[] {
    return TOPIC_CONFIGS.filter((definition) => definition.isInternal !== true).map(
      (definition) => {
        const { text, synonyms } = this.#resolve(definition)
        const isActedOn = isTopicConfigActedOn(definition.name)
        return configEntry(definition, text, synonyms, { isReadOnly: false, isActedOn })
      },
    )
  }

  /** The settings as a log takes them. */
  settings(): TopicSettings {
    const policy = this.#list('cleanup.policy')
    return {
      segmentBytes: this.#number(
        this.#overrides.has('internal.segment.bytes') ? 'internal.segment.bytes' : 'segment.bytes',
      ),
      segmentMs: this.#number('segment.ms'),
      segmentJitterMs: this.#number('segment.jitter.ms'),
      segmentIndexBytes: this.#number('segment.index.bytes'),
      indexIntervalBytes: this.#number('index.interval.bytes'),
      maxMessageBytes: this.#number('max.message.bytes'),
      compressionType: this.text('compression.type').trim() as TopicSettings['compressionType'],
      compressionLevels: {
        gzip: this.#number('compression.gzip.level'),
        lz4: this.#number('compression.lz4.level'),
        zstd: this.#number('compression.zstd.level'),
      },
      messageTimestampType:
        this.text('message.timestamp.type').trim() === 'LogAppendTime'
          ? 'LogAppendTime'
          : 'CreateTime',
      messageTimestampBeforeMaxMs: this.#number('message.timestamp.before.max.ms'),
      messageTimestampAfterMaxMs: this.#number('message.timestamp.after.max.ms'),
      cleanupPolicy: { delete: policy.includes('delete'), compact: policy.includes('compact') },
      retentionMs: unlimitedBelowZero(this.#number('retention.ms')),
      retentionBytes: unlimitedBelowZero(this.#number('retention.bytes')),
      flushMessages: this.#number('flush.messages'),
      flushMs: this.#number('flush.ms'),
      fileDeleteDelayMs: this.#number('file.delete.delay.ms'),
      minCompactionLagMs: this.#number('min.compaction.lag.ms'),
      maxCompactionLagMs: this.#number('max.compaction.lag.ms'),
      minCleanableDirtyRatio: this.#number('min.cleanable.dirty.ratio'),
      deleteRetentionMs: this.#number('delete.retention.ms'),
      minInsyncReplicas: this.#number('min.insync.replicas'),
      preallocate: this.#value('preallocate') === true,
      uncleanLeaderElectionEnable: this.#value('unclean.leader.election.enable') === true,
      producerIdExpirationMs: this.#broker.number('producer.id.expiration.ms'),
      maxDecompressedBytes: this.#broker.number('millrace.max.decompressed.message.bytes'),
    }
  }

  #value(name: string): ConfigValue {
    return parseConfigValue(topicConfigDefinition(name), this.text(name))
  }

  #number(name: string): number {
    const value = Number(this.#value(name))
    return value >= 2 ** 63 ? Infinity : value
  }

  #list(name: string): readonly string[] {
    return listItems(this.text(name))
  }

  /** The text that counts, in the topic's units, and every place that sets it, as written. */
  #resolve(definition: ConfigDefinition): { text: string | null; synonyms: ConfigSynonym[] } {
    const { name, defaultValue } = definition
    const brokerKeys = TOPIC_SYNONYMS.get(name) ?? []
    const inherited = this.#broker.synonyms(brokerKeys.map((synonym) => synonym.name))
    const override = this.#overrides.get(name)
    if (override !== undefined) {
      const own: ConfigSynonym = { name, value: override, source: 'DYNAMIC_TOPIC_CONFIG' }
      return { text: override, synonyms: [own, ...inherited] }
    }
    const [strongest] = inherited
    if (strongest === undefined) return { text: defaultValue, synonyms: [] }
    const factor = brokerKeys.find((synonym) => synonym.name === strongest.name)?.factor ?? 1
    return { text: inTopicUnits(strongest.value, factor), synonyms: inherited }
  }
}

/** The definition of a topic key. Throws INVALID_CONFIG when there is none. */
export function topicConfigDefinition(name: string): ConfigDefinition {
  const definition = DEFINITIONS.get(name)
  if (definition === undefined) throw unknownTopicConfig(name)
  return definition
}

function unknownTopicConfig(name: string): KafkaError {
  const nearest = nearestName(name, DEFINITIONS.keys())
  const hint = nearest === undefined ? '' : `, did you mean ${nearest}?`
  return new KafkaError('INVALID_CONFIG', `Unknown topic config name: ${name}${hint}`)
}

/** Hours and minutes to milliseconds; "for ever" (below zero) stays -1. */
function inTopicUnits(text: string | null, factor: number): string | null {
  if (text === null || factor === 1) return text
  const count = Number(text)
  return String(count < 0 ? -1 : count * factor)
}

function unlimitedBelowZero(value: number): number {
  return value < 0 ? Infinity : value
}

function parses(name: string, text: string): boolean {
  const definition = DEFINITIONS.get(name)
  return definition !== undefined && isConfigValue(definition, text)
}

function checkTogether(config: TopicConfig): void {
  const { minCompactionLagMs, maxCompactionLagMs } = config.settings()
  if (minCompactionLagMs > maxCompactionLagMs) {
    throw new KafkaError(
      'INVALID_CONFIG',
      `min.compaction.lag.ms (${minCompactionLagMs}) must be at most max.compaction.lag.ms (${maxCompactionLagMs})`,
    )
  }
  if (config.text('remote.storage.enable').trim().toLowerCase() === 'true') {
    throw new KafkaError(
      'INVALID_CONFIG',
      'remote.storage.enable must be false: this broker has no remote storage',
    )
  }
}
