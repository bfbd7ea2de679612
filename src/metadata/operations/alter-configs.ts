// Plans changes of configs: single ones (IncrementalAlterConfigs, KIP-339) and whole sets (AlterConfigs).
import { KafkaError } from '#storage/base/errors.ts'
import type { NewMetadataRecord } from '../../protocol/records/metadata-record.ts'
import { CONFIG_RESOURCE, type ConfigResource, configKey, type MetadataImage } from '../image.ts'
import type { ConfigChange, ConfigResult, OperationOf } from '../provider.ts'
import { hasElr } from '../record-versions.ts'
import { attempt, errorOf, type Plan, type PlanContext, recordsOf, repeated } from './plan.ts'

const MIN_IN_SYNC_REPLICAS = 'min.insync.replicas'
const MAX_VALUE_BYTES = 32_767

const encoder = new TextEncoder()

/** The configs of a resource after a change, and the names that the change touched. */
interface Changed {
  readonly configs: ReadonlyMap<string, string>
  readonly touched: readonly string[]
}

/** Records and results for changes of single configs; every refusal is its resource's own. */
export function planIncrementalAlterConfigs(
  context: PlanContext,
  { resources }: OperationOf<'incrementalAlterConfigs'>,
): Plan<readonly ConfigResult[]> {
  return planEach(context, resources, ({ resource, changes }) => {
    const configs = new Map(context.image.configs(resource))
    const names = changes.map((change) => change.name)
    const twice = [...repeated(names)]
    if (twice.length > 0) {
      throw new KafkaError('INVALID_REQUEST', `Config ${twice.join(', ')} is changed twice`)
    }
    for (const change of changes) {
      const value = valueAfter(context, resource, change)
      if (value === undefined) configs.delete(change.name)
      else configs.set(change.name, value)
    }
    return { configs, touched: names }
  })
}

/** Records and results for new sets of configs: what is not in a set goes back to its default. */
export function planAlterConfigs(
  context: PlanContext,
  { resources }: OperationOf<'alterConfigs'>,
): Plan<readonly ConfigResult[]> {
  return planEach(context, resources, ({ resource, configs }) => {
    const current = context.image.configs(resource)
    const kept = current.get(MIN_IN_SYNC_REPLICAS)
    const isKept = kept !== undefined && isClusterWide(resource) && hasElr(context.image)
    const whole = isKept ? new Map([[MIN_IN_SYNC_REPLICAS, kept], ...configs]) : configs
    const removed = [...current.keys()].filter((name) => !whole.has(name))
    return { configs: whole, touched: [...configs.keys(), ...removed] }
  })
}

/**
 * The records that keep eligible leader replicas true when `min.insync.replicas` changes: whoever was eligible under the
 * old value may not hold everything committed under the new one (KIP-966).
 */
export function elrSafetyRecords(
  image: MetadataImage,
  resource: ConfigResource,
  touched: readonly string[],
): NewMetadataRecord[] {
  if (!hasElr(image) || !touched.includes(MIN_IN_SYNC_REPLICAS)) return []
  const topicName = resource.type === CONFIG_RESOURCE.TOPIC ? resource.name : ''
  return [{ type: 'ClearElrRecord', version: 0, data: { topicName } }]
}

function planEach<R extends { readonly resource: ConfigResource }>(
  context: PlanContext,
  requests: readonly R[],
  change: (request: R) => Changed,
): Plan<readonly ConfigResult[]> {
  const twice = repeated(requests.map(({ resource }) => configKey(resource)))
  const parts = requests.map((request) =>
    attempt(() => {
      const { resource } = request
      if (twice.has(configKey(resource))) {
        throw new KafkaError('INVALID_REQUEST', `Resource ${resource.name} is in the request twice`)
      }
      checkResource(context.image, resource)
      return { records: changeRecords(context, resource, change(request)), value: undefined }
    }),
  )
  const result = requests.map(({ resource }, at) => {
    const part = parts[at]
    return { resource, error: part === undefined ? undefined : errorOf(part) }
  })
  return { records: recordsOf(parts), result }
}

