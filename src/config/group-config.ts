// The settings of one group (resource type GROUP, KIP-848 and KIP-932): what it overrides, over the broker's defaults.
import { KafkaError } from '#storage/base/errors.ts'
import { isGroupConfigActedOn } from './acted-on.ts'
import type { BrokerConfig } from './broker-config.ts'
import { BROKER_CONFIGS } from './broker-configs.ts'
import { boolean, type ConfigDefinition, form, int, oneOf, string } from './config-definition.ts'
import { type ConfigEntry, type ConfigSynonym, configEntry } from './config-entry.ts'
import { isConfigValue, parseConfigValue } from './config-value.ts'
import { nearestName } from './nearest-name.ts'

/** A key of a group. */
interface GroupKey {
  readonly definition: ConfigDefinition
  /** The broker key that stands in, and those that bound what a group may set. */
  readonly broker?: { readonly name: string; readonly min?: string; readonly max?: string }
}

const RESET = /^(latest|earliest|by_duration:P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/i

/** Every key of a group by name, sorted. */
const GROUP_KEYS: ReadonlyMap<string, GroupKey> = new Map(
  [
    ...['consumer', 'share', 'streams'].flatMap((kind) => [
      bounded(kind, 'assignment.interval.ms'),
      bounded(kind, 'heartbeat.interval.ms'),
      bounded(kind, 'session.timeout.ms'),
    ]),
    bounded('share', 'delivery.count.limit'),
    bounded('share', 'partition.max.record.locks'),
    bounded('share', 'record.lock.duration.ms'),
    inherited('streams.initial.rebalance.delay.ms', 'group.streams.initial.rebalance.delay.ms', {}),
    inherited('streams.num.standby.replicas', 'group.streams.num.standby.replicas', {
      max: 'group.streams.max.standby.replicas',
    }),
    {
      definition: string(
        'share.auto.offset.reset',
        'latest',
        'Where a share group begins to read: earliest, latest, or by_duration and a duration of ISO 8601',
        form(RESET, 'latest, earliest or by_duration:PnDTnHnMnS'),
      ),
    },
    {
      definition: string(
        'share.isolation.level',
        'read_uncommitted',
        'Whether a share group reads records of open and aborted transactions',
        oneOf('read_committed', 'read_uncommitted'),
      ),
    },
    {
      definition: boolean(
        'share.renew.acknowledge.enable',
        'true',
        'Whether members of a share group may renew the lock of a record',
      ),
    },
  ]
    .map((key) => [key.definition.name, key] as const)
    .sort(([left], [right]) => (left < right ? -1 : 1)),
)

/** The settings of one group; immutable. An override that doesn't parse is passed over: another version wrote it. */
export class GroupConfig {
  readonly #overrides: ReadonlyMap<string, string>
  readonly #broker: BrokerConfig

  constructor(overrides: ReadonlyMap<string, string>, broker: BrokerConfig) {
    this.#overrides = overrides
    this.#broker = broker
  }

  /** The number that counts. Throws INVALID_CONFIG when no group has such a key. */
  number(name: string): number {
    const { definition } = groupKey(name)
    return Number(parseConfigValue(definition, this.#synonyms(name)[0]?.value ?? ''))
  }

  /** Every config of the group, sorted by name, as DescribeConfigs shows it. */
  describe(): ConfigEntry[] {
    return Array.from(GROUP_KEYS, ([name, { definition }]) => {
      const synonyms = this.#synonyms(name)
      const isActedOn = isGroupConfigActedOn(name)
      const text = synonyms[0]?.value ?? null
      return configEntry(definition, text, synonyms, { isReadOnly: false, isActedOn })
    })
  }

  /** The strongest first. */
  #synonyms(name: string): ConfigSynonym[] {
    const { definition, broker } = groupKey(name)
    const { defaultValue: value } = definition
    const inherited = broker
      ? this.#broker.synonyms([broker.name])
      : [{ name, value, source: 'DEFAULT_CONFIG' as const }]
    const own = this.#overrides.get(name)
    if (own === undefined || !isConfigValue(definition, own)) return inherited
    return [{ name, value: own, source: 'DYNAMIC_GROUP_CONFIG' }, ...inherited]
  }
}

/**
 * Checks the overrides of a group, all of them together, as they would stand after a change. Throws INVALID_CONFIG with
 * a sentence: an unknown key, a bad value, one outside the broker's bounds, or a session shorter than its heartbeats.
 */
export function validateGroupConfigs(
  overrides: Iterable<readonly [string, string | null]>,
  broker: BrokerConfig,
): void {
  const checked = new Map<string, string>()
  for (const [name, text] of overrides) {
    const { definition } = groupKey(name)
    if (text === null) throw new KafkaError('INVALID_CONFIG', `Group config ${name} has no value`)
    parseConfigValue(definition, text)
    checked.set(name, text)
  }
  const config = new GroupConfig(checked, broker)
  for (const name of checked.keys()) checkBounds(config.number(name), name, broker)
  for (const kind of ['consumer', 'share', 'streams']) {
    const [session, heartbeat] = [`${kind}.session.timeout.ms`, `${kind}.heartbeat.interval.ms`]
    if (config.number(session) > config.number(heartbeat)) continue
    const detail = `${session} (${config.number(session)}) must be greater than ${heartbeat} (${config.number(heartbeat)})`
    throw new KafkaError('INVALID_CONFIG', detail)
  }
}

/** Every key of a group, with the broker key that stands in, as tables show them. */
export function groupConfigs(): readonly (readonly [ConfigDefinition, string | undefined])[] {
  return Array.from(GROUP_KEYS.values(), ({ definition, broker }) => [definition, broker?.name])
}

/** The definition of a group key. Throws INVALID_CONFIG when there is none. */
export function groupConfigDefinition(name: string): ConfigDefinition {
  return groupKey(name).definition
}

function checkBounds(value: number, name: string, broker: BrokerConfig): void {
  const { min, max } = groupKey(name).broker ?? {}
  if (min !== undefined && value < broker.number(min)) {
    const detail = `${name} (${value}) must be at least ${min} (${broker.number(min)})`
    throw new KafkaError('INVALID_CONFIG', detail)
  }
  if (max !== undefined && value > broker.number(max)) {
    const detail = `${name} (${value}) must be at most ${max} (${broker.number(max)})`
    throw new KafkaError('INVALID_CONFIG', detail)
  }
}

function groupKey(name: string): GroupKey {
  const key = GROUP_KEYS.get(name)
  if (key) return key
  const nearest = nearestName(name, GROUP_KEYS.keys())
  const hint = nearest === undefined ? '' : `, did you mean ${nearest}?`
  throw new KafkaError('INVALID_CONFIG', `Unknown group config name: ${name}${hint}`)
}

function bounded(kind: string, name: string): GroupKey {
  const of = (bound: string) => `group.${kind}.${bound}${name}`
  return inherited(`${kind}.${name}`, of(''), { min: of('min.'), max: of('max.') })
}

function inherited(name: string, broker: string, bounds: { min?: string; max?: string }): GroupKey {
  const { defaultValue = null, documentation = '' } = BROKER_CONFIGS.get(broker) ?? {}
  return { definition: int(name, defaultValue, documentation), broker: { name: broker, ...bounds } }
}
