// API key 18: ApiVersions, which APIs and versions are spoken.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, int64, string } from '../codec/primitives.ts'

/**
 * A client's first question on a connection. v3: flexible; the client's name and version
 * (KIP-511). v4: the answer may name features that start at 0 (KIP-1022).
 */
export const ApiVersionsRequest = message(
  { key: 18, versions: [0, 4], flexible: 3 },
  {
    clientSoftwareName: ignorable(since(3, string())),
    clientSoftwareVersion: ignorable(since(3, string())),
  },
)
/** ApiVersionsRequest, decoded. */
export type ApiVersionsRequest = Infer<typeof ApiVersionsRequest>

/**
 * The APIs and their versions. Its header is always v0, and an unknown version is answered in the
 * form of v0 (KIP-511). v1: throttle time. v2: answered before throttling (KIP-219). v3: flexible;
 * features (KIP-584). v4: supported features may start at 0 (KIP-1022).
 */
export const ApiVersionsResponse = message(
  { key: 18, versions: [0, 4], flexible: 3 },
  {
    errorCode: int16(),
    apiKeys: array(struct({ apiKey: int16(), minVersion: int16(), maxVersion: int16() })),
    throttleTimeMs: ignorable(since(1, int32())),
    supportedFeatures: ignorable(
      tagged(0, 3, array(struct({ name: string(), minVersion: int16(), maxVersion: int16() }))),
    ),
    finalizedFeaturesEpoch: ignorable(tagged(1, 3, int64(), -1)),
    finalizedFeatures: ignorable(
      tagged(
        2,
        3,
        array(struct({ name: string(), maxVersionLevel: int16(), minVersionLevel: int16() })),
      ),
    ),
    zkMigrationReady: ignorable(tagged(3, 3, bool())),
  },
)
/** ApiVersionsResponse, decoded. */
export type ApiVersionsResponse = Infer<typeof ApiVersionsResponse>
