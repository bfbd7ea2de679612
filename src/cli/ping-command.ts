// `millrace ping`: whether a Kafka broker is there, what it speaks, and whether clients can reach what it advertises.
import { type Command, InvalidArgumentError } from 'commander'
import { connectTcp, type TcpAddress } from '../platform/tcp-client.ts'
import { CommandError, EXIT } from './command-error.ts'
import { palette, printable } from './display.ts'
import { countOption } from './options.ts'
import { API_NAMES } from './ping-api-names.ts'
import {
  type ClusterView,
  openPing,
  type PingClient,
  type PingOptions,
  type ServedApi,
} from './ping-client.ts'
import { addressText, advice, problemOf, type TriedBroker, tryBroker } from './ping-verdicts.ts'
import type { CommandWorld } from './world.ts'

const DEFAULT_ADDRESS: TcpAddress = { host: '127.0.0.1', port: 9092 }
const DEFAULT_TIMEOUT_MS = 5_000
const ROUND_TRIPS = 5

interface Flags {
  readonly json?: boolean
  readonly timeout?: number
}

/** What was found out. */
interface Report {
  readonly address: TcpAddress
  readonly connectMs: number
  readonly roundTripMs: number
  readonly cluster: ClusterView | undefined
  readonly tried: readonly TriedBroker[]
  readonly apis: readonly ServedApi[]
  readonly advice: readonly string[]
}

/** Adds `ping`. It ends with code 1 when the broker, or an address that the cluster advertises, can't be used. */
export function addPingCommand(
  program: Command,
  world: CommandWorld,
  finish: (code: number) => void,
): void {
  program
    .command('ping')
    .description(
      'ask a Kafka broker, ours or any other, what it speaks, and try every address it advertises',
    )
    .argument('[address]', 'HOST:PORT', addressArgument, DEFAULT_ADDRESS)
    .option('--timeout <ms>', 'for each connection and answer; 5000 unless given', countOption)
    .option('--json', 'one JSON object')
    .addHelpText('after', '\nExit code 1 means that clients would fail here.')
    .action(async (address: TcpAddress, { json, timeout }: Flags) => {
      const { clock } = world
      const timeoutMs = timeout ?? DEFAULT_TIMEOUT_MS
      const report = await ping(address, { connect: connectTcp, clock, timeoutMs })
      await world.writeOutput(json === true ? jsonText(report) : plainText(report, world))
      if (report.tried.some(({ problem }) => problem !== undefined)) finish(EXIT.failed)
    })
}

async function ping(address: TcpAddress, options: PingOptions): Promise<Report> {
  const client = await reach(address, options)
  try {
    const roundTripMs = await client.roundTripMs(ROUND_TRIPS)
    const cluster = await client.cluster()
    const brokers = cluster?.brokers.toSorted((left, right) => left.nodeId - right.nodeId) ?? []
    const tries = cluster ? brokers.map((broker) => tryBroker(broker, cluster, options)) : []
    const tried = await Promise.all(tries)
    const { apis, connectMs } = client
    return { address, connectMs, roundTripMs, cluster, tried, apis, advice: advice(tried, address) }
  } catch (error) {
    throw unusable(address, error, options)
  } finally {
    client.close()
  }
}

async function reach(address: TcpAddress, options: PingOptions): Promise<PingClient> {
  try {
    return await openPing(address, options)
  } catch (error) {
    throw unusable(address, error, options)
  }
}

function unusable(address: TcpAddress, error: unknown, { timeoutMs }: PingOptions): CommandError {
  const problem = problemOf(error, timeoutMs)
  return new CommandError(`No Kafka broker at ${addressText(address)}: ${printable(problem)}`, {
    cause: error,
  })
}

function plainText(report: Report, world: CommandWorld): string {
  const { bold, dim } = palette(world.hasColours('output'))
  const { address, cluster, connectMs, roundTripMs, tried, apis } = report
  const lines = [
    `${bold(addressText(address))} is a Kafka broker: connected in ${msText(connectMs)}, answers in ${msText(roundTripMs)}`,
    cluster === undefined ? 'It serves no Metadata: it may be a controller' : clusterText(cluster),
    ...tried.map((one) => brokerLine(one, world)),
    ...report.advice,
    dim(`${apis.length} APIs:`),
    ...apis.map(({ apiKey, minVersion, maxVersion }) => {
      const name = (API_NAMES[apiKey] ?? 'unknown').padEnd(38)
      return `  ${String(apiKey).padStart(3)} ${name} ${minVersion}-${maxVersion}`
    }),
  ]
  return `${lines.join('\n')}\n`
}

function clusterText({ clusterId, controllerId, brokers }: ClusterView): string {
  const count = brokers.length === 1 ? '1 broker' : `${brokers.length} brokers`
  const name = clusterId === null ? 'a cluster without an id' : `cluster ${printable(clusterId)}`
  return `${count} in ${name}, controller ${controllerId < 0 ? 'none' : controllerId}`
}

function brokerLine({ broker, connectMs, problem }: TriedBroker, world: CommandWorld): string {
  const { green, red } = palette(world.hasColours('output'))
  const rack = broker.rack === null ? '' : `, rack ${printable(broker.rack)}`
  const verdict =
    problem === undefined ? green(`reached in ${msText(connectMs ?? 0)}`) : red(printable(problem))
  return `  broker ${broker.nodeId} advertises ${printable(addressText(broker))}${rack}: ${verdict}`
}

function jsonText({ address, cluster, tried, apis, ...report }: Report): string {
  const value = {
    address: addressText(address),
    connect_ms: report.connectMs,
    round_trip_ms: report.roundTripMs,
    cluster_id: cluster?.clusterId ?? null,
    controller_id: cluster?.controllerId ?? null,
    brokers: tried.map(({ broker, connectMs, problem }) => ({
      id: broker.nodeId,
      host: broker.host,
      port: broker.port,
      rack: broker.rack,
      connect_ms: connectMs ?? null,
      problem: problem ?? null,
    })),
    apis: apis.map(({ apiKey, minVersion, maxVersion }) => ({
      key: apiKey,
      name: API_NAMES[apiKey] ?? null,
      min_version: minVersion,
      max_version: maxVersion,
    })),
    advice: report.advice,
  }
  return `${JSON.stringify(value)}\n`
}

function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`
}

function addressArgument(text: string): TcpAddress {
  const [, bracketed, plain, port = '9092'] =
    /^(?:\[([^\]]+)\]|([^:[\]/]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const number = Number(port)
  if (host !== undefined && number > 0 && number < 65_536) return { host, port: number }
  throw new InvalidArgumentError('It must be HOST:PORT, an IPv6 address in brackets.')
}
