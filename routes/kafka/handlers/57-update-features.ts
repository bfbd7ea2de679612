// UpdateFeatures: feature levels are finalised, all that were asked for or none (KIP-584).
import type { FeatureChange } from '#src/broker/admin.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  UpdateFeaturesRequest,
  UpdateFeaturesResponse,
} from '#src/protocol/messages/57-update-features.ts'
import { api } from '../api.ts'
import { messageOf } from '../outcome.ts'

const UPGRADE_TYPES = ['unknown', 'upgrade', 'safeDowngrade', 'unsafeDowngrade'] as const

/** Results per feature were dropped with v2: they are all alike. */
export const updateFeatures = api({
  request: UpdateFeaturesRequest,
  response: UpdateFeaturesResponse,
  async handle({ broker, session, version }, { featureUpdates, timeoutMs, validateOnly }) {
    const updates = featureUpdates.map((update) => ({
      feature: update.feature,
      level: update.maxVersionLevel,
      upgradeType: upgradeTypeOf(update, version),
    }))
    await broker.admin.cluster.updateFeatures(session, updates, { timeoutMs, validateOnly })
    const success = { errorCode: NO_ERROR, errorMessage: null }
    const results = featureUpdates.map(({ feature }) => ({ feature, ...success }))
    return { throttleTimeMs: 0, ...success, results }
  },
  refuse: (error) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(error.code),
    errorMessage: messageOf(error),
  }),
})

function upgradeTypeOf(
  {
    allowDowngrade,
    upgradeType,
  }: { readonly allowDowngrade: boolean; readonly upgradeType: number },
  version: number,
): FeatureChange['upgradeType'] {
  if (version === 0) return allowDowngrade ? 'safeDowngrade' : 'upgrade'
  return UPGRADE_TYPES[upgradeType] ?? 'unknown'
}