function changeRecords(
  { image, rules }: PlanContext,
  resource: ConfigResource,
  { configs, touched }: Changed,
): NewMetadataRecord[] {
  for (const name of touched) checkValue(image, resource, { name, value: configs.get(name) })
  rules.validate(resource, configs)
  const current = image.configs(resource)
  // Kafka writes a broker's config even when it stays the same: that is how a reload is asked for.
  const isWritten = (name: string) =>
    current.get(name) !== configs.get(name) ||
    (resource.type === CONFIG_RESOURCE.BROKER && configs.has(name))
  const written = touched.filter(isWritten)
  const records = written.map((name): NewMetadataRecord => {
    const value = configs.get(name) ?? null
    const data = { resourceType: resource.type, resourceName: resource.name, name, value }
    return { type: 'ConfigRecord', version: 0, data }
  })
  return [...records, ...elrSafetyRecords(image, resource, written)]
}

/** The value of a config after a change; undefined when nothing is set any more. */
function valueAfter(
  { image, rules }: PlanContext,
  resource: ConfigResource,
  { name, operation, value }: ConfigChange,
): string | undefined {
  if (operation === 'delete') return undefined
  if (value === null) throw new KafkaError('INVALID_REQUEST', `Config ${name} cannot be null`)
  if (operation === 'set') return value
  if (!rules.isList(resource, name)) {
    throw new KafkaError('INVALID_CONFIG', `Cannot ${operation} to ${name}: it is no list`)
  }
  const inForce = image.configs(resource).get(name) ?? rules.defaultValue(resource, name) ?? ''
  const items = splitList(inForce)
  const given = splitList(value)
  const after =
    operation === 'append'
      ? [...items, ...given.filter((item) => !items.includes(item))]
      : items.filter((item) => !given.includes(item))
  return after.join(',')
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function checkValue(
  image: MetadataImage,
  resource: ConfigResource,
  { name, value }: { name: string; value: string | undefined },
): void {
  if (value !== undefined && encoder.encode(value).length > MAX_VALUE_BYTES) {
    throw new KafkaError('INVALID_CONFIG', `The value of ${name} is longer than 32767 bytes`)
  }
  if (name !== MIN_IN_SYNC_REPLICAS || resource.type !== CONFIG_RESOURCE.BROKER) return
  if (!hasElr(image)) return
  const detail = 'while eligible leader replicas are kept'
  if (!isClusterWide(resource)) {
    throw new KafkaError('INVALID_CONFIG', `One broker's ${name} cannot be changed ${detail}`)
  }
  if (value === undefined) {
    throw new KafkaError('INVALID_CONFIG', `The brokers' ${name} cannot be removed ${detail}`)
  }
}

function isClusterWide({ type, name }: ConfigResource): boolean {
  return type === CONFIG_RESOURCE.BROKER && name === ''
}

/** Refuses a resource that does not exist or cannot have configs. */
function checkResource(image: MetadataImage, { type, name }: ConfigResource): void {
  switch (type) {
    case CONFIG_RESOURCE.TOPIC:
      if (image.topic(name) !== undefined) return
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic '${name}' does not exist`)
    case CONFIG_RESOURCE.BROKER:
      if (name === '') return
      if (!/^\d+$/.test(name)) throw new KafkaError('INVALID_REQUEST', `No broker id: ${name}`)
      if (image.brokers.has(Number(name))) return
      throw new KafkaError('BROKER_ID_NOT_REGISTERED', `No broker has the id ${name}`)
    case CONFIG_RESOURCE.CLIENT_METRICS:
    case CONFIG_RESOURCE.GROUP:
      if (name !== '') return
      throw new KafkaError('INVALID_REQUEST', 'Groups and client metrics have no default resource')
    default:
      throw new KafkaError('INVALID_REQUEST', `Resources of type ${type} have no stored configs`)
  }
}
