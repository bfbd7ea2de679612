// The broker below its doors: data directories, metadata and partitions, started and stopped in the one right order.
import type { StartThread } from '#storage/base/background-thread.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Clock, Random } from '#storage/base/world.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import type { Files } from '#storage/fs/files.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import type { LoadingProgress } from '#storage/loading-progress.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import type { LogEnvironment } from '#storage/log/log-parts.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import type { OfflineDirectory } from '#storage/log-manager-options.ts'
import type { FoundDirectories } from '#storage/open-data-directories.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'
import type { CleanerSettings } from '#storage/upkeep/log-cleaner.ts'
import type { ScrubStats } from '#storage/upkeep/log-scrubber.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { wholeDelta } from '../metadata/delta.ts'
import { LocalMetadataProvider } from '../metadata/local-provider.ts'
import type { BrokerEndpoint } from '../metadata/startup.ts'
import { absolutePath } from '../platform/directories.ts'
import { configRules } from './config-rules.ts'
import { EffectiveConfigs } from './effective-configs.ts'
import { type Examined, examine, OpenTransactions } from './examine.ts'
import { type LogDirectory, logDirectories } from './log-directories.ts'
import { MetadataLog } from './metadata-log.ts'
import { MetadataSnapshots, type SnapshotPolicy } from './metadata-snapshots.ts'
import { Partitions } from './partitions.ts'
import { backgroundFindings, type RecoveryReport, recoveryReport } from './recovery-findings.ts'

/** What an engine is given. */
export interface EngineOptions {
  readonly config: BrokerConfig
  /** Absolute paths. */
  readonly logDirs: readonly string[]
  /** What the broker is registered with: the addresses that clients and other brokers are told. */
  readonly endpoints: readonly BrokerEndpoint[]
  readonly files: Files
  readonly clock: Clock
  readonly random: Random
  /** Threads that see the same files, for long work. Without it all is done on the loop. */
  readonly startThread?: StartThread
  /** A log directory went offline. */
  readonly onOffline: (offline: OfflineDirectory) => void
  /** Told every few seconds while the logs are being opened. */
  readonly onProgress?: (progress: LoadingProgress) => void
  /** Something failed in the background that is tried again, or that nobody asked for. */
  readonly onProblem: (error: unknown) => void
  /** The metadata log has failed: nothing can be decided any more, and only a new start helps. May come more than once. */
  readonly onFailure?: (error: Error) => void
}

/** Metadata batches are few, and may be large: one operation is one batch. What goes, goes with its snapshot. */
const METADATA_LOG_CONFIG: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  maxMessageBytes: 16 * 1024 * 1024,
  messageTimestampAfterMaxMs: Infinity,
  cleanupPolicy: { delete: false, compact: false },
  retentionMs: Infinity,
}

/** A running engine. */
export interface Engine {
  readonly clusterId: string
  readonly nodeId: number
  readonly provider: LocalMetadataProvider
  readonly partitions: Partitions
  readonly configs: EffectiveConfigs
  readonly environment: LogEnvironment
  /** What the start found, and what was found since. */
  readonly recovery: RecoveryReport
  scrubStats(): ScrubStats
  logDirectories(): readonly LogDirectory[]
  /** Everything flushed and closed, the clean-shutdown marker last. */
  stop(): Promise<void>
}

/**
 * Opens the directories, replays the metadata, loads the logs and takes over. When it resolves, everything that
 * recovery kept is on disk, and leader epochs are raised where a crash asks for it (RULES 3, 5, 15). Throws KafkaError or
 * StorageFault, and then holds nothing.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const environment = environmentOf(options)
  let engine: Engine | undefined
  let found: Examined | undefined
  const started = Promise.withResolvers<Engine>()
  // Mostly nobody waits for it.
  started.promise.catch(() => undefined)
  const manager = openLogManager({
    environment,
    logDirs: options.logDirs,
    metadataLogDir: metadataDirectory(options.config),
    nodeId: options.config.number('node.id'),
    examine: (directories) => {
      found = examineFor(options, directories)
    },
    intervals: intervalsOf(options.config),
    unflushedMaxBytes: options.config.number('millrace.log.unflushed.max.bytes'),
    recoveryThreads: options.config.number('num.recovery.threads.per.data.dir'),
    cleaner: () => cleanerSettings(engine?.configs.broker ?? options.config),
    scrubBytesPerSecond: () => options.config.number('millrace.scrub.max.bytes.per.second'),
    onOffline: (offline) => {
      engine?.partitions.takeOffline(offline.partitions)
      options.onOffline(offline)
      if (offline.directoryId === manager.metadataDirectoryId) options.onFailure?.(offline.fault)
    },
    onOpenedLate: async (_, told) => {
      if (!told) return
      // While the others are being made, nobody could be told of the epoch.
      const { provider } = await started.promise
      if (told.needsNewEpoch)
        await provider.submit({ kind: 'bumpLeaderEpochs', partitions: [told] })
      await manager.checkpoint('recoveryPoints')
    },
    onProgress: (progress) => options.onProgress?.(progress),
    onProblem: options.onProblem,
  })
  try {
    engine = await startOn(manager, environment, options, found)
    started.resolve(engine)
    return engine
  } catch (error) {
    started.reject(error)
    await giveUp(manager, error)
    throw error
  }
}

/** What was left cleanly and only refused is left cleanly again. */
async function giveUp(manager: LogManager, error: unknown): Promise<void> {
  const isUntouched = error instanceof OpenTransactions && manager.hadCleanShutdown === true
  if (isUntouched) await manager.close(manager.previousBrokerEpoch)
  else await manager.closeNow()
}

