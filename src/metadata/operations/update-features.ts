// Plans changes of finalised feature levels (UpdateFeatures, KIP-584, KIP-778, KIP-1022).
import { KafkaError } from '#storage/base/errors.ts'
import type { NewMetadataRecord } from '../../protocol/records/metadata-record.ts'
import { CONFIG_RESOURCE, type MetadataImage } from '../image.ts'
import type { FeatureUpdate, OperationOf } from '../provider.ts'
import { SUPPORTED_FEATURES } from '../record-versions.ts'
import type { Plan, PlanContext } from './plan.ts'

const METADATA_VERSION = 'metadata.version'
const KRAFT_VERSION = 'kraft.version'
const ELR_VERSION = 'eligible.leader.replicas.version'
const MIN_IN_SYNC_REPLICAS = 'min.insync.replicas'
/** 4.0-IV1: the records that can name eligible leader replicas. */
const ELR_METADATA_VERSION = 23

/** Records for all updates. Throws INVALID_UPDATE_VERSION for the first that is not possible: it is all or nothing. */
export function planUpdateFeatures(
  context: PlanContext,
  { updates }: OperationOf<'updateFeatures'>,
): Plan<undefined> {
  const proposed = new Map(context.image.features)
  for (const { feature, level } of updates) proposed.set(feature, level)
  const records = updates.flatMap((update) => {
    checkUpdate(context.image, update, proposed)
    const { feature, level } = update
    if (level === currentLevel(context.image, feature)) return []
    const record: NewMetadataRecord = {
      type: 'FeatureLevelRecord',
      version: 0,
      data: { name: feature, featureLevel: level },
    }
    return feature === ELR_VERSION && level > 0 ? [...elrRecords(context), record] : [record]
  })
  return { records, result: undefined }
}

function checkUpdate(
  image: MetadataImage,
  { feature, level, upgradeType }: FeatureUpdate,
  proposed: ReadonlyMap<string, number>,
): void {
  const refuse = (why: string): never => {
    throw new KafkaError('INVALID_UPDATE_VERSION', `Level ${level} of ${feature}: ${why}`)
  }
  const current = currentLevel(image, feature)
  const [least, greatest] = SUPPORTED_FEATURES.get(feature) ?? refuse('there is no such feature')
  if (upgradeType === 'unknown') refuse('the type of upgrade is not known')
  if (level < least || level > greatest) refuse(`only ${least} to ${greatest} are supported`)
  const isDowngrade = level < current
  if (isDowngrade && upgradeType === 'upgrade') refuse(`it is at ${current}, and this is lower`)
  if (level > current && upgradeType !== 'upgrade')
    refuse(`it is at ${current}, and this is higher`)
  if (feature === METADATA_VERSION && isDowngrade) refuse('metadata might get lost')
  if (feature === KRAFT_VERSION && level !== current) refuse('it cannot change while it is in use')
  const metadataVersion = proposed.get(METADATA_VERSION) ?? 0
  if (feature === ELR_VERSION && level > 0 && metadataVersion < ELR_METADATA_VERSION) {
    refuse(
      `${METADATA_VERSION} must be at least ${ELR_METADATA_VERSION}, and is ${metadataVersion}`,
    )
  }
}

function currentLevel(image: MetadataImage, feature: string): number {
  if (feature === KRAFT_VERSION) return image.state.quorum.kRaftVersion
  return image.features.get(feature) ?? 0
}

/** From now on `min.insync.replicas` is one for all brokers, and set: eligibility hangs on it (KIP-966). */
function elrRecords({ image, rules }: PlanContext): NewMetadataRecord[] {
  const clusterWide = { type: CONFIG_RESOURCE.BROKER, name: '' } as const
  const config = (resourceName: string, value: string | null): NewMetadataRecord => ({
    type: 'ConfigRecord',
    version: 0,
    data: { resourceType: CONFIG_RESOURCE.BROKER, resourceName, name: MIN_IN_SYNC_REPLICAS, value },
  })
  const isSet = image.configs(clusterWide).has(MIN_IN_SYNC_REPLICAS)
  const inForce = rules.defaultValue(clusterWide, MIN_IN_SYNC_REPLICAS) ?? '1'
  const perBroker = [...image.state.configs.values()].filter(
    ({ resource, configs }) =>
      resource.type === CONFIG_RESOURCE.BROKER &&
      resource.name !== '' &&
      configs.has(MIN_IN_SYNC_REPLICAS),
  )
  return [
    ...(isSet ? [] : [config('', inForce)]),
    ...perBroker.map(({ resource }) => config(resource.name, null)),
  ]
}
