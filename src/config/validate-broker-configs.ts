// The checks of dynamic broker configs.
import { KafkaError } from '#storage/base/errors.ts'
import { ACCEPTED_PREFIXES, BROKER_CONFIGS, updateMode } from './broker-configs.ts'
import type { ConfigDefinition } from './config-definition.ts'
import { parseConfigValue } from './config-value.ts'
import { nearestName } from './nearest-name.ts'

/**
 * Checks dynamic configs of one broker or, when `isClusterWide`, of all brokers, as they would stand after a change.
 * Throws INVALID_CONFIG: an unknown key; INVALID_REQUEST, as Kafka does: a bad value, a key that needs a restart, or one
 * that each broker must have for itself.
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
      throw new KafkaError('INVALID_REQUEST', `${name} can't change while the broker runs`)
    }
    if (mode === 'per-broker' && isClusterWide) {
      throw new KafkaError('INVALID_REQUEST', `${name} can't be set for all brokers at once`)
    }
    checkValue(definition, text)
  }
}

/** Kafka calls a broker's bad value an invalid request, and a topic's an invalid config. */
function checkValue(definition: ConfigDefinition, text: string): void {
  try {
    parseConfigValue(definition, text)
  } catch (error) {
    throw error instanceof KafkaError ? new KafkaError('INVALID_REQUEST', error.message) : error
  }
}