/** Throws for what this broker must not start on, before anything is written. */
function examineFor(
  { files, config, logDirs }: EngineOptions,
  { metadataDirectoryId, paths }: FoundDirectories,
): Examined {
  return examine({
    files,
    logDirs: paths,
    metadataPath: metadataDirectory(config) ?? logDirs[0] ?? '',
    metadataDirectoryId,
    rules: {
      nodeId: config.number('node.id'),
      authorizer: config.string('authorizer.class.name') ?? '',
      allowUnenforcedSecurity: config.boolean('millrace.allow.unenforced.security'),
    },
  })
}

async function startOn(
  manager: LogManager,
  environment: LogEnvironment,
  options: EngineOptions,
  found: Examined | undefined,
): Promise<Engine> {
  const { config, files, clock, random } = options
  const startedAt = clock.now()
  const nodeId = config.number('node.id')
  const configs = new EffectiveConfigs(nodeId, config)
  const { log } = await manager.openMetadataLog({
    ...METADATA_LOG_CONFIG,
    segmentBytes: metadataSegmentBytes(config),
    segmentMs: config.number('metadata.log.segment.ms'),
  })
  const metadata = found?.metadata
  const store = new MetadataLog({ log, files, clock, found: metadata })
  const provider = LocalMetadataProvider.open({
    store,
    // Recovery may have cut more, or less, than could be seen.
    replayed: metadata?.endOffset === store.logEndOffset ? metadata : undefined,
    bootstrap: found?.bootstrap,
    node: {
      nodeId,
      metadataDirectoryId: manager.metadataDirectoryId,
      directoryIds: manager.directoryIds,
      endpoints: options.endpoints,
      controllerEndpoint: { host: 'localhost', port: 9093 },
      rack: config.string('broker.rack') ?? null,
    },
    rules: configRules(configs),
    random,
    defaults: () => ({
      partitionCount: configs.broker.number('num.partitions'),
      replicationFactor: configs.broker.number('default.replication.factor'),
    }),
    chooseDirectory: inTurn(manager),
    onFailure: (error) => options.onFailure?.(error),
  })
  const known = wholeDelta(provider.image)
  configs.apply(known)
  const loaded = await manager.load({
    configOf: (topic) => configs.topic(topic).settings(),
    expectedTopicId: ({ topic, partition }) => {
      const image = provider.image.topic(topic)
      return image?.partitions[partition] ? image.id : undefined
    },
  })
  refuseOpenTransactions(manager)
  await provider.start()
  const raised = loaded.recovered.filter(({ needsNewEpoch }) => needsNewEpoch)
  if (raised.length > 0) await provider.submit({ kind: 'bumpLeaderEpochs', partitions: raised })
  // What a recovery has taken for the log stays that, whatever comes to stand behind it: the next one might judge otherwise.
  if (loaded.recovered.length > 0) await manager.checkpoint('recoveryPoints')

  const partitions = new Partitions({
    nodeId,
    configs,
    onProblem: options.onProblem,
    logs: {
      get: (at) => manager.log(at),
      create: ({ topic, partition }, { topicId, config: logConfig, directoryId }) =>
        manager.create({
          topicPartition: { topic, partition },
          topicId,
          config: logConfig,
          directoryId,
        }),
      delete: (at) => manager.delete(at),
    },
  })
  partitions.apply(wholeDelta(provider.image))
  await partitions.settled()
  manager.start()
  const snapshots = new MetadataSnapshots({
    log: store,
    clock,
    policy: snapshotPolicy(config),
    image: () => provider.image,
    onProblem: options.onProblem,
  })
  provider.onDelta(() => snapshots.consider())
  const pathOf = (at: TopicPartition) => manager.log(at)?.directory ?? ''
  const { hadCleanShutdown, scrubber, cleaner } = manager
  const atStart = recoveryReport(loaded, { startedAt, hadCleanShutdown, pathOf })
  return {
    clusterId: manager.clusterId,
    nodeId,
    provider,
    partitions,
    configs,
    environment,
    get recovery() {
      const since = backgroundFindings({ scrubber, cleaner, pathOf })
      return { ...atStart, findings: [...atStart.findings, ...since] }
    },
    scrubStats: () => scrubber.stats,
    logDirectories: () => logDirectories(manager, files),
    async stop() {
      await partitions.close()
      await snapshots.close()
      await stopProvider(provider, options)
      await manager.close(provider.brokerEpoch)
      environment.maps.close()
      environment.pool.close()
    },
  }
}

