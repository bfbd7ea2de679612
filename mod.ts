// Millrace as a library: `startBroker()` puts the parts together, starts and stops them.
//
// Start: Kafka's ports (the broker registers with them), engine (directories, metadata, logs), broker, doors. Stop: the
// other way round.
import { LateDoor } from '#routes/http/late-door.ts'
import { type KafkaDoor, openKafkaDoor } from '#routes/kafka/server.ts'
import { serve } from '#serve'
import { ANONYMOUS } from '#src/access/session.ts'
import type { Acks, Broker, RecoveryReport, Sample } from '#src/broker/broker.ts'
import { BrokerCore } from '#src/broker/broker-core.ts'
import { consumedRecords } from '#src/broker/consumers/consumed-records.ts'
import type { IsolationLevel, OffsetSpec, ReadResult, StoredRecord } from '#src/broker/reading.ts'
import { BrokerConfig } from '#src/config/broker-config.ts'
import { brokerListeners, connectionLimits, isEveryAddress } from '#src/config/listeners.ts'
import { type Engine, startEngine } from '#src/partitions/engine.ts'
import { progressLine } from '#src/partitions/recovery-findings.ts'
import { absolutePath, temporaryDirectory } from '#src/platform/directories.ts'
import { hostName } from '#src/platform/process.ts'
import type { HttpServer } from '#src/platform/serve.ts'
import { startThread } from '#storage/base/background-thread.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { type Clock, type Random, systemClock, systemRandom } from '#storage/base/world.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Files } from '#storage/fs/files.ts'
import { nodeFiles } from '#storage/fs/node-files.ts'
import type { ScrubStats } from '#storage/upkeep/log-scrubber.ts'
import { listen } from '#tcp'

export type * from '#src/broker/broker.ts'
export type * from '#src/broker/reading.ts'
export { BrokerConfig } from '#src/config/broker-config.ts'
export { KafkaError, StorageFault } from '#storage/base/errors.ts'

/** The number of the protocol without encryption and authentication, in broker registrations. */
const PLAINTEXT = 0
/** Where a door listens that nobody has told where. */
const FREE_PORT = '127.0.0.1:0'
/** How soon after a record is dealt with the group knows; Kafka's clients take 5 s. */
const COMMIT_INTERVAL_MS = 1_000
/** How long a group waits for a loop of this process to give partitions back. */
const REBALANCE_TIMEOUT_MS = 60_000
/** How long a partition waits for the turn of the loop that has one of its records. */
const HANDOVER_MS = 5_000

/** How a broker is started. Everything may be left out. */
export interface StartOptions {
  /** The data directory, or several. A temporary one, removed at the stop, when left out. */
  readonly data?: string | readonly string[]
  /** `host:port` of the HTTP door, port 0 for a free one; false for no socket. `127.0.0.1:0` when left out. */
  readonly http?: string | false
  /** `host:port` of the Kafka door, port 0 for a free one; false for none. `127.0.0.1:0` when left out. */
  readonly kafka?: string | false
  /** Further settings by Kafka's names, as texts; or a whole configuration, whose own addresses then count. */
  readonly config?: Readonly<Record<string, string>> | BrokerConfig
  /** Told, a line each, what happens in the background: a directory that fails, an upkeep that is tried again. */
  readonly onEvent?: (line: string) => void
  /** The world, for simulations. */
  readonly files?: Files
  readonly clock?: Clock
  readonly random?: Random
}

/** Bytes, or a text that is stored as UTF-8; null is Kafka's null. */
export type Data = string | Uint8Array | null

/** A record to produce. A partition is chosen by key as Java does, or in turn where there is no key. */
export interface NewRecord {
  readonly key?: Data
  readonly value?: Data
  readonly headers?: Readonly<Record<string, Data>>
  readonly partition?: number
  /** Milliseconds since the epoch. */
  readonly timestamp?: Int64
}

/** Where a record went. */
export interface ProducedRecordPlace {
  readonly partition: number
  /** -1 with acks 0. */
  readonly offset: number
  readonly timestamp: Int64
}

/** What to read. */
export interface ReadOptions {
  /** 0 when left out. */
  readonly partition?: number
  /** `earliest` when left out. */
  readonly offset?: OffsetSpec
  /** 500 when left out. */
  readonly maxRecords?: number
  /** Bytes of stored batches to decode; 1 MiB when left out. At least one record is read when there is one. */
  readonly maxBytes?: number
  /** How long to wait for a record; 0 when left out. */
  readonly waitMs?: number
  readonly isolation?: IsolationLevel
}

