// The table of the APIs that are served, a line each. What is not in it is not advertised, and closes the connection.
import type { Api, ApiRange } from './api.ts'
import { apiVersions } from './handlers/18-api-versions.ts'

/** Every API that is served. */
export const APIS: readonly Api[] = [
  // One line each, in the order of their keys.
  apiVersions,
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
