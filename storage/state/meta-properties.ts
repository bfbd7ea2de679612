// The `meta.properties` file: whose data directory this is.
import { StorageFault } from '../base/errors.ts'
import type { Uuid } from '../base/uuid.ts'
import { parseProperties, serializeProperties } from '../bytes/properties.ts'

/** The file's name. A directory without it is not formatted. */
export const META_PROPERTIES = 'meta.properties'

/** The identity of a data directory. */
export interface MetaProperties {
  /** Undefined in files of Kafka's ZooKeeper days (version 0). */
  readonly clusterId: string | undefined
  readonly nodeId: number
  /** Undefined when the file has none yet. */
  readonly directoryId: Uuid | undefined
}

/** The file's content, in version 1. */
export function serializeMetaProperties(meta: MetaProperties): Uint8Array {
  const properties = new Map([['version', '1']])
  if (meta.clusterId !== undefined) properties.set('cluster.id', meta.clusterId)
  properties.set('node.id', String(meta.nodeId))
  if (meta.directoryId !== undefined) properties.set('directory.id', meta.directoryId)
  return new TextEncoder().encode(serializeProperties(properties))
}

/** Reads version 1, and version 0 with its `broker.id`. Throws `StorageFault` when something is missing. */
export function parseMetaProperties(bytes: Uint8Array): MetaProperties {
  const properties = parseProperties(new TextDecoder().decode(bytes))
  const version = properties.get('version') ?? '0'
  if (version !== '0' && version !== '1') throw malformed(`has version ${version}`)
  const id = properties.get(version === '0' ? 'broker.id' : 'node.id')
  if (id === undefined || !/^\d{1,10}$/.test(id))
    throw malformed(`has the node id ${id ?? '(none)'}`)
  const clusterId = properties.get('cluster.id')
  if (version === '1' && clusterId === undefined) throw malformed('has no cluster.id')
  const directoryId = properties.get('directory.id')
  if (directoryId !== undefined && !/^[\w-]{22}$/.test(directoryId)) {
    throw malformed(`has the directory.id ${directoryId}`)
  }
  return { clusterId, nodeId: Number(id), directoryId }
}

function malformed(detail: string): StorageFault {
  return new StorageFault(`The file ${META_PROPERTIES} ${detail}`)
}