/** How to read as a member of a consumer group. */
export interface ConsumeOptions {
  /** The group's id. Each group gets every record; its members share the partitions, Kafka's clients among them. */
  readonly group: string
  /** Where to begin what the group has not committed yet; `earliest` when left out. */
  readonly from?: 'earliest' | 'latest' | { readonly timestamp: Int64 }
  readonly isolation?: IsolationLevel
  /** Ends the loop. */
  readonly signal?: AbortSignal
}

/** A broker that runs in this process. */
export interface RunningBroker {
  /** `http://host:port`; undefined without a socket. */
  readonly url: string | undefined
  /** `host:port` of the first Kafka listener, as clients take it for `bootstrap.servers`; undefined without one. */
  readonly kafka: string | undefined
  /** Absolute paths. */
  readonly dataDirectories: readonly string[]
  /** The settings that it was started with. */
  readonly config: BrokerConfig
  /** Everything that the doors can do. */
  readonly broker: Broker
  /** What the start found, and what was found since. */
  readonly recovery: RecoveryReport
  /**
   * Resolves when the broker can't go on, its metadata log having failed, and says why. It has not stopped then: `stop()`
   * closes what is still sound. Pending for as long as all is well.
   */
  readonly failed: Promise<Error>
  /** Answers a request as the HTTP door does, without a socket. */
  fetch(request: Request): Promise<Response>
  /** Throws the first refusal as KafkaError; acks is -1 ("all") when left out. */
  produce(
    topic: string,
    records: readonly NewRecord[],
    options?: { readonly acks?: Acks },
  ): Promise<readonly ProducedRecordPlace[]>
  read(topic: string, options?: ReadOptions): Promise<ReadResult>
  /**
   * Reads topics as a member of a group, from its committed offsets on: `for await (const record of broker.consume(…))`. At
   * least once: the next turn of the loop says that the last record is dealt with, which is committed soon after.
   */
  consume(
    topics: string | readonly string[],
    options: ConsumeOptions,
  ): AsyncGenerator<StoredRecord, void, void>
  /** Ends streams, closes the sockets, flushes and closes the logs. Resolves when no handle is left. Again is allowed. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a broker and resolves when it serves. Many fit in one process. Throws KafkaError when the configuration or the
 * data directory does not allow it, StorageFault when the disk fails; nothing is left behind then.
 */
export async function startBroker(options: StartOptions = {}): Promise<RunningBroker> {
  const temporary = isTemporary(options) ? temporaryDirectory() : undefined
  let running: Parts | undefined
  try {
    const config = configOf(options, temporary?.path)
    running = new Parts(options, config, () => temporary?.remove())
    await running.start()
    return running
  } catch (error) {
    if (running) await running.stop()
    else temporary?.remove()
    throw error
  }
}

/** The parts of one broker, in the order in which they start. */
class Parts implements RunningBroker {
  readonly config: BrokerConfig
  readonly dataDirectories: readonly string[]
  readonly failed: Promise<Error>
  readonly #fail: (error: Error) => void
  readonly #options: StartOptions
  readonly #afterStop: () => void
  #engine: Engine | undefined
  #core: BrokerCore | undefined
  #door: LateDoor | undefined
  #server: HttpServer | undefined
  #kafka: KafkaDoor | undefined
  #stopped: Promise<void> | undefined

  constructor(options: StartOptions, config: BrokerConfig, afterStop: () => void) {
    const { promise, resolve } = Promise.withResolvers<Error>()
    this.failed = promise
    this.#fail = resolve
    this.#options = options
    this.config = config
    this.dataDirectories = config.logDirs.map(absolutePath)
    this.#afterStop = afterStop
  }

