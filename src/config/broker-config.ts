// The settings of this broker: what was written at start, and what has been changed since through the metadata log.
import { assert, KafkaError } from '#storage/base/errors.ts'
import { isBrokerConfigActedOn } from './acted-on.ts'
import { BROKER_CONFIGS, FALLBACKS, updateMode } from './broker-configs.ts'
import type { ConfigDefinition } from './config-definition.ts'
import {
  type ConfigEntry,
  type ConfigSource,
  type ConfigSynonym,
  configEntry,
} from './config-entry.ts'
import { type ConfigSources, readConfigSources } from './config-sources.ts'
import { type ConfigValue, isConfigValue, parseConfigValue } from './config-value.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const NO_CONFIGS: ReadonlyMap<string, string> = new Map()

/** One layer of settings, as texts by key. */
interface ConfigLayer {
  readonly source: ConfigSource
  readonly texts: ReadonlyMap<string, string>
}

/**
 * The settings of one broker; immutable. A key is looked up in this broker's dynamic configs, the dynamic defaults of
 * the cluster, what was written at start (flags, environment, file), and the defaults, in this order.
 */
export class BrokerConfig {
  readonly #layers: readonly ConfigLayer[]
  /** Parsed once: some are asked for with every request. */
  readonly #values = new Map<string, ConfigValue | undefined>()

  private constructor(layers: readonly ConfigLayer[]) {
    this.#layers = layers
  }

  /** Reads what was written. Throws INVALID_CONFIG: a line for each key that is unknown or has a bad value. */
  static load(sources: ConfigSources = {}): BrokerConfig {
    const texts = readConfigSources(sources)
    const config = new BrokerConfig([{ source: 'STATIC_BROKER_CONFIG', texts }])
    const problems = conflicts(config)
    if (problems.length > 0) throw new KafkaError('INVALID_CONFIG', problems.join('\n'))
    return config
  }

  /**
   * The same settings under other dynamic ones, as the metadata image has them: of this broker, and of all brokers.
   * Those that don't parse or may not change are passed over: another version may have written them.
   */
  withDynamic(
    perBroker: ReadonlyMap<string, string>,
    clusterWide: ReadonlyMap<string, string>,
  ): BrokerConfig {
    const written = this.#layers.filter(({ source }) => source === 'STATIC_BROKER_CONFIG')
    return new BrokerConfig([
      { source: 'DYNAMIC_BROKER_CONFIG', texts: usable(perBroker) },
      { source: 'DYNAMIC_DEFAULT_BROKER_CONFIG', texts: usable(clusterWide) },
      ...written,
    ])
  }

  /** The value of a BOOLEAN key. */
  boolean(name: string): boolean {
    const value = this.#value(name)
    assert(typeof value === 'boolean', `${name} is a boolean`)
    return value
  }

  /** The value of an INT, SHORT, LONG or DOUBLE key that has a default. 2^63 - 1, Kafka's "never", is `Infinity`. */
  number(name: string): number {
    const value = this.#value(name)
    assert(typeof value === 'number', `${name} is a number`)
    return value >= 2 ** 63 ? Infinity : value
  }

  /** The value of a STRING, CLASS or PASSWORD key; undefined when nothing sets it. */
  string(name: string): string | undefined {
    const value = this.#value(name)
    assert(value === undefined || typeof value === 'string', `${name} is a string`)
    return value
  }

  /** The items of a LIST key; none when nothing sets it. */
  list(name: string): readonly string[] {
    const value = this.#value(name) ?? []
    assert(typeof value === 'object', `${name} is a list`)
    return value
  }

  /** The directories of the data. */
  get logDirs(): readonly string[] {
    return this.isSet('log.dirs') ? this.list('log.dirs') : this.list('log.dir')
  }

  /** How long records are kept by default; `Infinity` is for ever. */
  get retentionMs(): number {
    const value = this.#inMs('log.retention', { ms: 1, minutes: MINUTE_MS, hours: HOUR_MS })
    return value < 0 ? Infinity : value
  }

  /** The age at which a segment is rolled by default. */
  get rollMs(): number {
    return this.#inMs('log.roll', { ms: 1, hours: HOUR_MS })
  }

  /** Whether a key was set, by a default too. */
  isSet(name: string): boolean {
    return this.text(name) !== null
  }

  /** The text that counts for a key; null when nothing sets it. */
  text(name: string): string | null {
    return this.#find(name)?.value ?? definitionOf(name).defaultValue
  }

  /** The keys that were written at start, with their texts, secrets included. */
  get written(): ReadonlyMap<string, string> {
    return this.#layers.at(-1)?.texts ?? NO_CONFIGS
  }

