// What REST v3's resources have in common: links, names, lists, and the cluster in the path.
import type { Context } from 'hono'
import type { Door, Env } from './door.ts'
import { HttpError } from './errors.ts'

/** Builds v3 resources for one request: absolute links back to this door, names under this cluster. */
export class Resources {
  /** The URL of the cluster. */
  readonly cluster: string
  readonly clusterId: string

  /** Throws 404 when the path names another cluster. */
  constructor(door: Door, c: Context<Env>) {
    const asked = c.req.param('cluster')
    this.clusterId = door.broker.clusterId
    if (asked !== undefined && asked !== this.clusterId) {
      throw new HttpError(404, `Cluster ${asked} cannot be found`)
    }
    this.cluster = `${new URL(c.req.url).origin}/v3/clusters/${this.clusterId}`
  }

  /** A resource: its kind, links and name, then its own members. `parts` are pairs of collection, name. */
  resource(
    kind: string,
    parts: readonly (readonly [collection: string, name: string | number])[],
    members: object,
  ): object {
    const crn = parts.map(([collection, name]) => `/${singular(collection)}=${name}`).join('')
    return {
      kind,
      metadata: {
        self: this.url(...parts.flat()),
        resource_name: `crn:///kafka=${this.clusterId}${crn}`,
      },
      cluster_id: this.clusterId,
      ...members,
    }
  }

  /** A list of resources, whole: there is never a next page. */
  list(kind: string, path: readonly (string | number)[], data: readonly object[]): object {
    return { kind, metadata: { self: this.url(...path), next: null }, data }
  }

  /** A link to something under the cluster. */
  related(...path: readonly (string | number)[]): { related: string } {
    return { related: this.url(...path) }
  }

  /** The URL of something under the cluster. */
  url(...path: readonly (string | number)[]): string {
    return [this.cluster, ...path.map((part) => encodeURIComponent(part))].join('/')
  }
}

function singular(collection: string): string {
  return collection.replace(/s$/, '')
}
