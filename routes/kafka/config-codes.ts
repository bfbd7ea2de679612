// Configs on the wire: the numbers of their sources and types, and the answer to changes of them.
import type { DescribedConfig } from '#src/broker/admin.ts'
import type { KafkaError } from '#storage/base/errors.ts'
import { outcome } from './outcome.ts'

/** `DescribeConfigsResponse.ConfigSource`. */
export const CONFIG_SOURCE: Readonly<Record<DescribedConfig['source'], number>> = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  CLIENT_METRICS_CONFIG: 7,
  DYNAMIC_GROUP_CONFIG: 8,
}

const TYPES = [
  'UNKNOWN',
  'BOOLEAN',
  'STRING',
  'INT',
  'SHORT',
  'LONG',
  'DOUBLE',
  'LIST',
  'CLASS',
  'PASSWORD',
]

/** `DescribeConfigsResponse.ConfigType`; 0 for what is not known. */
export function configTypeCode(type: string): number {
  return Math.max(0, TYPES.indexOf(type))
}

/** The answer to a change of configs: what became of each resource. */
export function changedResources(
  resources: readonly { readonly resourceType: number; readonly resourceName: string }[],
  errorOf: (index: number) => KafkaError | undefined,
) {
  const responses = resources.map(({ resourceType, resourceName }, index) => ({
    ...outcome(errorOf(index)),
    resourceType,
    resourceName,
  }))
  return { throttleTimeMs: 0, responses }
}
