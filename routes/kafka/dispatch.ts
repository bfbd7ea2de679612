// The table of the APIs that are served, a line each. What is not in it is not advertised, and closes the connection.
import type { Api, ApiRange } from './api.ts'
import { produce } from './handlers/00-produce.ts'
import { fetch } from './handlers/01-fetch.ts'
import { listOffsets } from './handlers/02-list-offsets.ts'
import { apiVersions } from './handlers/18-api-versions.ts'
import { deleteRecords } from './handlers/21-delete-records.ts'
import { initProducerId } from './handlers/22-init-producer-id.ts'
import { offsetForLeaderEpoch } from './handlers/23-offset-for-leader-epoch.ts'
import { describeProducers } from './handlers/61-describe-producers.ts'

/** Every API that is served. */
export const APIS: readonly Api[] = [
  // One line each, in the order of their keys.
  produce,
  fetch,
  listOffsets,
  apiVersions,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  describeProducers,
]

/** APIs by key, and what clients are told of them. */
export class ApiTable {
  readonly ranges: readonly ApiRange[]
  readonly #byKey: ReadonlyMap<number, Api>

  constructor(apis: readonly Api[]) {
    this.#byKey = new Map(apis.map((one) => [one.key, one]))
    this.ranges = apis
      .map(({ key, advertised: [minVersion, maxVersion] }) => ({ key, minVersion, maxVersion }))
      .sort((left, right) => left.key - right.key)
  }

  get(key: number): Api | undefined {
    return this.#byKey.get(key)
  }
}
