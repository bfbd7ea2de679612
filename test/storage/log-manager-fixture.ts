// Log managers on a simulated disk, for tests.
import type { TopicPartition } from '#storage/base/topic-partition.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import type { LogManager } from '#storage/log-manager.ts'
import { openLogManager } from '#storage/log-manager.ts'
import type { LogManagerOptions } from '#storage/log-manager-options.ts'
import type { RecoveryReport } from '#storage/recovery-report.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { append, batchOf, environmentOn } from './log/log-fixture.ts'

/** The ids of the topics that the metadata knows, unless told otherwise. */
export const IDS: Readonly<Record<string, Uuid>> = {
  orders: 'b3JkZXJzb3JkZXJzb3JkZQ',
  events: 'ZXZlbnRzZXZlbnRzZXZlbg',
  'my-topic': 'bXktdG9waWNteS10b3BpYw',
}
/** A partition, which `stoppedDisk` holds. */
export const ORDERS: TopicPartition = { topic: 'orders', partition: 0 }
/** Another one, which no disk holds yet. */
export const EVENTS: TopicPartition = { topic: 'events', partition: 3 }
/** Text of bytes. */
export const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
/** Bytes of text. */
export const encode = (text: string) => new TextEncoder().encode(text)

/** A broker's storage, started on a disk. */
export interface Started {
  readonly manager: LogManager
  readonly report: RecoveryReport
  readonly clock: VirtualClock
}

/** What a test may choose when it starts a broker's storage. */
export type Settings = Partial<LogManagerOptions> & {
  readonly clock?: VirtualClock
  readonly ids?: Readonly<Record<string, Uuid>>
}

/** Opens a log manager without loading anything. */
export function open(disk: SimulatedDisk, settings: Settings = {}): LogManager {
  const clock = settings.clock ?? new VirtualClock()
  return openLogManager({
    environment: environmentOn(disk, clock),
    logDirs: ['/data'],
    nodeId: 1,
    ...settings,
  })
}

/** Starts as a broker does: metadata log, then all others. */
export async function start(disk: SimulatedDisk, settings: Settings = {}): Promise<Started> {
  const clock = settings.clock ?? new VirtualClock()
  const manager = open(disk, { ...settings, clock })
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  const ids = settings.ids ?? IDS
  const report = await manager.load({
    configOf: () => DEFAULT_LOG_CONFIG,
    expectedTopicId: ({ topic }) => ids[topic],
  })
  return { manager, report, clock }
}

/** Creates a partition with the id that the metadata has for it. */
export function create(manager: LogManager, topicPartition: TopicPartition, directoryId?: Uuid) {
  const topicId = IDS[topicPartition.topic] ?? ''
  return manager.create({ topicPartition, topicId, config: DEFAULT_LOG_CONFIG, directoryId })
}

/** The names in a directory, sorted. */
export const namesIn = (disk: SimulatedDisk, path = '/data') =>
  disk
    .list(path)
    .map(({ name }) => name)
    .sort()

/** A disk on which a broker with one record in orders-0 has stopped cleanly. */
export async function stoppedDisk(settings: Settings = {}): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const { manager } = await start(disk, settings)
  append(await create(manager, ORDERS), batchOf(['one']))
  await manager.close(14)
  return disk
}

/** Other losses at each stop. */
export const seedsOf = (stopAt: number) => [0, 1, 2, 3, 4].map((number) => stopAt * 5 + number)

/** Replaces a file's content. */
export function rewrite(disk: SimulatedDisk, path: string, text: string): void {
  const file = disk.open(path, 'write')
  file.truncate(0)
  file.write(encode(text), 0)
  file.close()
}