/** A metadata log that has failed can't note the stop; the next start then counts as one after a crash. */
async function stopProvider(
  provider: LocalMetadataProvider,
  { onProblem }: EngineOptions,
): Promise<void> {
  try {
    await provider.stop()
  } catch (error) {
    onProblem(error)
  }
}

/** `metadata.log.dir`: one of the log directories; the first unless it is set. */
function metadataDirectory(config: BrokerConfig): string | undefined {
  const path = config.string('metadata.log.dir')
  return path === undefined ? undefined : absolutePath(path)
}

/** Nobody here could end a transaction that a Kafka left open: its partition's readers would wait for ever (RULES 17). */
function refuseOpenTransactions(manager: LogManager): void {
  const open = Array.from(manager.logs()).filter((log) => log.lastStableOffset < log.highWatermark)
  const [first] = open
  if (first === undefined) return
  const example = `${partitionName(first.topicPartition)} since offset ${first.lastStableOffset}`
  throw new OpenTransactions(open.length, example)
}

/** New partitions go to the directories in turn: one operation may create many before the first of them exists. */
function inTurn(manager: LogManager): () => Uuid {
  let turn = 0
  return () => {
    const { directoryIds } = manager
    if (directoryIds.length === 0) {
      throw new KafkaError('KAFKA_STORAGE_ERROR', 'All data directories are offline')
    }
    return directoryIds[turn++ % directoryIds.length] as Uuid
  }
}

function environmentOf({
  config,
  files,
  clock,
  random,
  startThread,
}: EngineOptions): LogEnvironment {
  return {
    files,
    clock,
    random,
    pool: new FilePool(files, config.number('millrace.max.open.files')),
    maps: new MapCache(files, {
      maxMaps: config.number('millrace.maps.max.count'),
      maxBytes: config.number('millrace.maps.max.bytes'),
    }),
    buffers: new ReadBufferPool(),
    indexCache: new IndexCache(),
    ...(startThread && { startThread }),
  }
}

/** Kafka's tests have a key for sizes below the smallest allowed; so have ours. */
function metadataSegmentBytes(config: BrokerConfig): number {
  const forTests = config.text('internal.metadata.log.segment.bytes')
  return forTests === null ? config.number('metadata.log.segment.bytes') : Number(forTests)
}

function snapshotPolicy(config: BrokerConfig): SnapshotPolicy {
  return {
    maxBytes: config.number('metadata.log.max.record.bytes.between.snapshots'),
    maxIntervalMs: config.number('metadata.log.max.snapshot.interval.ms'),
    retentionBytes: config.number('metadata.max.retention.bytes'),
    retentionMs: config.number('metadata.max.retention.ms'),
  }
}

function cleanerSettings(config: BrokerConfig): CleanerSettings {
  return {
    isEnabled: config.boolean('log.cleaner.enable'),
    threads: config.number('log.cleaner.threads'),
    dedupeBufferBytes: config.number('log.cleaner.dedupe.buffer.size'),
    loadFactor: config.number('log.cleaner.io.buffer.load.factor'),
    ioBufferBytes: config.number('log.cleaner.io.buffer.size'),
    ioBytesPerSecond: config.number('log.cleaner.io.max.bytes.per.second'),
    backoffMs: config.number('log.cleaner.backoff.ms'),
  }
}

function intervalsOf(config: BrokerConfig) {
  return {
    flushOffsetCheckpointMs: config.number('log.flush.offset.checkpoint.interval.ms'),
    flushStartOffsetCheckpointMs: config.number('log.flush.start.offset.checkpoint.interval.ms'),
    highWatermarkCheckpointMs: config.number('replica.high.watermark.checkpoint.interval.ms'),
    retentionCheckMs: config.number('log.retention.check.interval.ms'),
  }
}
