// Configs of every kind of resource: described, changed, listed.
import { KafkaError } from '#storage/base/errors.ts'
import type { Session } from '../access/session.ts'
import {
  CONFIG_RESOURCE,
  type ConfigResource,
  type ConfigResourceType,
  configKey,
} from '../metadata/image.ts'
import type { ConfigChange } from '../metadata/provider.ts'
import { checkTopicName } from '../metadata/topic-name.ts'
import type {
  ConfigAdmin,
  DescribedConfig,
  NumberedResource,
  ResourceChange,
  ResourceConfigs,
} from './admin.ts'
import type { AdminParts } from './admin-parts.ts'

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = CONFIG_RESOURCE
const TYPES: ReadonlySet<number> = new Set(Object.values(CONFIG_RESOURCE))

/** Configs, for admins. */
export class AdminConfigs implements ConfigAdmin {
  readonly #parts: AdminParts

  constructor(parts: AdminParts) {
    this.#parts = parts
  }

  describe(session: Session, { type, name }: NumberedResource): readonly DescribedConfig[] {
    const { broker } = this.#parts
    switch (type) {
      case TOPIC:
        checkTopicName(name)
        return broker.describeConfigs(session, { type: 'topic', name })
      case BROKER:
        return broker.describeConfigs(session, { type: 'broker', name })
      case CLIENT_METRICS:
        checkNamed(name)
        return this.#stored({ type, name })
      case GROUP:
        checkNamed(name)
        return this.#parts.configs.group(name).describe()
      default:
        throw noConfigs({ type, name })
    }
  }

  change(
    _session: Session,
    requests: readonly ResourceChange[],
    validateOnly: boolean,
  ): Promise<readonly (KafkaError | undefined)[]> {
    return this.#alter(requests, async (good) => {
      const resources = good.map(({ resource, item: { changes } }) => ({
        resource,
        changes: changes.map(checkedChange),
      }))
      const kind = 'incrementalAlterConfigs'
      return await this.#parts.provider.submit({ kind, resources, validateOnly })
    })
  }

  replace(
    _session: Session,
    requests: readonly ResourceConfigs[],
    validateOnly: boolean,
  ): Promise<readonly (KafkaError | undefined)[]> {
    return this.#alter(requests, async (good) => {
      const resources = good.map(({ resource, item: { configs } }) => ({
        resource,
        configs: new Map(configs.map(({ name, value }) => [name, value ?? ''])),
      }))
      return await this.#parts.provider.submit({ kind: 'alterConfigs', resources, validateOnly })
    })
  }

  resources(_session: Session, types: readonly number[]): readonly NumberedResource[] {
    const unknown = types.find((type) => !TYPES.has(type))
    if (unknown !== undefined) {
      throw new KafkaError('UNSUPPORTED_VERSION', `Resources of type ${unknown} have no configs`)
    }
    const wanted = types.length === 0 ? [...TYPES] : types
    return wanted.flatMap((type) => this.#named(type).map((name) => ({ type, name })))
  }

  /** Names of the resources of a type, sorted. Loggers are none: this broker has no levels to set. */
  #named(type: number): string[] {
    const { image } = this.#parts.provider
    switch (type) {
      case TOPIC:
        return Array.from(image.topics(), ({ name }) => name).sort()
      case BROKER:
        return Array.from(image.brokers.values())
          .filter(({ fenced }) => !fenced)
          .map(({ brokerId }) => String(brokerId))
      default:
        return Array.from(image.state.configs.values())
          .filter(({ resource }) => resource.type === type)
          .map(({ resource }) => resource.name)
          .sort()
    }
  }

  /** What the metadata log holds for a resource that nothing here acts on. */
  #stored(resource: ConfigResource): DescribedConfig[] {
    return [...this.#parts.provider.image.configs(resource)].map(([name, value]) => ({
      name,
      value,
      source: 'CLIENT_METRICS_CONFIG',
      isReadOnly: false,
      isSensitive: false,
      type: 'UNKNOWN',
      documentation: '',
      synonyms: [],
    }))
  }

  /** Submits what is well formed, and puts the results in the order of the requests. */
  async #alter<T extends ResourceChange | ResourceConfigs>(
    requests: readonly T[],
    submit: (
      good: readonly { readonly resource: ConfigResource; readonly item: T }[],
    ) => Promise<readonly { readonly error: KafkaError | undefined }[]>,
  ): Promise<readonly (KafkaError | undefined)[]> {
    const twice = repeated(requests.map(({ resource }) => configKey(resource)))
    const checked = requests.map((item) => this.#check(item, twice))
    const good = checked.flatMap((one) => (one instanceof KafkaError ? [] : [one]))
    const results = (await submit(good)).values()
    return checked.map((one) => (one instanceof KafkaError ? one : results.next().value?.error))
  }

  #check<T extends ResourceChange | ResourceConfigs>(
    item: T,
    twice: ReadonlySet<string>,
  ): { readonly resource: ConfigResource; readonly item: T } | KafkaError {
    const { type, name } = item.resource
    const values = 'changes' in item ? item.changes : item.configs
    const problem =
      (twice.has(configKey(item.resource)) && `Resource ${name} is in the request twice`) ||
      problemOf(values) ||
      this.#problemOfName(item.resource)
    if (problem) return new KafkaError('INVALID_REQUEST', problem)
    if (!isStored(type)) return noConfigs(item.resource)
    return { resource: { type, name }, item }
  }

  #problemOfName({ type, name }: NumberedResource): string | undefined {
    if (type === TOPIC && name === '') return 'Topics have no default resource'
    const { nodeId } = this.#parts.broker
    if (type !== BROKER || name === '' || name === String(nodeId)) return undefined
    return `Broker ${name} is not this one: ask it, or use broker ${nodeId}`
  }
}

function checkNamed(name: string): void {
  if (name !== '') return
  throw new KafkaError('INVALID_REQUEST', 'Groups and client metrics have no default resource')
}

function isStored(type: number): type is Exclude<ConfigResourceType, 8> {
  return type !== BROKER_LOGGER && TYPES.has(type)
}

/** What is wrong with names and values; undefined when nothing is. */
function problemOf(
  values: readonly {
    readonly name: string
    readonly value: string | null
    readonly operation?: ResourceChange['changes'][number]['operation']
  }[],
): string | undefined {
  const twice = [...repeated(values.map(({ name }) => name))]
  if (twice.length > 0) return `Config ${twice.join(', ')} is given twice`
  const unknown = values.find(({ operation }) => operation === 'unknown')
  if (unknown) return `No such operation on config ${unknown.name}`
  const empty = values.find(({ value, operation }) => value === null && operation !== 'delete')
  return empty && `Config ${empty.name} has no value`
}

function checkedChange({
  name,
  operation,
  value,
}: ResourceChange['changes'][number]): ConfigChange {
  if (operation !== 'unknown') return { name, operation, value }
  throw new KafkaError('INVALID_REQUEST', `No such operation on config ${name}`)
}

function noConfigs({ type, name }: NumberedResource): KafkaError {
  const detail =
    type === BROKER_LOGGER
      ? `Broker ${name} has no loggers whose levels could be set`
      : `Resources of type ${type} have no configs`
  return new KafkaError('INVALID_REQUEST', detail)
}

function repeated(keys: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  return new Set(keys.filter((key) => seen.has(key) || !seen.add(key)))
}