  /** Every place that sets one of these keys, the strongest first: by layer, then in the order of `names`. */
  synonyms(names: readonly string[]): ConfigSynonym[] {
    const found: ConfigSynonym[] = []
    for (const { source, texts } of this.#layers) {
      for (const name of names) {
        const value = texts.get(name)
        if (value !== undefined) found.push({ name, value, source })
      }
    }
    for (const name of names) {
      const { defaultValue } = definitionOf(name)
      if (defaultValue !== null) found.push({ name, value: defaultValue, source: 'DEFAULT_CONFIG' })
    }
    return found
  }

  /** Every config of this broker, sorted by name, as DescribeConfigs shows it. */
  describe(): ConfigEntry[] {
    return [...BROKER_CONFIGS.values()]
      .filter((definition) => definition.isInternal !== true)
      .map((definition) => this.#describeOne(definition))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** The cluster-wide dynamic configs alone, as DescribeConfigs of the broker `""` shows them. */
  describeClusterWide(): ConfigEntry[] {
    const source = 'DYNAMIC_DEFAULT_BROKER_CONFIG'
    const layer = this.#layers.find((one) => one.source === source)
    return [...(layer?.texts ?? NO_CONFIGS)]
      .map(([name, value]) =>
        configEntry(definitionOf(name), value, [{ name, value, source }], {
          isReadOnly: false,
          isActedOn: isBrokerConfigActedOn(name),
        }),
      )
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  #describeOne(definition: ConfigDefinition): ConfigEntry {
    const { name } = definition
    const group = FALLBACKS.find((names) => names.includes(name)) ?? [name]
    // A stand-in's value is in other units: what is shown is what is set under this very name.
    const own = this.synonyms([name])
    const synonyms =
      own.length === 0 ? [] : [...own, ...this.synonyms(group.filter((one) => one !== name))]
    return configEntry(definition, this.text(name), synonyms, {
      isReadOnly: updateMode(name) === 'read-only',
      isActedOn: isBrokerConfigActedOn(name),
    })
  }

  #inMs(prefix: string, factors: Readonly<Record<string, number>>): number {
    const names = Object.keys(factors).map((unit) => `${prefix}.${unit}`)
    const [strongest] = this.synonyms(names)
    assert(strongest !== undefined, `${prefix} has a default`)
    const unit = strongest.name.slice(prefix.length + 1)
    const value = parseConfigValue(definitionOf(strongest.name), strongest.value ?? '')
    return Number(value) < 0 ? -1 : Number(value) * (factors[unit] ?? 1)
  }

  #find(name: string): ConfigSynonym | undefined {
    for (const { source, texts } of this.#layers) {
      const value = texts.get(name)
      if (value !== undefined) return { name, value, source }
    }
    return undefined
  }

  #value(name: string): ConfigValue | undefined {
    if (this.#values.has(name)) return this.#values.get(name)
    const text = this.text(name)
    const value = text === null ? undefined : parseConfigValue(definitionOf(name), text)
    this.#values.set(name, value)
    return value
  }
}

function definitionOf(name: string): ConfigDefinition {
  const definition = BROKER_CONFIGS.get(name)
  assert(definition !== undefined, `${name} is a broker key`)
  return definition
}

function usable(texts: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...texts].filter(([name, text]) => parses(name, text)))
}

function parses(name: string, text: string): boolean {
  const definition = BROKER_CONFIGS.get(name)
  if (definition === undefined || updateMode(name) === 'read-only') return false
  return isConfigValue(definition, text)
}

/** Settings that exclude each other, a sentence each (`KafkaConfig.validateValues`). */
function conflicts(config: BrokerConfig): string[] {
  const problems: string[] = []
  const expect = (holds: boolean, sentence: string): void => {
    if (!holds) problems.push(sentence)
  }
  const atMost = (smaller: string, larger: string, factor = 1): void =>
    expect(
      config.number(smaller) * factor <= config.number(larger),
      `${smaller} (${config.text(smaller)}) must be at most ${factor === 1 ? '' : 'half of '}${larger} (${config.text(larger)})`,
    )
  const brokerId = config.number('broker.id')
  expect(
    brokerId === -1 || brokerId === config.number('node.id'),
    `broker.id (${brokerId}) must be the same as node.id (${config.text('node.id')})`,
  )
  expect(config.rollMs >= 1, 'log.roll.ms must be at least 1')
  expect(config.retentionMs >= 1, 'log.retention.ms must be -1 or at least 1')
  atMost('broker.heartbeat.interval.ms', 'broker.session.timeout.ms', 2)
  atMost('replica.fetch.wait.max.ms', 'replica.lag.time.max.ms')
  atMost('log.cleaner.min.compaction.lag.ms', 'log.cleaner.max.compaction.lag.ms')
  return problems
}
