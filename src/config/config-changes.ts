// Changes of the configs that a topic or a broker overrides, and the checks of dynamic broker configs.
import { KafkaError } from '#storage/base/errors.ts'
import { ACCEPTED_PREFIXES, BROKER_CONFIGS, updateMode } from './broker-configs.ts'
import type { ConfigDefinition } from './config-definition.ts'
import { listItems, parseConfigValue } from './config-value.ts'
import { nearestName } from './nearest-name.ts'

/** One change. `append` and `subtract` take items of a list; `delete` needs no value. */
export interface ConfigChange {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  readonly value: string | null
}

/**
 * The overrides after some changes (IncrementalAlterConfigs). A list that is not overridden starts from the key's
 * default, as in Kafka's controller. Values are not checked here. Throws INVALID_REQUEST for a key that comes twice,
 * INVALID_CONFIG for a missing value, and for append and subtract on what is no list.
 */
export function changeConfigs(
  overrides: ReadonlyMap<string, string>,
  changes: readonly ConfigChange[],
  definitionOf: (name: string) => ConfigDefinition | undefined,
): Map<string, string> {
  const changed = new Map(overrides)
  const seen = new Set<string>()
  for (const change of changes) {
    const { name, operation, value } = change
    if (seen.has(name)) throw new KafkaError('INVALID_REQUEST', `Config ${name} is changed twice`)
    seen.add(name)
    if (operation === 'delete') {
      changed.delete(name)
      continue
    }
    if (value === null) throw new KafkaError('INVALID_CONFIG', `Config ${name} has no value`)
    const definition = definitionOf(name)
    changed.set(
      name,
      operation === 'set'
        ? value
        : changeList(changed.get(name), operation, value, name, definition),
    )
  }
  return changed
}

function changeList(
  text: string | undefined,
  operation: 'append' | 'subtract',
  value: string,
  name: string,
  definition: ConfigDefinition | undefined,
): string {
  if (definition?.type !== 'LIST') {
    throw new KafkaError('INVALID_CONFIG', `Can't ${operation} to config ${name}: it is not a list`)
  }
  const before = listItems(text ?? definition.defaultValue ?? '')
  const items = listItems(value)
  const after =
    operation === 'append'
      ? [...before, ...items.filter((item) => !before.includes(item))]
      : before.filter((item) => !items.includes(item))
  return after.join(',')
}

/**
 * Checks dynamic configs of one broker or, when `isClusterWide`, of all brokers, as they would stand after a change.
 * Throws INVALID_CONFIG: an unknown key, one that needs a restart, one that each broker must have for itself, or a bad value.
 */
export function validateBrokerConfigs(
  configs: Iterable<readonly [string, string]>,
  isClusterWide: boolean,
): void {
  for (const [name, text] of configs) {
    const definition = BROKER_CONFIGS.get(name)
    if (definition === undefined) {
      if (ACCEPTED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue
      const nearest = nearestName(name, BROKER_CONFIGS.keys())
      const hint = nearest === undefined ? '' : `, did you mean ${nearest}?`
      throw new KafkaError('INVALID_CONFIG', `Unknown broker config name: ${name}${hint}`)
    }
    const mode = updateMode(name)
    if (mode === 'read-only') {
      throw new KafkaError('INVALID_CONFIG', `${name} can't change while the broker runs`)
    }
    if (mode === 'per-broker' && isClusterWide) {
      throw new KafkaError('INVALID_CONFIG', `${name} can't be set for all brokers at once`)
    }
    parseConfigValue(definition, text)
  }
}
