// Why a broker must not start on some metadata: what it could not keep true (RULES 17).
import type { Uuid } from '#storage/base/uuid.ts'
import { CONFIG_RESOURCE, type MetadataImage } from './image.ts'
import { SUPPORTED_FEATURES } from './record-versions.ts'

/** What the answer depends on besides the image. */
export interface BlockerOptions {
  readonly nodeId: number
  /** The `directory.id` of the directory that holds the metadata log. */
  readonly metadataDirectoryId: Uuid
  /** `authorizer.class.name`; empty when there is none. */
  readonly authorizer: string
  /** `millrace.allow.unenforced.security`. */
  readonly allowUnenforcedSecurity: boolean
}

/** Sentences that each say why this node must not start on the image; none when it may. */
export function startBlockers(image: MetadataImage, options: BlockerOptions): readonly string[] {
  return [
    ...featureBlockers(image),
    ...quorumBlockers(image, options),
    ...replicaBlockers(image, options.nodeId),
    ...remoteBlockers(image),
    ...(options.allowUnenforcedSecurity ? [] : securityBlockers(image, options.authorizer)),
  ]
}

/** What of them no Kafka of this version could start on either. */
export function featureBlockers(image: MetadataImage): string[] {
  return [...image.features].flatMap(([name, level]) => {
    const [least, greatest] = SUPPORTED_FEATURES.get(name) ?? [0, 0]
    if (level >= least && level <= greatest) return []
    return [
      `Feature ${name} is finalised at level ${level}, outside the supported [${least}, ${greatest}]`,
    ]
  })
}

function quorumBlockers(image: MetadataImage, options: BlockerOptions): string[] {
  const { voters } = image.state.quorum
  if (voters === undefined) return []
  const ids = voters.map((voter) => voter.voterId)
  if (ids.length !== 1 || ids[0] !== options.nodeId) {
    return [
      `The metadata log belongs to a quorum of [${ids.join(', ')}], not to node ${options.nodeId} alone`,
    ]
  }
  const directoryId = voters[0]?.voterDirectoryId
  if (directoryId === options.metadataDirectoryId) return []
  return [
    `The metadata log belongs to directory ${directoryId}, but meta.properties says ${options.metadataDirectoryId || 'nothing of a directory.id'}`,
  ]
}

/** Another replica may hold records that this node has not. */
function replicaBlockers(image: MetadataImage, nodeId: number): string[] {
  let count = 0
  let example = ''
  for (const topic of image.topics()) {
    for (const { partition, replicas } of topic.partitions) {
      if (replicas.length === 1 && replicas[0] === nodeId) continue
      if (count++ === 0) example = `${topic.name}-${partition} on [${replicas.join(', ')}]`
    }
  }
  if (count === 0) return []
  return [`${count} partitions have replicas on other brokers than ${nodeId}, such as ${example}`]
}

/** A log whose older part is elsewhere would look as if that part had been deleted. */
function remoteBlockers(image: MetadataImage): string[] {
  const topics = [...image.state.configs.values()].flatMap(({ resource, configs }) => {
    const isRemote =
      resource.type === CONFIG_RESOURCE.TOPIC && configs.get('remote.storage.enable') === 'true'
    return isRemote ? [resource.name] : []
  })
  if (topics.length === 0) return []
  return [
    `${topics.length} topics, such as ${topics[0]}, have segments in remote storage, which is not read here; have a Kafka bring them back first, and set remote.storage.enable=false`,
  ]
}

function securityBlockers(image: MetadataImage, authorizer: string): string[] {
  const { acls, scramCredentials, delegationTokens } = image.state
  const hint = 'set millrace.allow.unenforced.security=true to start all the same'
  const unenforced = [
    ...(acls.size > 0 ? [`${acls.size} ACLs are present`] : []),
    ...(scramCredentials.size > 0
      ? [`${scramCredentials.size} SCRAM credentials are present`]
      : []),
    ...(delegationTokens.size > 0
      ? [`${delegationTokens.size} delegation tokens are present`]
      : []),
    ...(authorizer === '' ? [] : [`The authorizer ${authorizer} is configured`]),
  ]
  return unenforced.map((what) => `${what} and not enforced; ${hint}`)
}
