// ApiVersions: what this broker speaks. The one request that is answered whatever its version (KIP-511).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '#src/protocol/messages/18-api-versions.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { type ApiRange, api } from '../api.ts'

const KEY = 18
/** Clients name themselves from here on. */
const NAMES_SINCE = 3
/** Before, Java clients could not read a supported feature that starts at 0. */
const ZERO_MINIMUM_SINCE = 4
const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** Every API with its versions, and the features. */
export const apiVersions = api({
  request: ApiVersionsRequest,
  response: ApiVersionsResponse,
  handle({ broker, apis, version }, { clientSoftwareName, clientSoftwareVersion }) {
    if (
      version >= NAMES_SINCE &&
      !(NAME.test(clientSoftwareName) && NAME.test(clientSoftwareVersion))
    ) {
      const client = `${clientSoftwareName} ${clientSoftwareVersion}`
      throw new KafkaError('INVALID_REQUEST', `Not the name and version of a client: ${client}`)
    }
    const { supported, finalized, epoch } = broker.features()
    return {
      errorCode: NO_ERROR,
      apiKeys: apis.map(entry),
      supportedFeatures: supported.filter(
        ({ minVersion }) => version >= ZERO_MINIMUM_SINCE || minVersion > 0,
      ),
      finalizedFeaturesEpoch: epoch,
      finalizedFeatures: finalized.map(({ name, level }) => ({
        name,
        maxVersionLevel: level,
        minVersionLevel: level,
      })),
    }
  },
  refuse: ({ code }) => ({ errorCode: errorCode(code), apiKeys: [] }),
  refuseVersion: ({ apis }) => ({
    errorCode: errorCode('UNSUPPORTED_VERSION'),
    apiKeys: apis.filter(({ key }) => key === KEY).map(entry),
  }),
})

function entry({ key, minVersion, maxVersion }: ApiRange) {
  return { apiKey: key, minVersion, maxVersion }
}