  get url(): string | undefined {
    if (!this.#server) return undefined
    return `http://${hostAndPort(this.#server)}`
  }

  get kafka(): string | undefined {
    const [first] = this.#kafka?.listeners ?? []
    return first && hostAndPort({ host: hostToTell(first.host), port: first.port })
  }

  get broker(): Broker {
    return started(this.#core)
  }

  get recovery(): RecoveryReport {
    return started(this.#engine).recovery
  }

  async start(): Promise<void> {
    const { clock = systemClock, random = systemRandom, files = nodeFiles } = this.#options
    const say = this.#options.onEvent ?? (() => undefined)
    const kafka = await openKafkaDoor({
      listeners: this.#options.kafka === false ? [] : brokerListeners(this.config),
      config: kafkaConfig(this.config),
      listen,
      clock,
      say,
    })
    this.#kafka = kafka
    const engine = await startEngine({
      config: this.config,
      logDirs: this.dataDirectories,
      endpoints: endpointsOf(kafka),
      files,
      clock,
      random,
      // Files that were handed in are no other thread's.
      ...(!this.#options.files && { startThread }),
      onOffline: ({ path, fault }) =>
        say(`The data directory ${path} is offline: ${causes(fault)}`),
      onProgress: (progress) => say(progressLine(progress)),
      onProblem: (error) => say(causes(error)),
      onFailure: this.#fail,
    })
    this.#engine = engine
    const core = new BrokerCore({
      clusterId: engine.clusterId,
      nodeId: engine.nodeId,
      clock,
      random,
      provider: engine.provider,
      partitions: engine.partitions,
      configs: engine.configs,
      recovery: () => engine.recovery,
      logDirectories: engine.logDirectories,
      storageSamples: () => storageSamples(engine),
      onProblem: (error) => say(causes(error)),
    })
    this.#core = core
    kafka.serve(core)
    const address = httpAddress(this.config)
    const door = new LateDoor({
      broker: core,
      clock,
      random,
      config: { ...doorConfig(this.config), isLoopback: !address || isLoopback(address.host) },
      onBug: (error) => say(`Bug: ${causes(error)}`),
    })
    this.#door = door
    if (!address) return
    const headerTimeoutMs = this.config.number('millrace.http.header.timeout.ms')
    this.#server = await serve(door, { ...address, headerTimeoutMs })
  }

  fetch(request: Request): Promise<Response> {
    return started(this.#door).fetch(request)
  }

  async produce(
    topic: string,
    records: readonly NewRecord[],
    { acks = -1 }: { readonly acks?: Acks } = {},
  ): Promise<readonly ProducedRecordPlace[]> {
    const produced = records.map(({ key, value, headers, partition, timestamp }) => ({
      key: bytesOf(key),
      value: bytesOf(value),
      headers: Object.entries(headers ?? {}).map(([name, data]) => ({
        key: name,
        value: bytesOf(data),
      })),
      partition,
      timestamp,
    }))
    const results = await this.broker.produceRecords(ANONYMOUS, topic, produced, acks)
    return results.map((result) => {
      if ('error' in result) throw new KafkaError(result.error, result.message)
      return result
    })
  }

  async read(topic: string, options: ReadOptions = {}): Promise<ReadResult> {
    const { broker } = this
    const { partition = 0, maxRecords = 500, maxBytes = 1_048_576, waitMs = 0, isolation } = options
    const spec = options.offset ?? 'earliest'
    const offset = broker.findOffset(ANONYMOUS, { topic, partition, spec })
    const level = isolation === undefined ? {} : { isolation }
    if (waitMs > 0) {
      const positions = [{ topic, partition, offset }]
      await broker.waitForRecords(ANONYMOUS, { positions, waitMs, ...level })
    }
    const request = { topic, partition, offset, maxRecords, maxBytes, ...level }
    return await broker.readRecords(ANONYMOUS, request)
  }

  consume(
    topics: string | readonly string[],
    { group, from = 'earliest', isolation = 'read_uncommitted', signal }: ConsumeOptions,
  ): AsyncGenerator<StoredRecord, void, void> {
    const open = () =>
      this.broker.groups.openConsumer(ANONYMOUS, {
        groupId: group,
        instanceId: null,
        autoOffsetReset: from,
        autoCommitIntervalMs: COMMIT_INTERVAL_MS,
        settledBy: 'acknowledgement',
        isolation,
        rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
        handoverMs: HANDOVER_MS,
      })
    const names = typeof topics === 'string' ? [topics] : topics
    return consumedRecords(open, { topics: names, pattern: null }, signal)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    const closed = this.#core?.close()
    this.#door?.endStreams()
    try {
      await Promise.all([closed, this.#kafka?.stop(), this.#server?.stop()])
    } finally {
      // Whatever a door meets, the logs are closed well.
      await this.#engine?.stop()
      this.#afterStop()
    }
  }
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new KafkaError('BROKER_NOT_AVAILABLE', 'The broker is not running')
  return part
}

/** All settings in one place: what the options say besides `config` counts as flags. */
function configOf(options: StartOptions, temporary: string | undefined): BrokerConfig {
  const { config: given, data, http, kafka } = options
  const isWhole = given instanceof BrokerConfig
  const written = isWhole ? Object.fromEntries(given.written) : { ...given }
  const own: Record<string, string> = {}
  const dirs = data ?? temporary
  if (dirs !== undefined) own['log.dirs'] = directoryList(typeof dirs === 'string' ? [dirs] : dirs)
  const isHttpWritten = isWhole || written['millrace.http.listener'] !== undefined
  if (http !== undefined || !isHttpWritten) {
    own['millrace.http.listener'] = http === false ? 'none' : (http ?? FREE_PORT)
    httpAddressOf(own['millrace.http.listener'])
  }
  const isKafkaWritten = isWhole || written['listeners'] !== undefined
  if (kafka !== false && (kafka !== undefined || !isKafkaWritten)) {
    own['listeners'] = `PLAINTEXT://${hostAndPort(parseAddress(kafka ?? FREE_PORT, 'Kafka'))}`
  }
  if (isWhole && Object.keys(own).length === 0) return given
  return BrokerConfig.load({ flags: { ...written, ...own } })
}

function isTemporary({ data, config }: StartOptions): boolean {
  if (data !== undefined || config instanceof BrokerConfig) return false
  return config?.['log.dirs'] === undefined && config?.['log.dir'] === undefined
}

function directoryList(paths: readonly string[]): string {
  const bad = paths.find((path) => path.includes(','))
  if (bad === undefined) return paths.map(absolutePath).join(',')
  throw new KafkaError('INVALID_CONFIG', `The data directory ${bad} must not have a comma`)
}

/** Where the HTTP door listens; undefined for nowhere. */
function httpAddress(config: BrokerConfig): { host: string; port: number } | undefined {
  return httpAddressOf(config.string('millrace.http.listener') ?? 'none')
}

function httpAddressOf(text: string): { host: string; port: number } | undefined {
  return text === 'none' ? undefined : parseAddress(text, 'HTTP')
}

function parseAddress(text: string, door: string): { host: string; port: number } {
  const parts = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  const port = Number(parts?.[3])
  if (!parts || port > 65_535) {
    throw new KafkaError('INVALID_CONFIG', `The ${door} address ${text} must be host:port`)
  }
  return { host: parts[1] ?? (parts[2] || '0.0.0.0'), port }
}

function hostAndPort({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** An address that others can connect to. */
function hostToTell(host: string): string {
  return isEveryAddress(host) ? hostName() : host
}

function endpointsOf({ listeners }: KafkaDoor) {
  return listeners.map(({ name, host, port, advertised }) => ({
    name,
    ...(advertised ?? { host: hostToTell(host), port }),
    securityProtocol: PLAINTEXT,
  }))
}

function kafkaConfig(config: BrokerConfig) {
  return {
    ...connectionLimits(config),
    socketRequestMaxBytes: config.number('socket.request.max.bytes'),
    socketSendBufferBytes: config.number('socket.send.buffer.bytes'),
    socketListenBacklogSize: config.number('socket.listen.backlog.size'),
    connectionsMaxIdleMs: config.number('connections.max.idle.ms'),
    queuedMaxRequestBytes: config.number('queued.max.request.bytes'),
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function doorConfig(config: BrokerConfig) {
  const number = (name: string) => config.number(`millrace.http.${name}`)
  return {
    maxRequestBytes: number('max.request.bytes'),
    maxRequestRecords: number('max.request.records'),
    bodyTimeoutMs: number('body.timeout.ms'),
    maxReadBytes: number('max.read.bytes'),
    maxReadRecords: number('max.read.records'),
    maxWaitMs: number('max.wait.ms'),
    maxStreams: number('max.streams'),
    maxConsumers: number('max.consumers'),
    consumerTimeoutMs: number('consumer.instance.timeout.ms'),
    heartbeatMs: number('heartbeat.interval.ms'),
    corsOrigins: config.list('millrace.http.cors.origins'),
    allowedHosts: config.list('millrace.http.allowed.hosts'),
  }
}

function storageSamples({ environment, scrubStats }: Engine): Sample[] {
  const { maps } = environment.maps.stats
  const { open } = environment.pool.stats
  return [
    { name: 'millrace_open_files', help: 'Segment files held open', labels: {}, value: open },
    { name: 'millrace_maps', help: 'Segments mapped into memory', labels: {}, value: maps },
    ...scrubSamples(scrubStats()),
  ]
}

function scrubSamples({ segments, bytes, damages }: ScrubStats): Sample[] {
  const sample = (name: string, help: string, value: number): Sample => {
    return { name: `millrace_scrub_${name}`, help, labels: {}, value }
  }
  return [
    sample('segments', 'Sealed segments read for damage since the start', segments),
    sample('bytes', 'Bytes read for damage since the start', bytes),
    sample('damaged_ranges', 'Damaged ranges that the scrub has found since the start', damages),
  ]
}

function bytesOf(data: Data | undefined): Uint8Array | null {
  return typeof data === 'string' ? new TextEncoder().encode(data) : (data ?? null)
}

/** The message of an error and of what caused it. */
function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${causes(error.cause)}`
}
