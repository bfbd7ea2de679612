// The features that clients are told of: what the metadata log has finalised, as far as this broker implements it.
import type { MetadataImage } from '../metadata/image.ts'
import { SUPPORTED_FEATURES } from '../metadata/record-versions.ts'

/**
 * Levels that clients would act on, lower here than in the log (RULES 16). A Java producer that saw transaction.version
 * 2 would use transactions v2 at once; without it, and without the transaction APIs, a transactional producer is told
 * that the broker lacks them, and an idempotent one notices nothing. share and streams stand for their protocols.
 */
const IMPLEMENTED_LEVELS: ReadonlyMap<string, number> = new Map([
  ['share.version', 0],
  ['streams.version', 0],
  ['transaction.version', 0],
])

/** The versions of a feature that this broker implements. */
export interface SupportedFeature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** What ApiVersions tells of features. */
export interface FeatureDescription {
  readonly supported: readonly SupportedFeature[]
  /** The level in force of each feature, the lower of finalised and implemented; those at 0 are left out. */
  readonly finalized: readonly { readonly name: string; readonly level: number }[]
  /** The offset of the metadata log up to which this holds. */
  readonly epoch: number
}

/** The features in force with this image. */
export function describeFeatures(image: MetadataImage): FeatureDescription {
  const supported = [...SUPPORTED_FEATURES].map(([name, [minVersion, max]]) => ({
    name,
    minVersion,
    maxVersion: Math.min(max, implemented(name)),
  }))
  const { kRaftVersion } = image.state.quorum
  const finalized = [...image.features, ['kraft.version', kRaftVersion] as const]
    .map(([name, level]) => ({ name, level: Math.min(level, implemented(name)) }))
    .filter(({ level }) => level > 0)
  return { supported, finalized, epoch: Math.max(0, image.offset) }
}

function implemented(name: string): number {
  return IMPLEMENTED_LEVELS.get(name) ?? Number.MAX_SAFE_INTEGER
}
