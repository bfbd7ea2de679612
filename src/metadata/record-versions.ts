// Which features this broker knows, and which record versions a finalised metadata.version calls for.
import type { MetadataImage } from './image.ts'

/** metadata.version of Kafka 4.3. */
export const LATEST_METADATA_VERSION = 30

/** What this broker supports of each feature: least and greatest level. */
export const SUPPORTED_FEATURES: ReadonlyMap<string, readonly [min: number, max: number]> = new Map(
  [
    ['metadata.version', [7, LATEST_METADATA_VERSION]],
    ['eligible.leader.replicas.version', [0, 1]],
    ['group.version', [0, 1]],
    ['kraft.version', [0, 1]],
    ['share.version', [0, 1]],
    ['streams.version', [0, 1]],
    ['transaction.version', [0, 2]],
  ],
)

/** The levels that a new log finalises: Kafka 4.3's defaults, in Kafka's order. */
export const DEFAULT_FEATURES: readonly (readonly [name: string, level: number])[] = [
  ['metadata.version', LATEST_METADATA_VERSION],
  ['eligible.leader.replicas.version', 1],
  ['group.version', 1],
  ['share.version', 1],
  ['streams.version', 1],
  ['transaction.version', 2],
]

/** Versions of the records whose form depends on metadata.version. */
export interface RecordVersions {
  readonly registerBroker: number
  readonly partition: number
}

/** The versions for the image's metadata.version: a Kafka of that level must be able to read what we write. */
export function recordVersions(image: MetadataImage): RecordVersions {
  const level = image.features.get('metadata.version') ?? LATEST_METADATA_VERSION
  return { registerBroker: registerBrokerVersion(level), partition: partitionVersion(level) }
}

/** Whether eligible leader replicas are kept (KIP-966). */
export function hasElr(image: MetadataImage): boolean {
  return (image.features.get('eligible.leader.replicas.version') ?? 0) > 0
}

/** 3.4-IV0 brought migration, 3.7-IV2 directories, 4.3-IV0 cordoned ones. */
function registerBrokerVersion(level: number): number {
  if (level >= 30) return 4
  if (level >= 17) return 3
  return level >= 8 ? 2 : 1
}

/** 3.7-IV2 brought directories, 4.0-IV1 eligible leader replicas. */
function partitionVersion(level: number): number {
  if (level >= 23) return 2
  return level >= 17 ? 1 : 0
}
