// A config as it is described to a client: its value, where that comes from, and what else would stand in.
import { type ConfigDefinition, type ConfigType, isSensitive } from './config-definition.ts'
import { configText } from './config-value.ts'

/** Where a value comes from, in Kafka's words (`DescribeConfigsResponse.ConfigSource`). */
export type ConfigSource =
  | 'DYNAMIC_TOPIC_CONFIG'
  | 'DYNAMIC_GROUP_CONFIG'
  | 'DYNAMIC_BROKER_CONFIG'
  | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  | 'STATIC_BROKER_CONFIG'
  | 'DEFAULT_CONFIG'

/** One place that sets a config. `value` is as it was written; null for a secret. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

/** One config of a topic, a broker or a group. `value` is null for a secret, and when nothing sets it. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly type: ConfigType
  readonly documentation: string
  /** The strongest first; the first is where `value` comes from. */
  readonly synonyms: readonly ConfigSynonym[]
}

/** Describes a config whose value as text is `text` (null: not set). */
export function configEntry(
  definition: ConfigDefinition,
  text: string | null,
  synonyms: readonly ConfigSynonym[],
  { isReadOnly, isActedOn }: { isReadOnly: boolean; isActedOn: boolean },
): ConfigEntry {
  const isSecret = isSensitive(definition)
  return {
    name: definition.name,
    value: isSecret || text === null ? null : configText(definition, text),
    source: synonyms[0]?.source ?? 'DEFAULT_CONFIG',
    isReadOnly,
    isSensitive: isSecret,
    type: definition.type,
    documentation: isActedOn
      ? definition.documentation
      : `${definition.documentation} (accepted, not acted on yet)`,
    synonyms: isSecret ? synonyms.map((synonym) => ({ ...synonym, value: null })) : synonyms,
  }
}
