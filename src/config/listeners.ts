// The Kafka listeners that a configuration asks for: names, addresses, protocols, and what clients are told.
import { KafkaError } from '#storage/base/errors.ts'
import type { BrokerConfig } from './broker-config.ts'

const ENDPOINT = /^([^:/\s]+):\/\/(?:\[([^\]]+)\]|([^:[\]]*)):(-?\d{1,5})$/
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::'])

/** A host and a port. */
export interface HostAndPort {
  /** IPv6 addresses without brackets; `''` in a listener is every address. */
  readonly host: string
  readonly port: number
}

/** A listener to open. */
export interface ListenerConfig extends HostAndPort {
  /** In upper case. */
  readonly name: string
  /** Undefined: clients are told the address that they came to. */
  readonly advertised: HostAndPort | undefined
}

/**
 * The listeners of a broker, controller listeners left out: this process is a whole cluster and has no controller that
 * others could call. Throws INVALID_CONFIG with a line for each thing that is wrong.
 */
export function brokerListeners(config: BrokerConfig): readonly ListenerConfig[] {
  const controllers = new Set(config.list('controller.listener.names').map(upper))
  const protocols = protocolsOf(config)
  const advertised = new Map(endpoints(config, 'advertised.listeners'))
  const listeners: ListenerConfig[] = []
  for (const [name, { host, port }] of endpoints(config, 'listeners')) {
    if (controllers.has(name)) continue
    const protocol = protocols.get(name)
    expect(protocol, `listener.security.protocol.map has no protocol for the listener ${name}`)
    expect(
      protocol === 'PLAINTEXT',
      `The listener ${name} asks for ${protocol}, which is not served yet: only PLAINTEXT is`,
    )
    listeners.push({ name, host, port, advertised: advertised.get(name) })
  }
  for (const controller of controllers) advertised.delete(controller)
  checkAdvertised(advertised, listeners)
  return listeners
}

/** How many connections there may be. */
export interface ConnectionLimits {
  readonly maxConnections: number
  readonly maxPerAddress: number
  /** From `max.connections.per.ip.overrides`, by address. */
  readonly perAddress: ReadonlyMap<string, number>
}

/** The limits on connections. Throws INVALID_CONFIG when an override is not address:count. */
export function connectionLimits(config: BrokerConfig): ConnectionLimits {
  const overrides = (config.string('max.connections.per.ip.overrides') ?? '').split(',')
  const perAddress = overrides
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text): [string, number] => {
      const [, address = '', count] = /^(.+):(\d+)$/.exec(text) ?? []
      expect(
        count !== undefined,
        `max.connections.per.ip.overrides has ${text}, which is not address:count`,
      )
      return [address, Number(count)]
    })
  return {
    maxConnections: config.number('max.connections'),
    maxPerAddress: config.number('max.connections.per.ip'),
    perAddress: new Map(perAddress),
  }
}

/** Whether an address stands for every address of the machine, so that nobody can be told to connect to it. */
export function isEveryAddress(host: string): boolean {
  return EVERY_ADDRESS.has(host)
}

function checkAdvertised(
  advertised: ReadonlyMap<string, HostAndPort>,
  listeners: readonly ListenerConfig[],
): void {
  for (const [name, { host }] of advertised) {
    expect(
      !isEveryAddress(host),
      `advertised.listeners tells clients of ${name} no address that they can connect to`,
    )
    expect(
      listeners.some((listener) => listener.name === name),
      `advertised.listeners names ${name}, which is not in listeners`,
    )
  }
}

function endpoints(config: BrokerConfig, key: string): [string, HostAndPort][] {
  const found = config.list(key).map((text): [string, HostAndPort] => {
    const [, name, bracketed, plain, digits] = ENDPOINT.exec(text.trim()) ?? []
    const port = Number(digits)
    expect(
      name !== undefined && port >= 0 && port <= 65_535,
      `${key} has ${text}, which is not NAME://host:port`,
    )
    return [upper(name), { host: bracketed ?? plain ?? '', port }]
  })
  const names = found.map(([name]) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  expect(twice === undefined, `${key} names ${twice} twice`)
  return found
}

function protocolsOf(config: BrokerConfig): ReadonlyMap<string, string> {
  const pairs = (config.string('listener.security.protocol.map') ?? '').split(',')
  return new Map(
    pairs.map((pair) => {
      const [name = '', protocol = ''] = pair.split(':').map((part) => upper(part.trim()))
      return [name, protocol]
    }),
  )
}

function upper(name: string): string {
  return name.toUpperCase()
}

function expect(holds: unknown, sentence: string): asserts holds {
  if (!holds) throw new KafkaError('INVALID_CONFIG', sentence)
}
